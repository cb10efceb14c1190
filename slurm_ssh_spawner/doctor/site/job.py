"""F and G: one small job that looks around on a node, is looked at, and is cancelled; nothing of it stays."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex

from kerberos_auth.outcome import Outcome, State
from kernels.fragment import Fragment
from kernels.shell import Shell, join, quote
from profiles.offer.launch import NotebookLaunch
from slurm_ssh import delivery, schedulers
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, JobReport, JobState, mark, new_launch_id
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import folders, submission
from slurm_ssh.jobs.waiting import why_waits
from slurm_ssh.scheduler import observe
from slurm_ssh.schedulers import queries
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.doctor.site import answers, node, probe, ways
from slurm_ssh_spawner.doctor.site.answers import Answers
from slurm_ssh_spawner.doctor.site.node import Times
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, skipped, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

OF_F = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9")
CHECKS = (*OF_F, "G1", "G2", "G3", "G4", "G5")

_SUBMIT_SECONDS = 60.0
_QUEUE_SECONDS = 60.0
# A file that was made on a node may take some seconds to be seen on a front end.
_LOG_SECONDS = 25.0
# Modules are loaded and the server's version is asked meanwhile.
_LOOK_SECONDS = 75.0
_END_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_CLEAN_UP_SECONDS = 40.0

_log = logging.getLogger(__name__)


async def look(
    visit: Visit,
    pool: ConnectionPool,
    taken: Sequence[NotebookLaunch],
    found: list[Outcome],
    *,
    is_forbidden: bool,
) -> None:
    """Add to `found` what a job at the site finds; it is cancelled, and all that it has left removed, in any case.

    It is in the place of the first of those that Slurm has `taken` on trial, in the partition that is wanted.
    `is_forbidden` if it is known already that no tunnel leads to a node.
    """
    launch = next((each for each in taken if visit.partition in ("", each.partition)), None)
    if launch is None:
        named = {"person": visit.person.name, "partition": visit.partition or sentences.ANY_PARTITION}
        named["scheduler"] = visit.site.scheduler.name
        found += skipped(CHECKS, sentences.NO_LAUNCH.format(**named))
        return
    job_id = new_launch_id()
    name = mark("doctor", visit.hub_name, job_id)
    started = StartedWith.at(visit.site)
    job = Job(job_id, "", name, visit.login.user, visit.login.owner, visit.key, started)
    look_at = _Look(visit, pool, launch, job, found, is_forbidden=is_forbidden)
    try:
        await look_at.all()
    finally:
        # Also for whoever is interrupted: the job would run on.
        await asyncio.shield(look_at.clean_up())


class _Look:
    """One job, from its submission to its end; `found` grows."""

    def __init__(
        self,
        visit: Visit,
        pool: ConnectionPool,
        launch: NotebookLaunch,
        job: Job,
        found: list[Outcome],
        *,
        is_forbidden: bool,
    ) -> None:
        self.found = found
        self._visit = visit
        self._pool = pool
        self._launch = launch
        self._job = job
        self._is_forbidden = is_forbidden
        self._word = f"doctor-{token_hex(6)}"
        self._began = time.time()
        self._told_by = 0.0
        self._is_over = False

    async def all(self) -> None:
        """Submit, look, and cancel."""
        if not await self._submitted():
            return
        report = await self._running()
        if report is None:
            return
        log = await self._log_of(report)
        if log is None:
            return
        end = Deadline.after(_LOOK_SECONDS)
        ways_there = await self._ways(report.node, log, end)
        said = await self._answered(end)
        is_away = node.cannot_connect(said) and await ways.is_hub_away(self._visit.api_url)
        times = Times(self._began, self._told_by)
        self.found += node.judged(self._visit, report.node, said, times, is_hub_away=is_away)
        self.found += ways_there
        self.found.append(await self._cancelled())

    async def clean_up(self) -> None:
        """Cancel the job if it goes on, and remove what it may have left; the log says what was not possible."""
        site, owner, job = self._visit.site, self._job.owner, self._job
        remote = self._remote(_CLEAN_UP_SECONDS)
        left = [*probe.leftovers(site, job), folders.log_path(site, owner, job.launch_id)]
        with contextlib.suppress(LaunchError):
            await delivery.of(site).release(remote.run, owner, job.launch_id)
        try:
            await remote.run(schedulers.of(site).cancel(site, owner, job.mark))
            await remote.run(Shell(f"rm -rf -- {join(tuple(left))}"))
        except LaunchError as error:
            _log.warning("%s at %s could not be cleaned up: %s", job.mark, self._visit.key, error)

    def _remote(self, seconds: float) -> Remote:
        return replace(self._visit.remote(self._pool), deadline=Deadline.after(seconds))

    def _stop(self, found: Outcome) -> None:
        """Keep what was found, and that all behind it is not looked at."""
        self.found.append(found)
        left = CHECKS[CHECKS.index(found.check) + 1 :]
        self.found += skipped(left, sentences.BECAUSE_OF.format(check=found.check))

    async def _submitted(self) -> bool:
        def build(fragment: Fragment) -> JobRequest:
            return probe.build(self._launch, self._job, self._word, self._visit.api_url, fragment)

        remote = self._remote(_SUBMIT_SECONDS)
        try:
            _, number = await submission.submit(remote, self._job, build, self._visit.ticket_bytes, _log.info)
        except LaunchError as error:
            text = sentences.NOT_SUBMITTED.format(reason=told(error))
            fix = sentences.SEE_SUBMISSION.format(program=schedulers.of(self._visit.site).names.submits)
            self._stop(outcome("F1", State.FAIL, text, fix, self._visit.place()))
            return False
        self._job = replace(self._job, job_id=number)
        return True

    async def _report(self) -> JobReport | None:
        """Return what Slurm says of the job now, None if it cannot be asked or does not list it."""
        rows = await queries.list_jobs(self._remote(_END_SECONDS), (self._job.mark,))
        return observe(self._job, rows) if rows else None

    async def _running(self) -> JobReport | None:
        """F1: Return the first observation that has a node; None if the job waits for long, which is kept then."""
        report, end = None, Deadline.after(_QUEUE_SECONDS)
        while end.left:
            report = await self._report() or report
            if report and report.node and report.state is not JobState.PENDING:
                text = sentences.STARTED.format(number=self._job.job_id, node=report.node)
                self.found.append(outcome("F1", State.OK, text))
                return report
            if report and report.state.is_over:
                text = sentences.ENDED_IN_QUEUE.format(number=self._job.job_id, word=quoted(report.word))
                self._stop(outcome("F1", State.FAIL, text, sentences.SEE_LOGS[self._visit.site.scheduler.kind]))
                return None
            await asyncio.sleep(_PAUSE_SECONDS)
        reason = why_waits(report.reason if report else "", self._visit.site.title)
        text = sentences.STILL_QUEUED.format(number=self._job.job_id, seconds=round(_QUEUE_SECONDS), reason=reason)
        self._stop(outcome("F1", State.WARN, text, sentences.ANOTHER_PARTITION))
        return None

    async def _log_of(self, report: JobReport) -> Answers | None:
        """F2: Return what the log says at first, None if it is not there, which is kept then."""
        end, last = Deadline.after(_LOG_SECONDS), report
        while end.left:
            said = await self._read()
            if said.has("F2") and said.get("F2", "failed") is None:
                text = sentences.LOG_SEEN.format(node=report.node)
                self.found.append(outcome("F2", State.OK, text))
                return said
            if said.has("F2") or last.state.is_over:
                break
            last = await self._report() or last
            await asyncio.sleep(_PAUSE_SECONDS)
        # A job may end between a look at its log and one at Slurm.
        said = await self._read()
        named = {"node": report.node, "word": quoted(last.word or "?"), "site": self._visit.key}
        named["folder"] = folders.job_folder(self._visit.site, self._job.owner)
        text = sentences.FOLDER_NOT_ON_NODE if said.has("F2") else sentences.NO_LOG
        place = self._visit.place("job_folder")
        self._stop(outcome("F2", State.FAIL, text.format(**named), sentences.SHARE_WITH_NODES, place))
        return None

    async def _read(self) -> Answers:
        path = quote(folders.log_path(self._visit.site, self._job.owner, self._job.launch_id))
        program = Shell(f"tail -c {answers.LONGEST_BYTES} -- {path} 2>/dev/null; :")
        try:
            answer = await self._remote(_END_SECONDS).run(program)
        except LaunchError:
            return Answers()
        said = answers.parse(answer.stdout, self._word)
        if said.has("F8"):
            self._told_by = self._told_by or time.time()
        return said

    async def _ways(self, name: str, said: Answers, end: Deadline) -> list[Outcome]:
        """G1, G3: Return how this machine reaches the job, once that has opened a port."""
        if self._is_forbidden:
            return skipped(("G1", "G3"), sentences.BECAUSE_OF.format(check="E11"))
        while end.left and not said.has("F9") and said.get("F3", "missing") is None and not self._is_over:
            said = await self._read_later()
        return await ways.to_node(self._visit, self._pool, name, said.get("F9", "port"), self._word)

    async def _answered(self, end: Deadline) -> Answers:
        """Return all that the job says."""
        said = await self._read()
        while end.left and not self._is_whole(said) and not self._is_over:
            said = await self._read_later()
        return said

    async def _read_later(self) -> Answers:
        """Return what the job says in a moment, when it was seen whether it goes on."""
        await asyncio.sleep(_PAUSE_SECONDS)
        report = await self._report()
        self._is_over = report is not None and report.state.is_over
        return await self._read()

    def _is_whole(self, said: Answers) -> bool:
        if said.get("F3", "missing") is not None:
            return True
        is_told_of_hub = any(said.get("G2", word) is not None for word in ("name", "tcp", "tls", "http"))
        is_told_of_hub |= said.has("G4") or not self._visit.api_url
        # A server's own version takes it some seconds.
        is_told_of_jupyter = said.get("F4", "failed") is not None or said.has("F5")
        return said.has("F9") and is_told_of_hub and is_told_of_jupyter

    async def _cancelled(self) -> Outcome:
        """G5: Cancel the job, and return whether Slurm carries that out, and the job cleans up."""
        site, named = self._visit.site, {"number": self._job.job_id, "seconds": round(_END_SECONDS)}
        named["program"] = sentences.CANCELS[site.scheduler.kind]
        slow = sentences.SEE_TIME_TO_END[site.scheduler.kind]
        program = schedulers.of(site).cancel(site, self._job.owner, self._job.mark)
        try:
            answer = await self._remote(_END_SECONDS).run(program)
        except LaunchError as error:
            return outcome("G5", State.FAIL, told(error), sentences.TRY_AGAIN)
        if answer.status:
            text = sentences.NOT_CANCELLED.format(**named, said=quoted(answer.stderr))
            return outcome("G5", State.FAIL, text, sentences.SEE_CANCELLING.format(**named))
        end, is_over, left = Deadline.after(_END_SECONDS), False, self._cleaned_up()
        while end.left and not (is_over and not left):
            is_over = is_over or await self._has_ended()
            left = await self._left()
            if not is_over or left:
                await asyncio.sleep(_PAUSE_SECONDS)
        if not is_over:
            return outcome("G5", State.FAIL, sentences.NOT_ENDED.format(**named), slow)
        if left:
            text = sentences.LEFT_BEHIND.format(**named, paths=", ".join(left))
            return outcome("G5", State.WARN, text, slow)
        return outcome("G5", State.OK, sentences.CANCELLED.format(**named))

    async def _has_ended(self) -> bool:
        """Return whether a job that was cancelled is over, or is not listed any more."""
        rows = await queries.list_jobs(self._remote(_END_SECONDS), (self._job.mark,))
        report = observe(self._job, rows) if rows else None
        return rows is not None and (report is None or report.state.is_over)

    def _cleaned_up(self) -> tuple[str, ...]:
        """Return the paths that the job removes at its end: its folder, and its ticket if that was on its node."""
        paths = probe.leftovers(self._visit.site, self._job)
        has_ticket = not any(each.state is State.FAIL and each.check == "F6" for each in self.found)
        return paths if has_ticket else paths[:1]

    async def _left(self) -> tuple[str, ...]:
        """Return which of these are still there."""
        paths = self._cleaned_up()
        look = "\n".join(f"[ ! -e {quote(path)} ] || echo {number}" for number, path in enumerate(paths))
        try:
            answer = await self._remote(_END_SECONDS).run(Shell(f"{look}\n:"))
        except LaunchError:
            return paths
        there = set(answer.stdout.split())
        return tuple(path for number, path in enumerate(paths) if str(number) in there)
