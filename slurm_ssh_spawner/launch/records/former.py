"""People who are no users of the hub any more: what stays of them is no longer found by their name."""

from datetime import UTC, datetime

import sqlalchemy as sa

from languages import for_keeping
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.records.schema import ACCEPTED, LAUNCHES, PRESETS
from slurm_ssh_spawner.launch.records.worker import Worker

_ROW = LAUNCHES.c


class Former:
    """Takes people's names from what is kept."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def forget(self, user: str) -> None:
        """Remove what a person has kept for the form; have their settled launches be of a former user.

        Launches that are not settled keep the name: with it their jobs are stopped, and what they left is removed.
        Raises DatabaseAway.
        """
        day = datetime.now(UTC).date().isoformat()
        former = for_keeping(sentences.FORMER_USER.format(user=user, day=day))
        is_settled = sa.and_(_ROW.user == user, _ROW.ended.is_not(None), _ROW.released.is_not(None))

        def change(connection: sa.Connection) -> None:
            for table in (PRESETS, ACCEPTED):
                connection.execute(sa.delete(table).where(table.c.user == user))
            connection.execute(sa.update(LAUNCHES).where(is_settled).values(user=former))

        await self._worker.settled()
        await self._worker.write(change)
