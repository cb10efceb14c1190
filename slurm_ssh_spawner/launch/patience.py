"""For how long a launch is waited for: in the queue until a moment, then for its server."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from kernels.units import say_minutes
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.job import Job, JobReport, JobState, LaunchId
from slurm_ssh_spawner.launch.clock import clock
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord, LaunchRecords

# From the beginning of a job until its server is up; its kernels come on top.
_SERVER_MINUTES = 10
# For the submission, for the way to the server, for a site that is slow to answer.
_MARGIN_SECONDS = 15 * 60
# What a launch of an earlier hub is waited for once it runs: its job's own time limit comes first.
_TAKEN_UP = timedelta(days=6)
# The end may be moved meanwhile.
_LOOK_SECONDS = 30.0

_log = logging.getLogger(__name__)


def _run_minutes(launch: NotebookLaunch) -> int:
    # Each kernel may wait for another launch that makes it, and then be made.
    return _SERVER_MINUTES + 2 * sum(kernel.time_max for kernel in launch.kernels)


def start_seconds(launch: NotebookLaunch) -> int:
    """Return for how long JupyterHub may wait for a start: longer than we do, so that it is we who say why not."""
    waits = max(launch.queue_wait_minutes, launch.queue_wait_max_minutes)
    return (waits + _run_minutes(launch)) * 60 + _MARGIN_SECONDS


def longer(record: LaunchRecord, step_minutes: int, most_minutes: int) -> datetime | None:
    """Return until when a launch may be waited for if its owner wants that, None if no longer than it is now.

    That is a step later than now, and never more minutes than the most after its beginning.
    """
    if record.wait_until is None:
        return None
    later = record.wait_until + timedelta(minutes=step_minutes)
    until = min(later, record.begun + timedelta(minutes=most_minutes))
    return until if until > record.wait_until else None


@dataclass
class Patience:
    """How long one launch may take.

    It may wait in the queue `until` a moment, which stays the same over restarts of the hub, and may be moved.  A
    job that runs then gets `run` from its beginning, or what is left until that moment.

    The wall clock is read once: one that is set while the launch is waited for must end nothing.
    """

    begun: datetime
    until: datetime
    run: timedelta
    node: str = field(default="", init=False)
    running: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _runs_since: datetime | None = field(default=None, init=False)
    _read: tuple[datetime, float] = field(
        default_factory=lambda: (datetime.now(UTC), time.monotonic()), init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, launch: NotebookLaunch) -> Self:
        """Return the patience with a launch that begins now."""
        now = datetime.now(UTC)
        return cls(
            now, now + timedelta(minutes=launch.queue_wait_minutes), timedelta(minutes=_run_minutes(launch))
        )

    @classmethod
    def taken_up(cls, record: LaunchRecord | None) -> Self:
        """Return the patience with a launch of an earlier hub; its record is None if that cannot be read."""
        now = datetime.now(UTC)
        begun, until = (record.begun, record.wait_until) if record else (now, None)
        return cls(begun, until or now + _TAKEN_UP, _TAKEN_UP)

    @property
    def runs(self) -> bool:
        """Whether the job was seen to run."""
        return self._runs_since is not None

    @property
    def queue_time(self) -> str:
        """How long the launch may wait in the queue, as people write it."""
        return say_minutes(max(1, round((self.until - self.begun) / timedelta(minutes=1))))

    @property
    def clock(self) -> str:
        """The moment until which it is waited for now, for people."""
        return clock(self._end)

    @property
    def _now(self) -> datetime:
        wall, steady = self._read
        return wall + timedelta(seconds=time.monotonic() - steady)

    @property
    def _end(self) -> datetime:
        return max(self.until, self._runs_since + self.run) if self._runs_since else self.until

    def seen(self, report: JobReport) -> None:
        """Take note of what Slurm says of the job."""
        if self._runs_since is None and report.state in {JobState.RUNNING, JobState.ENDING}:
            self._runs_since, self.node = self._now, report.node
            self.running.set()

    async def is_over(self) -> None:
        """Return when it has come to its end."""
        # The end moves when the job begins to run.
        while (left := (self._end - self._now).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _LOOK_SECONDS))


class Patiences:
    """The patience with each launch whose server is waited for."""

    def __init__(self, records: LaunchRecords) -> None:
        self._records = records
        self._kept: dict[LaunchId, Patience] = {}

    def begin(self, launch: NotebookLaunch, launch_id: LaunchId) -> Patience:
        """Return the patience with a launch that begins now."""
        patience = self._kept[launch_id] = Patience.of(launch)
        return patience

    async def of(self, job: Job) -> Patience:
        """Return the patience with a launch; one of an earlier hub is taken up as its record says."""
        if patience := self._kept.get(job.launch_id):
            return patience
        try:
            record = await self._records.get(job.launch_id)
        except DatabaseAway as error:
            _log.warning("%s: how long it may wait in the queue is not known: %s", job.mark, error)
            record = None
        patience = self._kept[job.launch_id] = Patience.taken_up(record)
        return patience

    async def move(self, launch_id: LaunchId, until: datetime) -> None:
        """Have a launch wait in the queue until another moment.  Raises DatabaseAway."""
        await self._records.waits(launch_id, until)
        if patience := self._kept.get(launch_id):
            patience.until = until

    def end(self, launch_id: LaunchId) -> None:
        """Wait for a launch no longer."""
        self._kept.pop(launch_id, None)
