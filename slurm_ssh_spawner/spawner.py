"""SlurmSSHSpawner: what JupyterHub and batchspawner ask, passed on to the core.  An adapter, nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

import sqlalchemy
from batchspawner import BatchSpawnerBase, JobStatus
from jupyterhub import orm
from traitlets import Float, TraitError, Unicode, default, validate

from profiles.catalogue.site import Site
from profiles.offer import launch
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, LaunchError, Refused
from slurm_ssh.job import Job, JobState, LaunchId, new_launch_id
from slurm_ssh.tunnels.tunnel import parse_ports
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import composition, routes
from slurm_ssh_spawner.hub.failures import LaunchFailed, as_launch_failure
from slurm_ssh_spawner.hub.shared import SETTING, Hub, StartRequest
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from slurm_ssh_spawner.launch.script import ServerProcess

_AFTER_THE_QUEUE_SECONDS = 120
_GATE_LOOK_SECONDS = 0.05
_POLL_SECONDS = 60.0

routes.install()


class SlurmSSHSpawner(BatchSpawnerBase):  # type: ignore[misc]
    """Starts a notebook as a batch job at one of several Slurm sites, over SSH, as the person."""

    catalogue_file = Unicode(
        "/etc/jupyterhub/catalogue.yaml",
        help="Path of the YAML catalogue: which sites there are and what may be started there.",
    ).tag(config=True)

    hub_name = Unicode(
        "hub",
        help="Name of this hub in the names of its jobs, `jupyter-<hub_name>-...`: at most 32 lower case letters, "
        "digits, _ and -. Two hubs that submit to one cluster need different names, or they find each other's "
        "jobs.",
    ).tag(config=True)

    tunnel_ports = Unicode(
        "20000-24999",
        help="Local ports of tunnels to sites with `tunnel: {kind: ssh}`, one for each server. They must not "
        "overlap the machine's ports for outgoing connections (net.ipv4.ip_local_port_range), or another program "
        "may have taken one when a tunnel is made again.",
    ).tag(config=True)

    connection_idle_seconds = Float(
        300,
        min=10,
        help="Seconds after which an unused SSH connection is closed. A new one costs some hundredths "
        "of a second; an open one holds a delegated ticket on the front end. At least 10.",
    ).tag(config=True)

    records_url = Unicode(
        "sqlite:////var/lib/jupyterhub/launches.sqlite",
        help="SQLAlchemy URL of the launch records: what was chosen, where it ran, why it ended. They outlive a "
        "restart, after which tunnels are made again from them.",
    ).tag(config=True)

    @validate("tunnel_ports")
    def _usable_ports(self, proposal: Any) -> str:
        try:
            parse_ports(proposal["value"])
        except ValueError as error:
            raise TraitError(sentences.PORTS_UNUSABLE.format(problem=error)) from error
        return str(proposal["value"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._job: Job | None = None
        self._launch: launch.Launch | None = None
        self._port: ReportedPort | None = None
        self.token_id: int | None = None
        self._progress: Progress | None = None
        self._restored = False
        self._url = ""

    @property
    def launch_id(self) -> LaunchId | None:
        """The launch that a job may report about, or None."""
        return self._job.launch_id if self._job else None

    @classmethod
    def hub_starts(cls, app: Any) -> None:
        """Make what all spawners of a JupyterHub application share.

        Raises SystemExit with a sentence if that cannot be done: a hub that started all the same would take every
        server that runs for dead.
        """
        try:
            configured = cls(parent=app)
        except TraitError as error:
            raise SystemExit(sentences.CANNOT_START.format(problem=error)) from error
        settings = composition.Settings(
            configured.catalogue_file,
            configured.hub_name,
            configured.connection_idle_seconds,
            parse_ports(configured.tunnel_ports),
            configured.records_url,
        )
        app.tornado_settings[SETTING] = composition.compose(settings, app.authenticator, app.log)

    @property
    def _hub(self) -> Hub:
        """What all spawners of this hub share."""
        return cast(Hub, self.user.settings[SETTING])

    # -- what may be asked ------------------------------------------------------------------------------

    @default("options_form")
    def _default_options_form(self) -> Callable[[Any], Awaitable[str]]:
        script_url = f"{self.hub.base_url}launch-pages/options_form.js"
        return lambda _spawner: self._hub.render_form(self._request(), script_url)

    @default("options_from_form")
    def _default_options_from_form(self) -> Callable[[Mapping[str, Any]], dict[str, str]]:
        def choices(sent: Mapping[str, Any]) -> dict[str, str]:
            with as_launch_failure():
                return self._hub.read_form(self._request(), sent)

        return choices

    def options_from_query(self, _query_data: Any) -> dict[str, str]:
        """Refuse: JupyterHub starts a server at once for a link with any query."""
        raise LaunchFailed(Refused(sentences.START_BY_LINK))

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Callable[[Any, Mapping[str, Any]], Awaitable[None]]:
        async def resolve(_spawner: Any, options: Mapping[str, Any]) -> None:
            with as_launch_failure():
                hub, request = self._hub, self._request()
                try:
                    self._launch = await hub.accept(request, options)
                finally:
                    # JupyterHub has stored the options as "last" already, also those that are refused.
                    self._keep_options(hub.last_accepted(request))
            # Each kernel may wait for another launch that makes it, and then be made.
            kernel_minutes = 2 * sum(kernel.time_max for kernel in self._launch.kernels)
            minutes = self._launch.queue_wait_minutes + kernel_minutes
            self.start_timeout = minutes * 60 + _AFTER_THE_QUEUE_SECONDS

        return resolve

    def _request(self) -> StartRequest:
        """Return what the gate needs to know of this server."""
        others = [other for other in self.user.spawners.values() if other is not self and other.active]
        launches = [other.launch_id for other in others if isinstance(other, SlurmSSHSpawner) and other.launch_id]
        groups = frozenset(group.name for group in self.user.groups)
        return StartRequest(self.user.name, self.name, groups, tuple(launches))

    def _keep_options(self, options: dict[str, str]) -> None:
        self.user_options = self.orm_spawner.user_options = options
        sqlalchemy.inspect(self.orm_spawner).session.commit()

    # -- how it runs ------------------------------------------------------------------------------------

    async def start(self) -> str:
        """Submit the launch and return the server's URL once its job has reported.

        A cancelled start cancels nothing: the hub cancels it both when it stops a server (`stop` follows)
        and when it shuts down.
        """
        asked = self._launch
        if asked is None:
            raise LaunchFailed(Broken(sentences.NOT_RESOLVED))
        self.will_resume = False
        progress, self._port = Progress(), ReportedPort()
        self._progress = progress
        self.token_id = getattr(orm.APIToken.find(self.db, self.api_token), "id", None)
        launcher = self._hub.launcher
        self._job = launcher.job(asked, new_launch_id())
        with as_launch_failure(sentences.TRY_AGAIN):
            job = await launcher.submit(asked, self._job, self._process(asked.site), self._save, progress.tell)
            return await launcher.until_ready(job, self._port, progress)

    async def poll(self) -> int | None:
        """None unless it is certain that no job of ours runs; see docs/architecture.md."""
        job = self._job
        if job is None or self.will_resume:
            return 0
        launcher = self._hub.launcher
        if not job.job_id:
            return None if launcher.is_submitting(job) else 0
        # At once: while JupyterHub waits for this after a failed start, it calls the server "not starting".
        if launcher.is_over(job):
            return 1
        deadline = Deadline.after(_POLL_SECONDS)
        if self._restored:
            self._restored = False
            if await self._found_again(job, deadline):
                return None
            # JupyterHub stops a restored server that is silent; will_resume makes it let go instead.
            self.will_resume = not (await launcher.report(job, deadline)).state.is_over
            return 0 if self.will_resume else 1
        return 1 if (await launcher.report(job, deadline)).state.is_over else None

    async def _found_again(self, job: Job, deadline: Deadline) -> bool:
        """Return whether a restored server answers, by a tunnel made again if its site needs one."""
        try:
            self._url = await self._hub.launcher.reopen(job, deadline)
        except LaunchError as error:
            self.log.warning("%s cannot be reached: %s", job.mark, error)
            return False
        return await self._hub.answers(await self.get_url())

    async def get_url(self) -> str:
        """Return where the hub and the proxy reach the server; never raises."""
        return f"{self._url}{self.server.base_url}" if self._url else str(self.server.url)

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 - JupyterHub's signature
        """Cancel the job and see it gone."""
        if self._job is not None:
            with as_launch_failure():
                await self._hub.launcher.cancel(self._job)

    def run_post_stop_hook(self) -> Any:
        """Release what the launch left at the site, then run the configured hook."""
        if self._job is not None and self._job.job_id:
            launcher = self._hub.launcher
            (launcher.detach if self.will_resume else launcher.release)(self._job)
        return super().run_post_stop_hook()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield how far the launch is, oldest first; JupyterHub ends it with the start."""
        # Before `start` the choices pass the gate, which may take a while; JupyterHub tells nobody when it begins.
        while self._progress is None and self._spawn_pending:  # noqa: ASYNC110
            await asyncio.sleep(_GATE_LOOK_SECONDS)
        if self._progress is None:
            return
        async with aclosing(self._progress.events()) as events:
            async for event in events:
                yield event

    def _save(self, job: Job) -> None:
        """Store the job now: JupyterHub itself stores state only after start() has returned."""
        self._job, self.job_id = job, job.job_id
        self.orm_spawner.state = self.get_state()
        sqlalchemy.inspect(self.orm_spawner).session.commit()

    def _process(self, site: Site) -> ServerProcess:
        environ = {name: str(value) for name, value in self.get_env().items() if value is not None}
        return ServerProcess.of(self.get_args(), environ, site.hub_url, str(self.launch_id))

    # -- what the job reports (hub.job_reports.Reportable) -----------------------------------------------------

    def job_reports_port(self, port: int) -> None:
        """Let `start` go on, once Slurm says where the job runs."""
        if self._port is not None:
            self._port.report(port)

    def job_reports_stage(self, name: str, text: str) -> None:
        """Show and keep what the job is doing."""
        if self._progress is not None and self._job is not None and self._progress.reported(name, text):
            self._hub.launcher.job_reports(self._job, self._progress)

    # -- what JupyterHub stores -------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return the state of the base class and the job."""
        state: dict[str, Any] = super().get_state()
        if self._job is not None and self._job.job_id:
            state |= {"job": self._job.to_state(), "token_id": self.token_id}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up the job of an earlier run of the hub."""
        super().load_state(state)
        self._job = Job.from_state(state.get("job") or {})
        self._restored = self._job is not None
        self.token_id = state.get("token_id")

    def clear_state(self) -> None:
        """Forget the job."""
        super().clear_state()
        self._job, self._restored, self._url, self._progress, self.token_id = None, False, "", None, None

    # -- what batchspawner would do by shell ------------------------------------------------------------

    async def run_command(self, *_args: Any, **_kwargs: Any) -> str:
        """Refuse: this spawner owns no shell."""
        raise NotImplementedError("SlurmSSHSpawner runs no commands on the hub; see slurm_ssh_spawner.launch.")

    async def query_job_status(self) -> JobStatus:
        """Return batchspawner's word for the state of the job."""
        job = self._job
        if job is None or not job.job_id:
            return JobStatus.NOTFOUND
        match (await self._hub.launcher.report(job, Deadline.after(_POLL_SECONDS))).state:
            case JobState.PENDING:
                return JobStatus.PENDING
            case JobState.RUNNING | JobState.ENDING:
                return JobStatus.RUNNING
            case JobState.ENDED | JobState.GONE:
                return JobStatus.NOTFOUND
        return JobStatus.UNKNOWN
