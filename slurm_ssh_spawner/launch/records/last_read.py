"""What was read of the records since the last write, for pages that are looked at again and again."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records.presets import Preset
from slurm_ssh_spawner.launch.records.records import LaunchRecords
from slurm_ssh_spawner.launch.records.values import LaunchRecord

_MOST = 1000

Answer = TypeVar("Answer")


class LastRead:
    """Returns what `records` return, having read it since the last write.  What is awaited raises DatabaseAway."""

    def __init__(self, records: LaunchRecords) -> None:
        self._records = records
        self._revision = records.revision
        self._found: dict[Hashable, Any] = {}

    async def recent(self, user: str, limit: int) -> tuple[LaunchRecord, ...]:
        """Return a person's launches, the newest first, without their logs."""
        return await self._once(("recent", user, limit), lambda: self._records.recent(user, limit))

    async def logs(self, launch_ids: Sequence[LaunchId]) -> Mapping[LaunchId, str]:
        """Return the ends of the logs of some launches, of those that have one."""
        return await self._once(("logs", *launch_ids), lambda: self._records.logs(launch_ids))

    async def accepted(self, user: str, server: str) -> Mapping[str, str]:
        """Return the choices that a person's server was last allowed to start with, `{}` if there are none."""
        return await self._once(("accepted", user, server), lambda: self._records.accepted(user, server))

    async def presets(self, user: str) -> tuple[Preset, ...]:
        """Return a person's presets, by their names."""
        return await self._once(("presets", user), lambda: self._records.presets.of(user))

    async def _once(self, what: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        # Of before the read: what is written meanwhile may not be in it.
        if self._revision != self._records.revision or len(self._found) >= _MOST:
            self._revision, self._found = self._records.revision, {}
        found: dict[Hashable, Answer] = self._found
        if what not in found:
            found[what] = await read()
        return found[what]
