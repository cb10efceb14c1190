"""What became of jobs: asked once for all of a site where its monitor may ask, else once for all of a person's."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Unavailable
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs.question import Answer, SharedQuestion
from slurm_ssh.scheduler import Listing, beginning, observe

# A job that begins within that says so itself.
FIRST_LOOK_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
PAUSE_GROWTH = 1.5
# Where no monitor asks for all, each person's launches cost Slurm questions of their own.
FIRST_PAUSE_ALONE_SECONDS = 4.0
# Of a pause, in which direction it may differ: those who start at the same time do not ask at the same time.
_JITTER = 0.1
# Absent from one answer may be a controller that has just started; absent from one so much later is gone.
ABSENT_SECONDS = 2.0
# How old the answer to somebody else's question may be, as a part of the pause since the last look.
_AS_GOOD = 0.5
# How long who looks in passing waits for Slurm.
_GLANCE_SECONDS = 0.5
# For how long a monitor is not asked about a job that its site hides from it.
_HIDDEN_SECONDS = 600.0

_UNKNOWN = JobReport(JobState.UNKNOWN)


class Queues(Protocol):
    """Lists jobs, in every state that Slurm remembers, whose marks begin as that of a job does."""

    def has_monitor(self, site_key: str) -> bool:
        """Return whether a site lets a monitor ask."""

    async def of_site(self, job: Job) -> Listing:
        """Return everybody's at the job's site, as its monitor sees them.

        Raises Unavailable if the site, or its Slurm, does not answer, another LaunchError if the monitor may not
        or cannot ask.
        """

    async def of_owner(self, job: Job) -> Listing:
        """Return those of the job's owner at its site.  Raises LaunchError if nobody can be asked."""


@dataclass
class _Known:
    """What is remembered of a job (loop time): it may be hidden from the monitor until then."""

    since: float
    hidden_until: float = 0.0
    absent_since: float | None = None


class JobWatch:
    """Owner of the questions.  One that is not answered never changes what is known of a job.

    What a monitor lists counts.  That it does not list a job is no sign: a site may hide people's jobs from it.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._questions: dict[tuple[str, ...], SharedQuestion] = {}
        self._known: dict[str, _Known] = {}

    async def report(self, job: Job, deadline: Deadline | None = None) -> JobReport:
        """Return one observation of the job, made from now on.

        GONE only after Slurm answered its owner without it twice, some seconds apart; UNKNOWN if it could not be
        asked, or has not answered by the `deadline`.
        """
        if deadline is None:
            return await self._report(job, 0.0)
        try:
            async with deadline.enforced():
                return await self._report(job, 0.0)
        except TimeoutError:
            return _UNKNOWN

    async def glance(self, job: Job, young_seconds: float) -> JobReport:
        """Return an observation made at most so long ago, without waiting long for Slurm.

        Of an older one only that the job is over counts; else UNKNOWN.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_GLANCE_SECONDS):
                return await self._report(job, young_seconds)
        # What came too late for the one who asked is there for the next.
        seen = self._seen_last(job)
        return seen if seen.state.is_over else _UNKNOWN

    def latest(self, job: Job, young_seconds: float) -> JobReport:
        """Return the last observation that is at most so old, UNKNOWN if there is none; asks nobody."""
        since = asyncio.get_running_loop().time() - young_seconds
        return self._seen_last(job, since)

    def away_since(self, job: Job) -> datetime | None:
        """Return since when the job's site cannot be reached, None if it was, or if nobody knows; asks nobody."""
        asked = [question for question in (self._of_site(job), self._of_owner(job)) if question.last]
        last = max(asked, key=lambda question: question.last.began if question.last else 0.0, default=None)
        return last.away_since if last else None

    async def reports(self, job: Job, begun: asyncio.Event | None = None) -> AsyncIterator[JobReport]:
        """Yield observations of the job for ever, often at first and then less and less.

        The first is made now or, where a sign that the job has `begun` is waited for, in a moment; and one at once
        when there is that sign: Slurm knows its node then.
        """
        pause, young = self._first_pause(job), 0.0
        if begun and await _is_set_within(begun, FIRST_LOOK_SECONDS):
            begun = None
        while True:
            report = await self._report(job, young)
            yield report
            if report.node:
                begun = None
            if await _is_set_within(begun, pause):
                begun, pause, young = None, self._first_pause(job), 0.0
            else:
                young = pause * _AS_GOOD
                pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    def _first_pause(self, job: Job) -> float:
        if self._queues.has_monitor(job.site_key):
            return FIRST_PAUSE_SECONDS
        return FIRST_PAUSE_ALONE_SECONDS * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret

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
        if self._queues.has_monitor(job.site_key) and now >= known.hidden_until:
            answer = await self._of_site(job).answered(since)
            if report := _listed(job, answer):
                return _present(known, report)
            if isinstance(answer.error, Unavailable):
                return _UNKNOWN
        answer = await self._of_owner(job).answered(since)
        report = _listed(job, answer)
        if report and not report.state.is_over:
            known.hidden_until = now + _HIDDEN_SECONDS
        return _present(known, report) if report else _absent(job, known, answer)

    def _seen_last(self, job: Job, since: float = 0.0) -> JobReport:
        """Return what the last answers say of the job, of those to questions that were put then or later."""
        known = self._known.get(job.mark)
        if known is None:
            return _UNKNOWN
        since = max(since, known.since)
        for question in (self._of_site(job), self._of_owner(job)):
            if question.last and question.last.began >= since and (report := _listed(job, question.last)):
                return report
        last = self._of_owner(job).last
        return _absent(job, known, last) if last and last.began >= since else _UNKNOWN

    def _of_site(self, job: Job) -> SharedQuestion:
        key = (job.site_key, beginning(job.mark))
        return self._question(key, f"squeue at {job.site_key} for its monitor", partial(self._queues.of_site, job))

    def _of_owner(self, job: Job) -> SharedQuestion:
        # Two people may share a login, but not a ticket.
        key = (job.site_key, beginning(job.mark), job.owner, job.user)
        return self._question(
            key, f"squeue at {job.site_key} for {job.owner}", partial(self._queues.of_owner, job)
        )

    def _question(self, key: tuple[str, ...], name: str, ask: Callable[[], Awaitable[Listing]]) -> SharedQuestion:
        if key not in self._questions:
            self._questions[key] = SharedQuestion(ask, name)
        return self._questions[key]


async def _is_set_within(event: asyncio.Event | None, seconds: float) -> bool:
    if event is None:
        await asyncio.sleep(seconds)
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _listed(job: Job, answer: Answer) -> JobReport | None:
    return observe(job, answer.listing.rows) if answer.listing else None


def _present(known: _Known, report: JobReport) -> JobReport:
    known.absent_since = None
    return report


def _absent(job: Job, known: _Known, answer: Answer) -> JobReport:
    """Return what it means that an answer to its owner does not list a job."""
    if answer.listing is None or job.mark in answer.listing.odd:
        return _UNKNOWN
    if known.absent_since is None:
        known.absent_since = answer.began
    later = answer.began - known.absent_since
    return JobReport(JobState.GONE) if later > 0 and later >= ABSENT_SECONDS else _UNKNOWN
