"""What people keep under names of their own, to fill in the options form with."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from slurm_ssh.text import one_line
from slurm_ssh_spawner.launch.records.schema import PRESETS
from slurm_ssh_spawner.launch.records.worker import Worker

MOST = 20
"""So many may one person keep."""
LONGEST_NAME = 60

_ROW = PRESETS.c


@dataclass(frozen=True)
class Preset:
    """Choices that have passed no gate, under the name that their owner gave them."""

    name: str
    choices: Mapping[str, str]


def named(typed: str) -> str:
    """Return the name that is meant by what somebody typed: one line, cut; "" for none."""
    return " ".join(one_line(typed, LONGEST_NAME).split())


class Presets:
    """Everybody's presets; all of it raises DatabaseAway."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def of(self, user: str) -> tuple[Preset, ...]:
        """Return a person's presets, by their names."""
        query = sa.select(_ROW.name, _ROW.choices).where(_ROW.user == user)
        found = await self._worker.read(lambda connection: connection.execute(query).all())
        return tuple(sorted((Preset(*each) for each in found), key=lambda each: (each.name.casefold(), each.name)))

    async def save(self, user: str, preset: Preset) -> bool:
        """Keep a preset, in the place of the one of that name; return False if they have MOST others."""
        theirs = _ROW.user == user
        row = {"user": user, "name": preset.name, "choices": dict(preset.choices)}

        def put(connection: sa.Connection) -> bool:
            connection.execute(sa.delete(PRESETS).where(theirs, _ROW.name == preset.name))
            is_room = (connection.scalar(sa.select(sa.func.count()).where(theirs)) or 0) < MOST
            if is_room:
                connection.execute(sa.insert(PRESETS).values(**row))
            return is_room

        return await self._worker.write(put)

    async def forget(self, user: str, name: str) -> None:
        """Remove a preset, if there is one of that name."""
        change = sa.delete(PRESETS).where(_ROW.user == user, _ROW.name == name)
        await self._worker.write(lambda connection: connection.execute(change))
