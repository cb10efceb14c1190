"""What the admins of a hub announce on all its pages, until a moment: one text at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from slurm_ssh.text import one_line
from slurm_ssh_spawner.launch.records.schema import ANNOUNCEMENTS
from slurm_ssh_spawner.launch.records.worker import Worker

LONGEST = 500


@dataclass(frozen=True)
class Announcement:
    """A text for everybody, also for who is not logged in; `author` has written it."""

    text: str
    until: datetime
    author: str


class Announcements:
    """Owner of the announcement."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._known: Announcement | None = None

    @property
    def current(self) -> Announcement | None:
        """What is announced now; asks nobody."""
        return self._known if self._known and self._known.until > datetime.now(UTC) else None

    async def recall(self) -> None:
        """Announce what was announced before the hub started.  Raises DatabaseAway."""
        row = ANNOUNCEMENTS.c
        query = sa.select(row.text, row.until, row.author).order_by(row.until.desc())
        found = await self._worker.read(lambda connection: connection.execute(query).first())
        # What was announced meanwhile counts.
        self._known = self._known or (Announcement(*found) if found else None)

    async def announce(self, text: str, until: datetime, author: str) -> None:
        """Announce a text in the place of the one before, none for "".  Raises DatabaseAway."""
        new = Announcement(one_line(text, LONGEST), until, author)

        def put(connection: sa.Connection) -> None:
            connection.execute(sa.delete(ANNOUNCEMENTS))
            if new.text:
                connection.execute(
                    sa.insert(ANNOUNCEMENTS).values(text=new.text, until=new.until, author=new.author)
                )

        await self._worker.write(put)
        self._known = new if new.text else None
