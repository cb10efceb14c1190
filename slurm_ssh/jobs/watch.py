"""What became of jobs: asked once for all of a site where its monitor may ask, else once for all of a person's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from slurm_ssh.deadline import Deadline
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs.question import Answer, SharedQuestion
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import survey
from slurm_ssh.slurm.jobs import Row

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
PAUSE_GROWTH = 1.3
# Absent from one answer may be a controller that has just started; absent from one so much later is gone.
ABSENT_SECONDS = 2.0
# How old the answer to somebody else's question may be, as a part of the pause since the last look.
_AS_GOOD = 0.5
# How long who looks in passing waits for Slurm.
_GLANCE_SECONDS = 0.5


class Queues(Protocol):
    """Lists jobs, in every state that Slurm remembers, whose marks begin as that of a job does."""

    def has_monitor(self, site_key: str) -> bool:
        """Return whether a site lets a monitor ask."""

    async def of_site(self, job: Job) -> tuple[Row, ...]:
        """Return everybody's at the job's site, as its monitor sees them.

        Raises Refused if it may not ask, another LaunchError if nobody can be asked.
        """

    async def of_owner(self, job: Job) -> tuple[Row, ...]:
        """Return those of the job's owner at its site.  Raises LaunchError if nobody can be asked."""


@dataclass
class _Known:
    """What is remembered of a job (loop time); `is_shown`: the monitor has listed it."""

    since: float
    is_shown: bool = False
    absent_since: float | None = None


class JobWatch:
    """Owner of the questions.  One that is not answered never changes what is known of a job.

    That a monitor does not list a job counts only if it has listed it before: sites may hide people's jobs.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._questions: dict[tuple[str, str, str], SharedQuestion] = {}
        self._known: dict[str, _Known] = {}

    async def report(self, job: Job, deadline: Deadline | None = None, young_seconds: float = 0.0) -> JobReport:
        """Return one observation of the job, made from now on, or at most `young_seconds` ago.

        GONE only after Slurm answered without it twice, some seconds apart; UNKNOWN if it could not be asked, or
        has not answered by the `deadline`.
        """
        if deadline is None:
            return await self._report(job, young_seconds)
        try:
            async with deadline.enforced():
                return await self._report(job, young_seconds)
        except TimeoutError:
            return JobReport(JobState.UNKNOWN)

    async def glance(self, job: Job, young_seconds: float) -> JobReport:
        """Return an observation made at most so long ago, UNKNOWN if that would take long."""
        if any(question.is_out_for(_GLANCE_SECONDS) for question in (self._of_site(job), self._of_owner(job))):
            return JobReport(JobState.UNKNOWN)
        return await self.report(job, Deadline.after(_GLANCE_SECONDS), young_seconds)

    async def reports(self, job: Job) -> AsyncIterator[JobReport]:
        """Yield observations of the job for ever, the first from now on, often at first and then less and less."""
        pause, young = FIRST_PAUSE_SECONDS, 0.0
        while True:
            yield await self._report(job, young)
            await asyncio.sleep(pause)
            young = pause * _AS_GOOD
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """End the questions under way."""
        await asyncio.gather(*(question.close() for question in self._questions.values()))

    def forget(self, job: Job) -> None:
        """Drop what is remembered about a job that nobody will ask about again."""
        self._known.pop(job.mark, None)

    async def _report(self, job: Job, young_seconds: float) -> JobReport:
        now = asyncio.get_running_loop().time()
        known = self._known.setdefault(job.mark, _Known(now))
        # An answer of before it was known would miss a job that was submitted meanwhile.
        since = max(known.since, now - young_seconds)
        if self._queues.has_monitor(job.site_key):
            answer = await self._of_site(job).answered(since)
            if report := _listed(job, answer):
                known.is_shown, known.absent_since = True, None
                return report
            if not answer.is_refused and (known.is_shown or answer.rows is None):
                return _absent(known, answer)
        answer = await self._of_owner(job).answered(since)
        if report := _listed(job, answer):
            known.absent_since = None
            return report
        return _absent(known, answer)

    def _of_site(self, job: Job) -> SharedQuestion:
        return self._question(job, "", self._queues.of_site)

    def _of_owner(self, job: Job) -> SharedQuestion:
        return self._question(job, job.owner, self._queues.of_owner)

    def _question(self, job: Job, owner: str, ask: Callable[[Job], Awaitable[tuple[Row, ...]]]) -> SharedQuestion:
        key = (job.site_key, owner, survey.beginning(job.mark))
        if key not in self._questions:
            name = f"squeue at {job.site_key} for {owner or 'its monitor'}"
            self._questions[key] = SharedQuestion(partial(ask, job), name)
        return self._questions[key]


def _listed(job: Job, answer: Answer) -> JobReport | None:
    return slurm_jobs.observe(job, answer.rows or ())


def _absent(known: _Known, answer: Answer) -> JobReport:
    """Return what it means that an answer does not list a job."""
    if answer.rows is None:
        return JobReport(JobState.UNKNOWN)
    if known.absent_since is None:
        known.absent_since = answer.began
    later = answer.began - known.absent_since
    return JobReport(JobState.GONE if later > 0 and later >= ABSENT_SECONDS else JobState.UNKNOWN)
