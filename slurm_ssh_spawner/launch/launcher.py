"""The use cases: submit a launch, watch its job, cancel it, clean up after it.  No HTTP, no JupyterHub."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from kerberos_auth.errors import AuthFailed
from kernels.fragment import Fragment
from profiles.offer.launch import Launch
from slurm_ssh import delivery
from slurm_ssh.core import Core
from slurm_ssh.credentials import Credentials
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError, Refused, SubmissionLost, Unavailable
from slurm_ssh.job import Job, JobReport, LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import log as job_log
from slurm_ssh.jobs import submission
from slurm_ssh.jobs.submission import Tell
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.started import StartedWith
from slurm_ssh.tunnels import tunnel
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.route import Route
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.arrival import Arrivals
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from slurm_ssh_spawner.launch.script import ServerProcess

# For all exchanges of a submission: folders, ticket, sbatch.
_SUBMIT_SECONDS = 240.0
# From the moment when a server is up until it can be reached.
_REACH_SECONDS = 60.0
# For a stop, the wait for a submission under way included.
_STOP_SECONDS = 150.0
# Of these, what a cancellation needs.
_CANCEL_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Launcher:
    """Owner of launches: their tunnels, their records, and the submissions under way.

    `hub_name` stands in the marks of its jobs, `tunnel_ports` are local ports.
    """

    def __init__(
        self,
        core: Core,
        credentials: Credentials,
        records: LaunchRecords,
        hub_name: str,
        tunnel_ports: Iterable[int],
    ) -> None:
        self.records = records
        self._core = core
        self._credentials = credentials
        self._hub_name = hub_name
        self._tunnels = TunnelKeeper(core.pool, tunnel_ports)
        self._arrivals = Arrivals(core.watch, core.remote, self._over)
        self._submissions: dict[LaunchId, asyncio.Task[Job]] = {}
        self._releases: set[asyncio.Task[None]] = set()
        credentials.subscribe(self._ticket_changed)

    async def close(self) -> None:
        """End everything in order.  Jobs go on; a submission under way is let go, and its job has a mark."""
        under_way = [*self._submissions.values(), *self._releases]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._tunnels.close_all()
        await self._core.close()
        self.records.close()

    def job(self, launch: Launch, launch_id: LaunchId) -> Job:
        """Return the handle of a launch that has no job id yet."""
        name = mark(self._hub_name, launch_id)
        ways = StartedWith.at(launch.site)
        return Job(launch_id, "", name, launch.user, launch.owner, launch.site_key, ways)

    async def submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        """Submit the launch whose handle is `job` and return it with its job id, after `save` was called.

        Goes on when the caller is cancelled: `cancel` waits for it.  Raises the families of `errors`.
        """
        self.records.begin(job.launch_id, launch, script.releases(launch, job.launch_id, job.mark))
        task = asyncio.create_task(self._submit(launch, job, process, save, tell))
        self._submissions[job.launch_id] = task
        task.add_done_callback(lambda done: self._submitted(job, done))
        return await asyncio.shield(task)

    def is_submitting(self, job: Job) -> bool:
        """Return whether the submission of a launch has not been answered yet."""
        return job.launch_id in self._submissions

    async def until_ready(self, job: Job, port: ReportedPort, progress: Progress) -> str:
        """Return the URL of the job's server, once the job has reported its port.

        Raises JobEnded, with the stages and the last lines of the job's log, if the job is over before.
        """
        node = await self._arrivals.node(job, port, progress)
        progress.tell(sentences.SERVER_UP.format(node=node))
        route = Route(job.launch_id, Login.of(job), node, port.number)
        return await self._reach(job, route, Deadline.after(_REACH_SECONDS))

    def job_reports(self, job: Job, progress: Progress) -> None:
        """Keep what the job has reported so far: its stages, and what its owner should know."""
        self.records.note_stages(job.launch_id, [stage.to_json() for stage in progress.stages])
        self._core.upkeep.remark(job, tuple(progress.notices))

    async def reopen(self, job: Job, deadline: Deadline | None = None) -> str:
        """Return the URL of a server that was up before, with its tunnel made again, a minute from now at most.

        Raises Unavailable if it is not known where the server was, and what opening a tunnel by then raises.
        """
        self._core.upkeep.add(job)
        record = self.records.get(job.launch_id)
        if record is None or not record.port:
            raise Unavailable(sentences.PLACE_UNKNOWN, f"no port in the record of {job.mark}")
        there = (record.node, record.port, record.local_port)
        route = Route(job.launch_id, Login.of(job), *there)
        return await self._reach(job, route, deadline or Deadline.after(_REACH_SECONDS))

    async def _reach(self, job: Job, route: Route, deadline: Deadline) -> str:
        url, local_port = await tunnel.of(self._core.site(job), self._tunnels).open(route, deadline)
        self.records.reached(job.launch_id, route.node, route.port, local_port)
        return url

    def is_over(self, job: Job) -> bool:
        """Return whether the job is known to be over, without asking anybody."""
        record = self.records.get(job.launch_id)
        return record is not None and record.ended is not None

    async def report(self, job: Job, deadline: Deadline | None = None) -> JobReport:
        """Return one observation of the job; UNKNOWN if its site cannot be asked, by the `deadline` if given."""
        report = await self._core.watch.report(job, deadline)
        if report.state.is_over:
            self._over(job, report)
            self._core.upkeep.forget(job)
        else:
            self._core.upkeep.add(job)
        return report

    def notices(self, user: str) -> tuple[str, ...]:
        """Return what a person should know about their running jobs, a sentence each."""
        return self._core.upkeep.notices(user)

    def detach(self, job: Job) -> None:
        """Close the tunnel of a job that may go on without this hub."""
        self._tunnels.close(job.launch_id)
        self._core.upkeep.forget(job)

    async def cancel(self, job: Job) -> None:
        """Cancel a job, whether or not its submission has been answered, and see it end.

        If Slurm cannot be told, or the job is still there after a minute, or the submission goes on for longer,
        the stop is owed: it is carried out when the site answers, or its owner has a ticket again.  Raises Refused
        or Unavailable then, saying so.
        """
        deadline = Deadline.after(_STOP_SECONDS)
        under_way = self._submissions.get(job.launch_id)
        if under_way:
            await asyncio.wait((under_way,), timeout=deadline.left - _CANCEL_SECONDS)
        self.records.want_stop(job.launch_id)
        if under_way and not under_way.done():
            # What is told Slurm now would come before the job.
            under_way.add_done_callback(lambda _: self._core.upkeep.owe_stop(job))
            problem = sentences.STILL_SUBMITTING.format(site=self._core.site(job).title)
            raise Unavailable(sentences.STOP_IS_OWED.format(problem=problem))
        try:
            await self._core.stop(job, deadline)
        except Refused as error:
            self._core.upkeep.owe_stop(job)
            owed = sentences.STOP_NEEDS_TICKET.format(problem=error.message)
            raise Refused(owed, error.detail, quoted=error.quoted) from error
        except Unavailable as error:
            self._core.upkeep.owe_stop(job)
            raise Unavailable(sentences.STOP_IS_OWED.format(problem=error.message), error.detail) from error

    def release(self, job: Job) -> None:
        """Remove what the launch left at the site, soon and if the site can be reached."""
        self._core.watch.forget(job)
        self._tunnels.close(job.launch_id)
        self._core.upkeep.forget(job)
        task = asyncio.create_task(self._release(job))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _release(self, job: Job) -> None:
        # A delivery that ends later would leave a ticket that nobody removes.
        await self._core.upkeep.settled(job)
        try:
            remote = self._core.remote(job)
        except LaunchError as error:
            _log.warning("%s: nothing that it left can be removed: %s", job.mark, error)
            return
        # A hook's job may have been killed before it ended what it had started.
        for command in self.records.releases(job.launch_id):
            await self._try(job, "what its hooks started", remote.run(command))
        ticket = delivery.of(remote.site).release(remote.run, job.owner, job.launch_id)
        await self._try(job, "its ticket", ticket)
        folder = remote.run(job_log.remove_folder(remote.site, job.owner, job.launch_id))
        await self._try(job, "its folder", folder)

    @staticmethod
    async def _try(job: Job, what: str, step: Awaitable[object]) -> None:
        try:
            await step
        except LaunchError as error:
            _log.warning("%s: %s at %s may be left over: %s", job.mark, what, job.site_key, error)

    async def _submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
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
            self.records.want_stop(job.launch_id)
            self._core.upkeep.owe_stop(job)
            raise
        self.records.note_script(job.launch_id, text)
        job = replace(job, job_id=job_id)
        self.records.submitted(job.launch_id, job_id)
        save(job)
        self._core.upkeep.begin(job, ticket_ends)
        _log.info("%s is job %s at %s for %s", job.mark, job_id, job.site_key, job.user)
        tell(sentences.ACCEPTED.format(site=launch.site.title, job_id=job_id))
        return job

    def _ticket_changed(self, user: str) -> None:
        owed = self.records.to_stop(user)
        self._core.ticket_changed(user, [self._job_of(record) for record in owed])

    def _job_of(self, record: LaunchRecord) -> Job:
        name, ways = mark(self._hub_name, record.launch_id), record.started_with
        return Job(record.launch_id, record.job_id, name, record.user, record.owner, record.site_key, ways)

    def _submitted(self, job: Job, task: "asyncio.Task[Job]") -> None:
        del self._submissions[job.launch_id]
        if not task.cancelled() and (error := task.exception()):
            self.records.end(job.launch_id, f"not submitted: {error}")
            _log.warning("%s was not submitted for %s: %s", job.mark, job.user, error)

    def _over(self, job: Job, report: JobReport) -> None:
        self.records.end(job.launch_id, report.word or "gone from Slurm")
