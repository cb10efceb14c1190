"""A person's last launches for who looks at them again and again."""

from collections.abc import Mapping, Sequence

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records.records import LaunchRecords
from slurm_ssh_spawner.launch.records.values import LaunchRecord

_MOST = 60


class Recent:
    """A person's last launches, read again after each write.  What is awaited raises DatabaseAway."""

    def __init__(self, records: LaunchRecords, user: str) -> None:
        self._records = records
        self._user = user
        self._launches: tuple[int, tuple[LaunchRecord, ...]] | None = None
        self._logs: tuple[int, Sequence[LaunchId], Mapping[LaunchId, str]] | None = None

    async def launches(self) -> tuple[LaunchRecord, ...]:
        """Return them, the newest first, without their logs."""
        # Of before the read: what is written meanwhile may not be in it.
        revision = self._records.revision
        if self._launches is None or self._launches[0] != revision:
            self._launches = revision, await self._records.recent(self._user, _MOST)
        return self._launches[1]

    async def logs(self, launch_ids: Sequence[LaunchId]) -> Mapping[LaunchId, str]:
        """Return the ends of the logs of some of them, of those that have one."""
        revision = self._records.revision
        if self._logs is None or self._logs[:2] != (revision, launch_ids):
            self._logs = revision, launch_ids, await self._records.logs(launch_ids)
        return self._logs[2]
