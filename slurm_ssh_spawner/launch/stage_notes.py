"""Keeps the stages of launches in their records, at most once a second for each launch."""

import asyncio

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecords

SECONDS = 1.0


class StageNotes:
    """Owner of the notes that are due."""

    def __init__(self, records: LaunchRecords) -> None:
        self._records = records
        self._due: dict[LaunchId, tuple[asyncio.TimerHandle, Progress]] = {}

    def due(self, launch_id: LaunchId, progress: Progress) -> None:
        """Note within a second what the stages are then."""
        if launch_id not in self._due:
            timer = asyncio.get_running_loop().call_later(SECONDS, self.now, launch_id, progress)
            self._due[launch_id] = timer, progress

    def now(self, launch_id: LaunchId, progress: Progress) -> None:
        """Note what the stages are."""
        if waiting := self._due.pop(launch_id, None):
            waiting[0].cancel()
        if progress.stages:
            self._records.note_stages(launch_id, [stage.to_json() for stage in progress.stages])

    def close(self) -> None:
        """Note at once what is due."""
        for launch_id, (_, progress) in list(self._due.items()):
            self.now(launch_id, progress)
