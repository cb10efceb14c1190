"""The use cases: submit a launch, watch its job, cancel it, clean up after it.  No HTTP, no JupyterHub."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from profiles.offer.launch import NotebookLaunch
from slurm_ssh.core import Core
from slurm_ssh.credentials import Credentials
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, LaunchError
from slurm_ssh.job import Job, JobReport, JobState, LaunchId, mark
from slurm_ssh.jobs.ending import Explained
from slurm_ssh.jobs.submission import Tell
from slurm_ssh.jobs.watch import ABSENT_SECONDS
from slurm_ssh.ssh.login import Login
from slurm_ssh.started import StartedWith
from slurm_ssh.tunnels import tunnel
from slurm_ssh.tunnels.route import Route, local_url
from slurm_ssh.tunnels.tunnel import Keeper
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import reachable
from slurm_ssh_spawner.launch.arrival import Arrivals
from slurm_ssh_spawner.launch.cancelling import Cancelling
from slurm_ssh_spawner.launch.endings import Endings, EndNotice
from slurm_ssh_spawner.launch.patience import Patiences
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from slurm_ssh_spawner.launch.reports import Reports
from slurm_ssh_spawner.launch.script import ServerProcess
from slurm_ssh_spawner.launch.submissions import Submissions
from slurm_ssh_spawner.launch.tally import Tally
from slurm_ssh_spawner.launch.unattended import Unattended

REACH_SECONDS = 60.0
"""From the moment when a server is up until it can be reached."""
# For the question whether a launch that nobody waits for is over.
_SETTLE_SECONDS = 60.0
# Longer than anybody waits for an answer about a job.
_LATE_SECONDS = 600.0


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
        self.has_site = core.has_site
        self.hub_name = hub_name
        self._tunnels = tunnels
        self.tally = Tally()
        self.endings = Endings(core, records)
        self.endings.when_ended = self.tally.ended
        self._arrivals = Arrivals(core.watch, core.remote, self._over)
        self.unattended = Unattended(core, records, self.reports, self.endings, tunnels)
        self._submissions = Submissions(core, credentials, records, self.unattended)
        self._cancelling = Cancelling(core, records, self.reports, self._submissions, self.unattended)
        self._patiences = Patiences(records)
        self._over_now: set[LaunchId] = set()
        # An answer of Slurm that comes after a stop must not have a job kept up that is gone.
        self._forgotten: set[LaunchId] = set()
        credentials.subscribe(self._ticket_changed)

    async def close(self) -> None:
        """End everything in order.  Jobs go on; a submission under way is let go, and its job has a mark."""
        await self._submissions.close()
        await self.unattended.close()
        await self.endings.close()
        await self._tunnels.leave()
        await self._core.close()
        self.reports.close()
        await self.records.close()

    def recall_ends(self) -> None:
        """Tell people also of servers that ended before the hub started."""
        self.unattended.do(self.endings.recall())

    def job(self, launch: NotebookLaunch, launch_id: LaunchId) -> Job:
        """Return the handle of a launch that has no job id yet."""
        name = mark("jupyter", self.hub_name, launch_id)
        ways = StartedWith.at(launch.site)
        return Job(launch_id, "", name, launch.user, launch.owner, launch.site_key, ways)

    async def submit(
        self, launch: NotebookLaunch, job: Job, process: ServerProcess, save: Callable[[Job], None], tell: Tell
    ) -> Job:
        """Submit the launch whose handle is `job` and return it with its job id, after `save` was called.

        Goes on when the caller is cancelled: `cancel` waits for it.  Raises the families of `errors`, and submits
        nothing if the launch cannot be recorded.
        """
        self.endings.begun(launch.user, process.server)
        patience = self._patiences.begin(launch, job.launch_id)
        try:
            return await self._submissions.submit(launch, job, process, patience, save, tell)
        except BaseException as error:
            # Nobody waits for its server.
            self._patiences.end(job.launch_id)
            self.tally.not_submitted(launch, error)
            raise

    def can_act(self, user: str, site_key: str) -> bool:
        """Return whether anything can be done at a site as somebody now, so far as that hangs on a ticket."""
        return self._core.can_act(user, site_key)

    def is_submitting(self, job: Job) -> bool:
        """Return whether the submission of a launch has not been answered yet."""
        return self._submissions.under_way(job) is not None

    async def until_ready(self, job: Job, port: ReportedPort, progress: Progress) -> tuple[str, Place]:
        """Return URL and place of the job's server, once the job has reported its port.

        Raises JobEnded, with the stages and the last lines of the job's log, if the job is over before.
        """
        with self._failure_noted(job):
            patience = await self._patiences.of(job)
            try:
                node = await self._arrivals.node(job, port, progress, patience)
            finally:
                self.reports.stages_are(job.launch_id, progress)
            self.tally.arrived(job.site_key, patience.begun, progress.stages)
            progress.tell(sentences.SERVER_UP.format(node=node))
            try:
                return await self.reach(job, Place(node, port.number), Deadline.after(REACH_SECONDS))
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

    async def keep_waiting(self, launch_id: LaunchId, until: datetime) -> None:
        """Give up a launch that waits in the queue at another moment.  Raises DatabaseAway."""
        await self._patiences.move(launch_id, until)

    @contextmanager
    def _failure_noted(self, job: Job) -> Iterator[None]:
        """Keep why a start fails: its job is stopped then, for that reason."""
        try:
            yield
        except LaunchError as error:
            self.records.will_end(job.launch_id, error.message)
            self.tally.failing(job.launch_id, error)
            raise

    async def reach(self, job: Job, place: Place, deadline: Deadline) -> tuple[str, Place]:
        """Return the URL of the job's server, with its tunnel made (again), and its place with that.

        One whose site is not in the catalogue any more is kept if it is open.  Raises what opening a tunnel by the
        `deadline` raises.
        """
        self._core.upkeep.add(job)
        route = Route(job.launch_id, Login.of(job), place.node, place.port, place.local_port)
        try:
            site = self._core.site(job)
        except Broken:
            if port := await self._tunnels.kept(job.launch_id, deadline):
                return local_url(port), replace(place, local_port=port)
            raise
        url, local_port = await tunnel.of(site, self._tunnels).open(route, deadline)
        self.records.reached(job.launch_id, place.node, place.port, local_port)
        return url, replace(place, local_port=local_port)

    def is_over(self, job: Job) -> bool:
        """Return whether the job was seen to be over, without asking anybody."""
        return job.launch_id in self._over_now

    async def report(self, job: Job, deadline: Deadline | None = None) -> JobReport:
        """Return one observation of the job; UNKNOWN if its site cannot be asked, by the `deadline` if given."""
        return self._observed(job, await self._core.watch.report(job, deadline))

    async def glance(self, job: Job, young_seconds: float) -> JobReport:
        """Return an observation of the job made at most so long ago; UNKNOWN if that would take long."""
        return self._observed(job, await self._core.watch.glance(job, young_seconds))

    def _observed(self, job: Job, report: JobReport) -> JobReport:
        if job.launch_id in self._forgotten:
            return report
        if report.state.is_over:
            self._over(job, report)
            self._core.upkeep.forget(job)
        else:
            self._core.upkeep.add(job)
        return report

    async def is_settled(self, job: Job) -> bool:
        """Return whether Slurm says that a job is over that nobody waits for; what it has left is removed then."""
        deadline = Deadline.after(_SETTLE_SECONDS)
        report = await self.report(job, deadline)
        if report.state is JobState.UNKNOWN:
            # That it has no such job it has to say twice.
            await asyncio.sleep(ABSENT_SECONDS)
            report = await self.report(job, deadline)
        if report.state.is_over:
            self._core.watch.forget(job)
            self._forget(job)
            await self.unattended.clean_up(job)
        return report.state.is_over

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of all tunnels that are open."""
        return self._tunnels.list()

    def title(self, job: Job) -> str:
        """Return the title of a job's site."""
        return self._core.title(job.site_key)

    def scheduler(self, job: Job) -> str:
        """Return the name of what runs the jobs of a job's site."""
        return self._core.scheduler(job.site_key)

    def notices(self, user: str) -> tuple[str | EndNotice, ...]:
        """Return what a person should know about their jobs that run or have ended, a sentence each."""
        return (*self._core.upkeep.notices(user), *self.endings.notices(user))

    async def forget_person(self, user: str) -> None:
        """Keep nothing that a later person of that name would find.  Raises DatabaseAway."""
        await self.records.former.forget(user)
        self.endings.forget_person(user)

    def detach(self, job: Job) -> None:
        """Close the tunnel of a job that may go on without a server on this hub."""
        self._let_go(job)
        self.reports.let_go(job.launch_id)

    async def cancel(self, job: Job, reason: str = "") -> None:
        """Cancel a job, whether or not its submission has been answered, and see it end.

        `reason` is why, a word of `records.stops`, "" if that is not known.

        If Slurm cannot be told, or the job is still there after a minute, or the submission goes on for longer,
        the stop is owed: it is carried out when the site answers, or is in the catalogue again, or the owner has a
        ticket again.  Raises Refused, Unavailable or Broken then, saying so.  Goes on when the caller is
        cancelled.
        """
        await asyncio.shield(self.unattended.do(self._cancelling.cancel(job, reason)))

    def release(self, job: Job) -> None:
        """Remove what the launch left at the site, soon and if the site can be reached."""
        self._core.watch.forget(job)
        self._forget(job)
        self.unattended.release(job)

    def _forget(self, job: Job) -> None:
        self._let_go(job)
        self._forgotten.add(job.launch_id)
        asyncio.get_running_loop().call_later(_LATE_SECONDS, self._forgotten.discard, job.launch_id)

    def _let_go(self, job: Job) -> None:
        self._tunnels.close(job.launch_id)
        self._core.upkeep.forget(job)
        self._over_now.discard(job.launch_id)
        self.endings.forget(job)
        self._patiences.end(job.launch_id)

    def _ticket_changed(self, user: str) -> None:
        self._core.ticket_changed(user)
        self.unattended.do(self.unattended.stop_what_is_owed(user, self.hub_name))

    def _over(self, job: Job, report: JobReport) -> "asyncio.Task[Explained]":
        self._over_now.add(job.launch_id)
        return self.endings.seen(job, report)
