"""The use cases: submit a launch, watch its job, cancel it, clean up after it.  No HTTP, no JupyterHub."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kerberos_auth.errors import AuthFailed
from kernels.fragment import Fragment
from profiles.offer.launch import Launch
from slurm_ssh.core import Core
from slurm_ssh.credentials import Credentials
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import JobEnded, LaunchError, Refused, SubmissionLost, Unavailable
from slurm_ssh.job import Job, JobReport, LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import submission
from slurm_ssh.jobs.ending import Explained
from slurm_ssh.jobs.submission import Tell
from slurm_ssh.jobs.watch import ABSENT_SECONDS
from slurm_ssh.slurm.jobs import Row
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.started import StartedWith
from slurm_ssh.tunnels import tunnel
from slurm_ssh.tunnels.route import Route
from slurm_ssh.tunnels.tunnel import Keeper
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import reachable, script
from slurm_ssh_spawner.launch.arrival import Arrivals
from slurm_ssh_spawner.launch.endings import NOT_SUBMITTED, Endings, EndNotice
from slurm_ssh_spawner.launch.leftovers import Leftovers
from slurm_ssh_spawner.launch.patience import Patience
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecords
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from slurm_ssh_spawner.launch.reports import Live, Reports, token_hash
from slurm_ssh_spawner.launch.script import ServerProcess

_DAY_SECONDS = 24 * 3600

# For all exchanges of a submission: folders, ticket, sbatch.
_SUBMIT_SECONDS = 240.0
# From the moment when a server is up until it can be reached.
_REACH_SECONDS = 60.0
# Between looks at a job that runs but has not reported to this hub yet.
_LOOK_SECONDS = 10.0
# For a stop, the wait for a submission under way included.
_STOP_SECONDS = 150.0
# Longer than anybody waits for an answer about a job.
_LATE_SECONDS = 600.0
# Of the time for a stop, what a cancellation needs.
_CANCEL_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Launcher:
    """Owner of launches: their tunnels, their records, and the submissions under way.

    `hub_name` stands in the marks of its jobs, `tunnels` keeps their tunnels.
    """

    def __init__(
        self,
        core: Core,
        credentials: Credentials,
        records: LaunchRecords,
        hub_name: str,
        tunnels: Keeper,
    ) -> None:
        self.records = records
        self.reports = Reports(records, core.upkeep, hub_name)
        self._core = core
        self._credentials = credentials
        self.hub_name = hub_name
        self._tunnels = tunnels
        self.endings = Endings(core, records)
        self._arrivals = Arrivals(core.watch, core.remote, self._over)
        self._patience: dict[LaunchId, Patience] = {}
        self._submissions: dict[LaunchId, asyncio.Task[Job]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._over_now: set[LaunchId] = set()
        # An answer of Slurm that comes after a stop must not have a job kept up that is gone.
        self._forgotten: set[LaunchId] = set()
        self._leftovers = Leftovers(core, records)
        credentials.subscribe(self._ticket_changed)

    async def close(self) -> None:
        """End everything in order.  Jobs go on; a submission under way is let go, and its job has a mark."""
        under_way = [*self._submissions.values(), *self._background]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self.endings.close()
        await self._tunnels.leave()
        await self._core.close()
        self.reports.close()
        await self.records.close()

    def keep_records_for(self, time: timedelta) -> None:
        """Remove scripts and stages of launches that ended longer ago, now and once a day."""
        self._do(self._forget_old(time))

    def recall_ends(self) -> None:
        """Tell people also of servers that ended before the hub started."""
        self._do(self.endings.recall())

    async def _forget_old(self, time: timedelta) -> None:
        while True:
            try:
                await self.records.forget_before(datetime.now(UTC) - time)
            except LaunchError as error:
                _log.warning("records of old launches stay until tomorrow: %s", error)
            await asyncio.sleep(_DAY_SECONDS)

    def job(self, launch: Launch, launch_id: LaunchId) -> Job:
        """Return the handle of a launch that has no job id yet."""
        name = mark(self.hub_name, launch_id)
        ways = StartedWith.at(launch.site)
        return Job(launch_id, "", name, launch.user, launch.owner, launch.site_key, ways)

    async def submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        """Submit the launch whose handle is `job` and return it with its job id, after `save` was called.

        Goes on when the caller is cancelled: `cancel` waits for it.  Raises the families of `errors`, and submits
        nothing if the launch cannot be recorded.
        """
        task = asyncio.create_task(self._submit(launch, job, process, save, tell))
        self._submissions[job.launch_id] = task
        task.add_done_callback(lambda done: self._submitted(job, done))
        return await asyncio.shield(task)

    def is_submitting(self, job: Job) -> bool:
        """Return whether the submission of a launch has not been answered yet."""
        return job.launch_id in self._submissions

    async def until_ready(self, job: Job, port: ReportedPort, progress: Progress) -> tuple[str, Place]:
        """Return URL and place of the job's server, once the job has reported its port.

        Raises JobEnded, with the stages and the last lines of the job's log, if the job is over before.
        """
        with self._failure_noted(job):
            try:
                node = await self._arrivals.node(job, port, progress, await self._patience_with(job))
            finally:
                self.reports.stages_are(job.launch_id, progress)
            progress.tell(sentences.SERVER_UP.format(node=node))
            try:
                return await self.reach(job, Place(node, port.number), Deadline.after(_REACH_SECONDS))
            except LaunchError as error:
                if self._core.site(job).tunnel.kind != "ssh":
                    reachable.tell_admins(job, str(error))
                raise

    async def until_open(self, job: Job, url: str, place: Place) -> None:
        """Return once the server can be reached at `url`.  Raises Broken if it cannot.

        What leads through a tunnel is asked there.
        """
        with self._failure_noted(job):
            if not place.local_port:
                await reachable.check(job, place.node, url)

    async def until_back(self, live: Live, place: Place | None) -> tuple[str, Place]:
        """Do what `until_ready` does for a launch of an earlier hub, which may have known where its server is."""
        if place is None:
            return await self.until_ready(live.job, live.port, live.progress)
        live.progress.tell(sentences.SERVER_UP.format(node=place.node))
        with self._failure_noted(live.job):
            return await self.reach(live.job, place, Deadline.after(_REACH_SECONDS))

    async def presented(self, live: Live) -> str:
        """Return the token that a job presents when it reports.  Raises JobEnded if the job ends before."""
        if not live.token:
            live.progress.tell(sentences.TOKEN_AWAITED)
        heard = asyncio.ensure_future(live.presented())
        try:
            while not heard.done():
                await asyncio.wait((heard,), timeout=_LOOK_SECONDS)
                if not heard.done() and (report := await self.report(live.job)).state.is_over:
                    site = self._core.site(live.job).title
                    raise JobEnded(sentences.JOB_ENDED.format(site=site, state=report.word or "-"))
        finally:
            heard.cancel()
        return heard.result()

    async def _patience_with(self, job: Job) -> Patience:
        if patience := self._patience.pop(job.launch_id, None):
            return patience
        try:
            return Patience.taken_up(await self.records.get(job.launch_id))
        except DatabaseAway as error:
            _log.warning("%s: how long it may wait in the queue is not known: %s", job.mark, error)
            return Patience.taken_up(None)

    @contextmanager
    def _failure_noted(self, job: Job) -> Iterator[None]:
        """Keep why a start fails: its job is stopped then, for that reason."""
        try:
            yield
        except LaunchError as error:
            self.records.will_end(job.launch_id, error.message)
            raise

    async def reach(self, job: Job, place: Place, deadline: Deadline) -> tuple[str, Place]:
        """Return the URL of the job's server, with its tunnel made (again), and its place with that.

        Raises what opening a tunnel by the `deadline` raises.
        """
        self._core.upkeep.add(job)
        route = Route(job.launch_id, Login.of(job), place.node, place.port, place.local_port)
        url, local_port = await tunnel.of(self._core.site(job), self._tunnels).open(route, deadline)
        self.records.reached(job.launch_id, place.node, place.port, local_port)
        return url, replace(place, local_port=local_port)

    def is_over(self, job: Job) -> bool:
        """Return whether the job was seen to be over, without asking anybody."""
        return job.launch_id in self._over_now

    async def report(self, job: Job, deadline: Deadline | None = None) -> JobReport:
        """Return one observation of the job; UNKNOWN if its site cannot be asked, by the `deadline` if given."""
        report = await self._core.watch.report(job, deadline)
        if job.launch_id in self._forgotten:
            return report
        if report.state.is_over:
            self._over(job, report)
            self._core.upkeep.forget(job)
        else:
            self._core.upkeep.add(job)
        return report

    def notices(self, user: str) -> tuple[str | EndNotice, ...]:
        """Return what a person should know about their jobs that run or have ended, a sentence each."""
        return (*self._core.upkeep.notices(user), *self.endings.notices(user))

    def detach(self, job: Job) -> None:
        """Close the tunnel of a job that may go on without a server on this hub."""
        self._forget(job)
        self.reports.let_go(job.launch_id)

    async def cancel(self, job: Job, reason: str = "") -> None:
        """Cancel a job, whether or not its submission has been answered, and see it end.

        `reason` is the sentence that its owner is told, "" if they have asked for it.

        If Slurm cannot be told, or the job is still there after a minute, or the submission goes on for longer,
        the stop is owed: it is carried out when the site answers, or its owner has a ticket again.  Raises Refused
        or Unavailable then, saying so.  Goes on when the caller is cancelled.
        """
        await asyncio.shield(self._do(self._cancel(job, reason)))

    async def _cancel(self, job: Job, reason: str) -> None:
        deadline = Deadline.after(_STOP_SECONDS)
        under_way = self._submissions.get(job.launch_id)
        if under_way:
            await asyncio.wait((under_way,), timeout=deadline.left - _CANCEL_SECONDS)
        if reason:
            self.records.will_end(job.launch_id, reason)
        await self.records.want_stop(job.launch_id)
        self.reports.end(job.launch_id)
        if under_way and not under_way.done():
            # What is told Slurm now would come before the job.
            under_way.add_done_callback(lambda _: self.owe_stop(job))
            problem = sentences.STILL_SUBMITTING.format(site=self._core.site(job).title)
            raise Unavailable(sentences.STOP_IS_OWED.format(problem=problem))
        try:
            await self._core.stop(job, deadline)
        except Refused as error:
            self.owe_stop(job)
            owed = sentences.STOP_NEEDS_TICKET.format(problem=error.message)
            raise Refused(owed, error.detail, quoted=error.quoted) from error
        except Unavailable as error:
            self.owe_stop(job)
            raise Unavailable(sentences.STOP_IS_OWED.format(problem=error.message), error.detail) from error

    def release(self, job: Job) -> None:
        """Remove what the launch left at the site, soon and if the site can be reached."""
        self._core.watch.forget(job)
        self._forget(job)
        self.reports.end(job.launch_id)
        # What a job needs that still has to be stopped is removed after that.
        if not self._core.upkeep.owes_stop(job):
            self._do(self.clean_up(job))

    def abandon(self, job: Job) -> None:
        """Hear no more of a launch of which there is no job, as far as is known."""
        self.reports.end(job.launch_id)
        self._do(self._forgotten_soon(job))

    async def _forgotten_soon(self, job: Job) -> None:
        # Until its record says that it is over, its job's reports have to be told so by us.
        await self.records.settled()
        self.reports.forget(job.launch_id)

    async def clean_up(self, job: Job) -> None:
        """Remove what a launch that is over has left at its site, as far as that can be done now."""
        await self._leftovers.remove(job)
        await self._forgotten_soon(job)

    # -- launches that nobody waits for, see reconciliation ----------------------------------------------------

    def owe_stop(self, job: Job) -> None:
        """Stop a job as soon as that can be done, and remove what it has left."""
        self._core.upkeep.owe_stop(job, lambda stopped: self._do(self.clean_up(stopped)))

    async def give_up(self, job: Job) -> None:
        """Have a launch stopped that nobody wants any more."""
        await self.records.want_stop(job.launch_id)
        self.owe_stop(job)

    async def found(self, job: Job) -> Job | None:
        """Return the handle with Slurm's number, also if its submission was never answered.

        None, and the launch is over, if Slurm says twice that it has no job with the mark.  Raises Unavailable if
        it cannot be asked.
        """
        for pause in () if job.job_id else (0, ABSENT_SECONDS):
            await asyncio.sleep(pause)
            rows = await self._core.list(job, frozenset({job.mark}))
            if rows is None:
                raise Unavailable(sentences.NOT_FOUND_YET.format(site=self._core.site(job).title))
            for row in rows:
                if (row.mark, row.owner) == (job.mark, job.owner):
                    self.records.submitted(job.launch_id, row.job_id)
                    return replace(job, job_id=row.job_id)
        if job.job_id:
            return job
        self.endings.over(job, sentences.NEVER_SUBMITTED)
        await self.clean_up(job)
        return None

    async def marked(self, job: Job, beginning: str) -> tuple[Row, ...] | None:
        """Return the rows of all jobs that go on of a job's owner at its site and whose mark begins so."""
        return await self._core.marked(job, beginning)

    def _forget(self, job: Job) -> None:
        self._tunnels.close(job.launch_id)
        self._core.upkeep.forget(job)
        self._over_now.discard(job.launch_id)
        self.endings.forget(job)
        self._patience.pop(job.launch_id, None)
        self._forgotten.add(job.launch_id)
        asyncio.get_running_loop().call_later(_LATE_SECONDS, self._forgotten.discard, job.launch_id)

    def _do(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        # Whoever waited for it, and was cancelled, does not look any more.
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, LaunchError):
            _log.error("a piece of work failed", exc_info=error)

    async def _submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        releases = script.releases(launch, job.launch_id, job.mark)
        self.endings.begun(launch.user, process.server)
        if launch.site.hub_url is None:
            self._arrivals.hub_url = process.report_url.partition("/hub/")[0]
        patience = self._patience[job.launch_id] = Patience.of(launch)
        told = {"server": process.server, "mark": job.mark, "token_hash": token_hash(process.token)}
        await self.records.begin(job.launch_id, launch, releases, wait_until=patience.until, **told)
        tell(sentences.CONNECTING.format(site=launch.site.title, owner=launch.owner))
        try:
            ticket = self._credentials.read(launch.user)
            ticket_ends = self._credentials.get(launch.user).end
        except AuthFailed as error:
            raise Refused(error.message) from error

        def build(fragment: Fragment) -> JobRequest:
            return script.build(launch, job.launch_id, job.mark, process, (fragment,))

        remote = Remote(self._core.pool, Login.of(job), launch.site, Deadline.after(_SUBMIT_SECONDS))
        try:
            text, job_id = await submission.submit(remote, job, build, ticket, tell)
        except SubmissionLost:
            await self.give_up(job)
            raise
        job = replace(job, job_id=job_id)
        # Before anything else: from now on there is a job that somebody has to stop.
        save(job)
        self.records.submitted(job.launch_id, job_id)
        self.records.note_script(job.launch_id, text)
        self._core.upkeep.begin(job, ticket_ends)
        _log.info("%s is job %s at %s for %s", job.mark, job_id, job.site_key, job.user)
        tell(sentences.ACCEPTED.format(site=launch.site.title, job_id=job_id))
        return job

    def _ticket_changed(self, user: str) -> None:
        self._core.ticket_changed(user)
        self._do(self._stop_what_is_owed(user))

    async def _stop_what_is_owed(self, user: str) -> None:
        try:
            owed = await self.records.to_stop(user)
        except LaunchError as error:
            _log.error("what %s wanted to stop is not known: %s", user, error)
            return
        for record in owed:
            self.owe_stop(record.job(self.hub_name))

    def _submitted(self, job: Job, task: "asyncio.Task[Job]") -> None:
        del self._submissions[job.launch_id]
        if not task.cancelled() and (error := task.exception()):
            # Of a lost one there may be a job; its record stays open until that has been stopped.
            if not isinstance(error, SubmissionLost):
                self.records.end(job.launch_id, f"{NOT_SUBMITTED}: {error}")
            _log.warning("%s was not submitted for %s: %s", job.mark, job.user, error)

    def _over(self, job: Job, report: JobReport) -> "asyncio.Task[Explained]":
        self._over_now.add(job.launch_id)
        return self.endings.seen(job, report)
