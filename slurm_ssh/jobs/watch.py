"""What became of jobs: one query per person and site, shared by everybody who wants to know at the same time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from slurm_ssh.deadline import Deadline
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.slurm import jobs as slurm_jobs

ListJobs = Callable[[Job, frozenset[str]], Awaitable[tuple[slurm_jobs.Row, ...] | None]]
"""Lists the jobs with these marks at the site of a job, as its owner; None if nobody could be asked."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
PAUSE_GROWTH = 1.3
# Absent from one answer may be a controller that has just started; absent from one so much later is gone.
ABSENT_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass
class _Group:
    """The jobs of one owner at one site that somebody asked about, and the query under way for them."""

    jobs: set[Job] = field(default_factory=set)
    query: asyncio.Task[dict[Job, JobReport]] | None = None


class JobWatch:
    """Observes jobs through `list_jobs`; a failed query never changes what is known of a job."""

    def __init__(self, list_jobs: ListJobs) -> None:
        self._list_jobs = list_jobs
        self._groups: dict[tuple[str, str], _Group] = {}
        self._absent_since: dict[str, float] = {}

    async def report(self, job: Job, deadline: Deadline | None = None) -> JobReport:
        """Return one observation of the job, asked for now.

        GONE only after Slurm answered without it twice, some seconds apart; UNKNOWN if it could not be asked, or
        has not answered by the `deadline`.
        """
        group = self._groups.setdefault((job.site_key, job.owner), _Group())
        group.jobs.add(job)
        if group.query is None:
            group.query = asyncio.create_task(self._send(job, group))
        answer = asyncio.shield(group.query)
        if deadline is None:
            return (await answer)[job]
        try:
            async with deadline.enforced():
                return (await answer)[job]
        except TimeoutError:
            return JobReport(JobState.UNKNOWN)

    async def reports(self, job: Job) -> AsyncIterator[JobReport]:
        """Yield observations of the job for ever, often at first and then less and less."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            yield await self.report(job)
            await asyncio.sleep(pause)
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """End the queries under way."""
        queries = [group.query for group in self._groups.values() if group.query]
        for query in queries:
            query.cancel()
        await asyncio.gather(*queries, return_exceptions=True)

    def forget(self, job: Job) -> None:
        """Drop what is remembered about a job that nobody will ask about again."""
        self._absent_since.pop(job.mark, None)

    async def _send(self, asker: Job, group: _Group) -> dict[Job, JobReport]:
        """Ask once about all jobs of the group."""
        await asyncio.sleep(0)
        # Whoever asks from here on is not in this query and starts the next one.
        jobs, group.jobs, group.query = group.jobs, set(), None
        rows = await self._list_jobs(asker, frozenset(job.mark for job in jobs))
        return {job: self._seen(job, rows) for job in jobs}

    def _seen(self, job: Job, rows: tuple[slurm_jobs.Row, ...] | None) -> JobReport:
        if rows is None:
            return JobReport(JobState.UNKNOWN)
        if report := slurm_jobs.observe(job, rows):
            self._absent_since.pop(job.mark, None)
            return report
        now, first = asyncio.get_running_loop().time(), self._absent_since.get(job.mark)
        if first is None:
            self._absent_since[job.mark] = now
        is_gone = first is not None and now - first >= ABSENT_SECONDS
        return JobReport(JobState.GONE if is_gone else JobState.UNKNOWN)
