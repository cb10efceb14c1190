"""The use cases: submit a launch, watch its job, cancel it, clean up after it.  No HTTP, no JupyterHub."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kerberos_auth.errors import AuthFailed
from kerberos_auth.store import TicketStore
from kernels.fragment import Fragment
from kernels.spark import hook as spark
from profiles.catalogue.site import Site
from profiles.offer.launch import Launch
from slurm_ssh import delivery
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.facts.availability import Availability
from slurm_ssh.job import Job, JobReport, LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import log as job_log
from slurm_ssh.jobs import submission
from slurm_ssh.jobs.submission import Tell
from slurm_ssh.jobs.upkeep import Upkeep
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm.identity import Askers
from slurm_ssh.slurm.queries import list_jobs
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import COMMAND_SECONDS, Remote
from slurm_ssh.tunnels import tunnel
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.route import Route
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.arrival import Arrivals
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.script import ServerProcess

_END_LOOK_SECONDS = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a launcher is told: the hub's name in marks, idle seconds of a connection, local ports, a database."""

    hub_name: str
    connection_idle_seconds: float
    tunnel_ports: range
    records_url: str


class Launcher:
    """Owner of connections, tunnels, watch, records, and the submissions under way; one per hub."""

    def __init__(self, settings: Settings, sites: Mapping[str, Site], tickets: TicketStore) -> None:
        self._hub_name = settings.hub_name
        self._sites = sites
        self._tickets = tickets
        self._pool = ConnectionPool(tickets.get, settings.connection_idle_seconds)
        self._tunnels = TunnelKeeper(self._pool, settings.tunnel_ports)
        self._watch = JobWatch(self._ask)
        self._arrivals = Arrivals(self._watch, self._remote, self._over)
        self.records = LaunchRecords(settings.records_url)
        self._askers = Askers(sites, self._pool, tickets, settings.connection_idle_seconds)
        self.availability = Availability(sites, self._askers.projects, self._askers.snapshot)
        self._upkeep = Upkeep(tickets, self._remote, self._cancel)
        tickets.subscribe(self._ticket_changed)
        self._submissions: dict[LaunchId, asyncio.Task[Job]] = {}
        self._releases: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Close tunnels and connections.  Submissions under way are let go; their jobs have marks."""
        for route in self._tunnels.list():
            self._tunnels.close(route.launch_id)
        await self._askers.close()
        await self._pool.close()

    def job(self, launch: Launch, launch_id: LaunchId) -> Job:
        """Return the handle of a launch that has no job id yet."""
        name = mark(self._hub_name, launch_id)
        return Job(launch_id, "", name, launch.user, launch.owner, launch.site_key)

    async def submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        """Submit the launch whose handle is `job` and return it with its job id, after `save` was called.

        Goes on when the caller is cancelled: `cancel` waits for it.  Raises the families of `errors`.
        """
        self.records.begin(job.launch_id, launch)
        task = asyncio.create_task(self._submit(launch, job, process, save, tell))
        self._submissions[job.launch_id] = task
        task.add_done_callback(lambda done: self._submitted(job, done))
        return await asyncio.shield(task)

    def is_submitting(self, job: Job) -> bool:
        """Return whether the submission of a launch has not been answered yet."""
        return job.launch_id in self._submissions

    async def until_ready(self, job: Job, port: "asyncio.Future[int]", progress: Progress) -> str:
        """Return the URL of the job's server, once the job has reported its port (which sets `port`).

        Raises JobEnded, with the stages and the last lines of the job's log, if the job is over before.
        """
        node = await self._arrivals.node(job, port, progress)
        progress.tell(f"The server is up on {node}.")
        return await self._reach(job, Route(job.launch_id, self._login(job), node, port.result()))

    def job_reports(self, job: Job, progress: Progress) -> None:
        """Keep what the job has reported so far: its stages, and what its owner should know."""
        self.records.note_stages(job.launch_id, [stage.to_json() for stage in progress.stages])
        self._upkeep.remark(job, tuple(progress.notices))

    async def reopen(self, job: Job) -> str:
        """Return the URL of a server that was up before, with its tunnel made again.

        Raises Unavailable if it is not known where the server was, and what opening a tunnel raises.
        """
        record = self.records.get(job.launch_id)
        if record is None or not record.port:
            raise Unavailable("It is not known where this server runs.", f"no port in the record of {job.mark}")
        there = (record.node, record.port, record.local_port)
        return await self._reach(job, Route(job.launch_id, self._login(job), *there))

    async def _reach(self, job: Job, route: Route) -> str:
        url, local_port = await tunnel.of(self._site(job), self._tunnels).open(route)
        self.records.reached(job.launch_id, route.node, route.port, local_port)
        return url

    def is_over(self, job: Job) -> bool:
        """Return whether the job is known to be over, without asking anybody."""
        record = self.records.get(job.launch_id)
        return record is not None and record.ended is not None

    async def report(self, job: Job) -> JobReport:
        """Return one observation of the job; UNKNOWN if its site cannot be asked."""
        report = await self._watch.report(job)
        if report.state.is_over:
            self._over(job, report)
            self._upkeep.drop(job)
        else:
            self._upkeep.add(job)
        return report

    def notices(self, user: str) -> tuple[str, ...]:
        """Return what a person should know about her running jobs, a sentence each."""
        return self._upkeep.notices(user)

    def let_go(self, job: Job) -> None:
        """Close the tunnel of a job that may go on without this hub."""
        self._tunnels.close(job.launch_id)
        self._upkeep.drop(job)

    async def cancel(self, job: Job) -> None:
        """Cancel a job, whether or not its submission has been answered, and see it end.

        If Slurm cannot be told, or the job is still there after a minute, the stop is owed: it is carried out when
        the site answers, or its owner has a ticket again.  Raises Refused or Unavailable then, saying so.
        """
        if under_way := self._submissions.get(job.launch_id):
            await asyncio.wait((under_way,))
        self.records.want_stop(job.launch_id)
        try:
            await self._cancel(job)
        except Refused as error:
            self._upkeep.owe_stop(job)
            raise Refused(f"{error.message} Your server will then be stopped.", error.detail) from error
        except Unavailable as error:
            self._upkeep.owe_stop(job)
            raise Unavailable(f"{error.message} It will be stopped as soon as that is possible.") from error

    async def _cancel(self, job: Job) -> None:
        """Cancel a job and see it end."""
        site = self._site(job)
        answer = await self._remote(job).run(slurm_jobs.cancel(site, job.owner, job.mark))
        if answer.status:
            raise Unavailable(f"{site.title} could not be told to stop the job.", answer.stderr.strip())
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                # Slurm tells nobody when a job ends; asking is the only way.
                while await self._is_listed(job):  # noqa: ASYNC110
                    await asyncio.sleep(_END_LOOK_SECONDS)
        except TimeoutError as error:
            raise Unavailable(f"The job at {site.title} has been told to stop but has not ended yet.") from error
        self.records.end(job.launch_id, "stopped")
        self._upkeep.drop(job)

    def release(self, job: Job) -> None:
        """Remove what the launch left at the site, soon and if the site can be reached."""
        self._watch.forget(job)
        self._tunnels.close(job.launch_id)
        self._upkeep.drop(job)
        task = asyncio.create_task(self._release(job))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _release(self, job: Job) -> None:
        try:
            # A delivery that ends later would leave a ticket that nobody removes.
            await self._upkeep.settled(job)
            place = delivery.of(self._site(job))
            await place.release(self._remote(job).run, job.owner, job.launch_id)
            # A job that was killed has not ended its cluster, and one that waits in the queue cannot end itself.
            cluster = spark.cluster_name(job.launch_id)
            await self._remote(job).run(slurm_jobs.cancel(self._site(job), job.owner, cluster))
            await self._remote(job).run(job_log.remove_folder(self._site(job), job.owner, job.launch_id))
        except LaunchError as error:
            _log.warning("%s: its ticket at %s may be left over: %s", job.mark, job.site_key, error)

    async def _submit(
        self, launch: Launch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        tell(f"Connecting to {launch.site.title} as {launch.owner}.")
        try:
            ticket = self._tickets.read(launch.user)
        except AuthFailed as error:
            raise Refused(error.message) from error

        def build(fragment: Fragment) -> JobRequest:
            return script.build(launch, job.launch_id, job.mark, process, (fragment,))

        remote = Remote(self._pool, self._login(job), launch.site)
        text, job_id = await submission.submit(remote, job, build, ticket, tell)
        self.records.note_script(job.launch_id, text)
        job = Job(job.launch_id, job_id, job.mark, job.user, job.owner, job.site_key)
        self.records.submitted(job.launch_id, job_id)
        save(job)
        self._upkeep.add(job)
        _log.info("%s is job %s at %s for %s", job.mark, job_id, job.site_key, job.user)
        tell(f"{launch.site.title} has accepted job {job_id}.")
        return job

    def _ticket_changed(self, user: str) -> None:
        self._pool.renew(user)
        owed = self.records.to_stop(user)
        self._upkeep.ticket_changed(user, [self._job_of(record) for record in owed])

    def _job_of(self, record: LaunchRecord) -> Job:
        name = mark(self._hub_name, record.launch_id)
        return Job(record.launch_id, record.job_id, name, record.user, record.owner, record.site_key)

    def _submitted(self, job: Job, task: "asyncio.Task[Job]") -> None:
        del self._submissions[job.launch_id]
        if not task.cancelled() and (error := task.exception()):
            self.records.end(job.launch_id, f"not submitted: {error}")
            _log.warning("%s was not submitted for %s: %s", job.mark, job.user, error)

    def _over(self, job: Job, report: JobReport) -> None:
        self.records.end(job.launch_id, report.word or "gone from Slurm")

    async def _is_listed(self, job: Job) -> bool:
        rows = await self._ask(job, frozenset({job.mark}))
        return rows is None or any(
            row.mark == job.mark and row.owner == job.owner and not row.report.state.is_over for row in rows
        )

    async def _ask(self, job: Job, marks: frozenset[str]) -> tuple[slurm_jobs.Row, ...] | None:
        try:
            remote = self._remote(job)
        except Broken as error:
            _log.warning("%s: %s", job.mark, error)
            return None
        return await list_jobs(remote, marks)

    def _site(self, job: Job) -> Site:
        try:
            return self._sites[job.site_key]
        except KeyError:
            raise Broken(f"The site {job.site_key} is no longer in the catalogue.") from None

    def _remote(self, job: Job) -> Remote:
        return Remote(self._pool, self._login(job), self._site(job))

    @staticmethod
    def _login(job: Job) -> Login:
        return Login(job.user, job.owner, job.site_key)
