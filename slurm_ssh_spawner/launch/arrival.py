"""From a submitted job to a server that is up: waits, tells how far it is, says why it did not come to that."""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress

from kerberos_auth.turns import Turns
from languages import together
from profiles.catalogue.site import Site
from slurm_ssh.errors import JobEnded, LaunchError, Refused
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs import folders
from slurm_ssh.jobs import log as job_log
from slurm_ssh.jobs.ending import Explained
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import silence
from slurm_ssh_spawner.launch.faults import JobFailed, WaitedTooLong, fault_of_job
from slurm_ssh_spawner.launch.patience import Patience
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.reported_port import ReportedPort

OUTPUT_SECONDS = 3.0
UNHEARD_SECONDS = 20.0
_TRACEBACK = "Traceback (most recent call last):"
_OF_A_PERSON = re.compile(r"(/[^\"'()\n]{1,300}/\.local/lib/python3\.[0-9]{1,3}/site-packages)/(\w[\w.-]{0,99})")
_END_SECONDS = 0.5
# A job does not change its node: whatever Slurm said of it since it was submitted would do.
_NODE_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Arrivals:
    """Waits for jobs.

    `remote_of` gives access to a job's site; `over` is told of a job that ended, and finds out why.  `hub_url` is
    where jobs reach the hub at sites without a `hub_url` of their own, "" while that is not known.
    """

    def __init__(
        self,
        watch: JobWatch,
        remote_of: Callable[[Job], Remote],
        over: Callable[[Job, JobReport], "asyncio.Task[Explained]"],
    ) -> None:
        self._watch = watch
        self._remote_of = remote_of
        self._over = over
        self.hub_url = ""
        self._turns = Turns()

    async def node(self, job: Job, port: ReportedPort, progress: Progress, patience: Patience) -> str:
        """Return the name of the job's node, once the job has reported its port.

        A port that was reported before Slurm named a node is not the job's, and is forgotten.  Raises JobEnded,
        with the stages and the last lines of the job's log, if the job is over before, and Refused if the
        `patience` is.
        """
        arriving = asyncio.create_task(self._arrived(job, port, progress, patience))
        given_up = asyncio.create_task(patience.is_over())
        try:
            await asyncio.wait((arriving, given_up), return_when=asyncio.FIRST_COMPLETED)
            if arriving.done():
                return arriving.result()
        finally:
            arriving.cancel()
            given_up.cancel()
        progress.end(failed=True)
        raise await self._too_long(job, patience)

    async def _arrived(self, job: Job, port: ReportedPort, progress: Progress, patience: Patience) -> str:
        while True:
            await self._reported(job, port, progress, patience)
            if node := await self._node(job, progress):
                # One answer of Slurm's is that of many, and JupyterHub has some to do for each now.
                await self._turns.mine()
                progress.end()
                return node
            _log.warning("%s: port %d was reported before the job ran, and is ignored", job.mark, port.number)
            port.forget()

    async def _reported(self, job: Job, port: ReportedPort, progress: Progress, patience: Patience) -> None:
        watching = asyncio.create_task(self._until_over(job, progress, patience))
        waiting = asyncio.create_task(port.wait())
        try:
            await asyncio.wait((watching, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            waiting.cancel()
        if not port.number:
            progress.end(failed=True)
            raise await self._ended(job, watching.result(), progress)

    async def _until_over(self, job: Job, progress: Progress, patience: Patience) -> JobReport:
        told = asyncio.create_task(self._told(job, progress, patience))
        unheard = asyncio.create_task(self._unheard(job, progress, patience))
        output = asyncio.create_task(self._output(job, progress))
        try:
            # A job that has given up will be over in a moment; nobody should wait for the next look.
            await asyncio.wait((told, progress.failing), return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                return told.result()
            return await self._end(job)
        finally:
            for task in (told, unheard, output):
                task.cancel()

    async def _too_long(self, job: Job, patience: Patience) -> Refused:
        """Return why a job that goes on is not waited for any longer; it is stopped then."""
        site = self._remote_of(job).site
        if not patience.runs:
            return WaitedTooLong(sentences.WAITED_TOO_LONG.format(site=site.title, time=patience.queue_time))
        tail = ""
        with suppress(LaunchError):
            tail = await self._tail(job)
        return Refused(sentences.NOT_UP_IN_TIME.format(site=site.title, until=patience.clock), quoted=tail)

    async def _unheard(self, job: Job, progress: Progress, patience: Patience) -> None:
        """Say what is wrong with a job that runs and says nothing, as often as that changes."""
        await patience.running.wait()
        told = ""
        while not progress.stages:
            await asyncio.sleep(UNHEARD_SECONDS)
            try:
                site, log = self._remote_of(job).site, await self._tail(job)
            except LaunchError as error:
                _log.warning("%s runs, but is not heard of, and its log cannot be read: %s", job.mark, error)
                continue
            path, url = folders.log_path(site, job.owner, job.launch_id), site.hub_url or self.hub_url
            sentence = silence.why(log, patience.node, url, path)
            if not progress.stages and sentence != told:
                told = sentence
                progress.tell(sentence)
                progress.show_output(log)
                silence.tell_admins(job, log, patience.node, url)

    async def _end(self, job: Job) -> JobReport:
        report = await self._watch.report(job)
        while not report.state.is_over:
            await asyncio.sleep(_END_SECONDS)
            report = await self._watch.report(job)
        return report

    async def _told(self, job: Job, progress: Progress, patience: Patience) -> JobReport:
        told, limit = "", sentences.WAITS_UNTIL.format(until=patience.clock)
        async for report in self._watch.reports(job, progress.begun):
            if report.state.is_over:
                return report
            patience.seen(report)
            progress.saw(report)
            sentence = _sentence(report)
            if sentence and sentence != told:
                progress.tell(sentence)
                told = sentence
            if report.state is JobState.PENDING and limit:
                progress.tell(limit)
                limit = ""
        raise AssertionError("a watch has no end")

    async def _output(self, job: Job, progress: Progress) -> None:
        """Show the end of the log for as long as somebody looks at it."""
        while True:
            if progress.is_watched and progress.stages:
                with suppress(LaunchError):
                    progress.show_output(await self._tail(job))
            await asyncio.sleep(OUTPUT_SECONDS)

    async def _tail(self, job: Job) -> str:
        remote = self._remote_of(job)
        return job_log.readable((await remote.run(job_log.tail(remote.site, job.owner, job.launch_id))).stdout)

    async def _node(self, job: Job, progress: Progress) -> str:
        """Return the name of the job's node, "" if Slurm says that it does not run yet."""
        if node := self._watch.latest(job, _NODE_SECONDS).node:
            return node
        async for report in self._watch.reports(job):
            if report.state.is_over:
                raise await self._ended(job, report, progress)
            if report.node or report.state is JobState.PENDING:
                return report.node
        raise AssertionError("a watch has no end")

    async def _ended(self, job: Job, report: JobReport, progress: Progress) -> JobEnded:
        # Others wait for the same answer.
        explained = await asyncio.shield(self._over(job, report))
        site = self._remote_of(job).site
        ended = sentences.JOB_ENDED if report.word else sentences.JOB_GONE
        said = [ended.format(site=site.title, state=report.word, scheduler=site.scheduler.name)]
        path, tail = folders.log_path(site, job.owner, job.launch_id), explained.log
        why = [self._reason(explained, report, site, progress), *_hiding(tail)]
        said += why
        log = sentences.LOG_FOLLOWS if tail else sentences.LOG_EMPTY
        log = sentences.LOG_UNREADABLE if explained.problem else log
        said.append(log.format(path=path, problem=explained.problem))
        progress.show_output(tail)
        stages = "".join(f"{stage}\n" for stage in progress.stages)
        return JobFailed(
            together(said),
            quoted=f"{stages}\n{tail}".strip(),
            why=together(why),
            log_path=path,
            fault=fault_of_job(report.word, gave_up=progress.failing.done(), unheard=silence.is_unheard(tail)),
        )

    def _reason(self, explained: Explained, report: JobReport, site: Site, progress: Progress) -> str:
        if progress.failing.done():
            return _sentence_of(progress.failing.result())
        if silence.is_unheard(explained.log):
            return silence.why(explained.log, report.node, site.hub_url or self.hub_url, "")
        return explained.sentence


def _hiding(log: str) -> list[str]:
    """Return a sentence that names a package of the person's own, if a program in Python has ended in it."""
    _, begun, frames = log.rpartition(_TRACEBACK)
    # The last frame, and the error, which may name the file of a module that it found.
    found = _OF_A_PERSON.search(frames[frames.rfind('\n  File "') :]) if begun else None
    if not found:
        return []
    folder, package = found.groups()
    return [sentences.PACKAGE_HIDES.format(folder=folder, package=package.removesuffix(".py"))]


def _sentence_of(text: str) -> str:
    """Return the words in which a job gave up as a sentence, which others may follow."""
    words = text.strip()
    return f"{words}{'' if words.endswith(('.', '!', '?')) else '.'}"


def _sentence(report: JobReport) -> str:
    """Return the sentence that a waiting person is shown, or "" if there is nothing new to say."""
    if report.state is JobState.PENDING:
        return (sentences.QUEUED_BECAUSE if report.reason else sentences.QUEUED).format(reason=report.reason)
    if report.state is JobState.RUNNING:
        return sentences.RUNNING.format(node=report.node)
    return ""
