"""SlurmSSHSpawner: what JupyterHub and batchspawner ask, passed on to the core.  An adapter, nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from traitlets import TraitError

from profiles.catalogue.site import Site
from profiles.offer import launch
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Refused, SubmissionAbsent, Unavailable
from slurm_ssh.job import Job, LaunchId, new_launch_id
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import checking, composition, going_on, guests, restored, routes
from slurm_ssh_spawner.hub.asking import Asking
from slurm_ssh_spawner.hub.failures import LaunchFailed, as_launch_failure, nothing_started
from slurm_ssh_spawner.hub.restored import Standing
from slurm_ssh_spawner.hub.settings import SpawnerSettings
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.hub.shell_less import POLL_SECONDS
from slurm_ssh_spawner.hub.storing import commit
from slurm_ssh_spawner.launch import coming_back
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import BY_HUB
from slurm_ssh_spawner.launch.reports import Live, token_hash
from slurm_ssh_spawner.launch.script import ServerProcess

_GATE_LOOK_SECONDS = 0.05
_OF_AN_INTERVAL = 0.8
_YOUNG_SECONDS = 24.0

routes.install()


class SlurmSSHSpawner(SpawnerSettings, Asking):
    """Starts a notebook as a batch job at one of several Slurm sites, over SSH, as the person."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._job: Job | None = None
        self._launch: launch.NotebookLaunch | None = None
        self._going_on: LaunchRecord | None = None
        self._before: dict[str, str] = {}
        self._token_hash = ""
        self._progress: Progress | None = None
        self._restored = False
        self._url = ""
        self._place: Place | None = None
        self.profile_key = ""
        self.last_launch_id: LaunchId | None = None
        self.stop_failure: LaunchFailed | None = None
        self.stop_reason = ""
        self.stopping_since: datetime | None = None

    @property
    def how_far(self) -> Progress | None:
        """How far the start is that goes on, None for none."""
        return self._progress

    @property
    def launch_id(self) -> LaunchId | None:
        """The launch that the server is of, or None."""
        return self._job.launch_id if self._job else None

    @classmethod
    def hub_starts(cls, app: Any) -> None:
        """Make what all spawners of a JupyterHub application share.

        Raises SystemExit with a sentence if that cannot be done: a hub that started all the same would take every
        server that runs for dead.
        """
        checking.look_at_what_is_written(app)
        try:
            settings = cls(parent=app).settings
        except TraitError as error:
            raise SystemExit(sentences.CANNOT_START.format(problem=error)) from error
        checking.look_at_settings(app, settings)
        ourselves = going_on.OwnApi(app)
        shared = composition.compose(settings, app.authenticator, app.log, ourselves)
        app.tornado_settings[SETTING] = shared
        checking.look_at_catalogue(app, settings, shared)
        guests.keep_sweeping(app.db, app.users, shared.catalogue)

    # -- how it runs ------------------------------------------------------------------------------------

    async def start(self) -> str:
        """Submit the launch and return the server's URL once its job has reported.

        A cancelled start cancels nothing: the hub cancels it both when it stops a server (`stop` follows)
        and when it shuts down.
        """
        self.will_resume, self.stop_failure, self.stop_reason = False, None, ""
        # Of an earlier server, if the hub was killed while that stopped.
        guests.end_with_server(self.orm_spawner)
        if self._going_on:
            return await self._go_on(self._going_on)
        asked = self._launch
        if asked is None:
            with as_launch_failure(log=self._not_started):
                raise Broken(sentences.NOT_RESOLVED, "a spawner around SlurmSSHSpawner passes it by; use it alone")
        with as_launch_failure(sentences.TRY_AGAIN), nothing_started():
            live = await self._taken(asked)
        with as_launch_failure(sentences.TRY_AGAIN, self._not_started):
            self._url, self._place = await self._hub.launcher.until_ready(live.job, live.port, live.progress)
            await self._hub.launcher.until_open(live.job, self._url, self._place)
            return self._url

    async def _taken(self, asked: launch.NotebookLaunch) -> Live:
        """Submit the launch; what the site refuses is not what was chosen last."""
        try:
            return await self._submitted(asked)
        except (Refused, Unavailable) as error:
            if await self._hub.refused(self._request(), asked.site_key, error, self._before):
                self._adopt(self._before)
            raise

    async def _submitted(self, asked: launch.NotebookLaunch) -> Live:
        """Submit the launch, and once more as a new one if the first job has come to nowhere."""
        self._progress = progress = Progress()
        try:
            return await self._submit(asked, progress)
        except SubmissionAbsent:
            if self._job:
                self._hub.launcher.unattended.abandon(self._job)
            progress.tell(sentences.SUBMITTED_AGAIN.format(site=asked.site.title))
            return await self._submit(asked, progress)

    async def _submit(self, asked: launch.NotebookLaunch, progress: Progress) -> Live:
        launcher = self._hub.launcher
        self._job, self._token_hash = launcher.job(asked, new_launch_id()), token_hash(self.api_token)
        self.last_launch_id = self._job.launch_id
        live = launcher.reports.expect(self._job, self.name, self._token_hash, progress)
        process = self.process(asked.site, self._job.launch_id)
        live.job = await launcher.submit(asked, self._job, process, self._save, progress.tell)
        progress.accepted()
        return live

    async def _go_on(self, record: LaunchRecord) -> str:
        """Be the server of a launch that an earlier hub began, with the job that it has."""
        launcher, self._token_hash = self._hub.launcher, record.token_hash
        with as_launch_failure(sentences.TRY_AGAIN, self._not_started), nothing_started():
            live = await launcher.reports.take_up(record)
        live.is_held, self._progress, self.last_launch_id = True, live.progress, record.launch_id
        self._save(live.job)
        with as_launch_failure(sentences.TRY_AGAIN, self._not_started):
            self._url, self._place = await coming_back.until_back(launcher, live, Place.of(record))
            # JupyterHub has made a new one, which the job does not know.
            self.api_token = await coming_back.presented(launcher, live)
        return self._url

    async def poll(self) -> int | None:
        """None unless it is certain that no job of ours runs; see docs/architecture.md."""
        try:
            return await self._status()
        except Exception:
            # JupyterHub would take it for the end of the server.
            self.log.exception("what became of %s cannot be found out; it is kept", self._log_name)
            if self._restored:
                restored.keep(self)
            return None

    async def _status(self) -> int | None:
        job = self._job
        if job is None or self.will_resume:
            return 0
        launcher = self._hub.launcher
        if not job.job_id:
            return None if launcher.is_submitting(job) else 0
        # At once: while JupyterHub waits for this after a failed start, it calls the server "not starting".
        if launcher.is_over(job):
            return 1
        if self._restored:
            return await self._find_again(job, Deadline.after(POLL_SECONDS))
        # Pages wait for this too, and one question serves all servers that are polled in an interval.
        young_seconds = min(_OF_AN_INTERVAL * self.poll_interval, _YOUNG_SECONDS)
        return 1 if (await launcher.glance(job, young_seconds)).state.is_over else None

    async def _find_again(self, job: Job, deadline: Deadline) -> int | None:
        """Answer `poll` for a server that ran before the hub started, until the way to it is open again."""
        hub, path = self._hub, str(self.server.base_url)
        live = hub.launcher.reports.expect(job, self.name, self._token_hash)
        was = restored.Was(self.profile_key, self._place, path)
        found = await restored.find(hub.launcher, hub.looker, live, was, deadline)
        self.profile_key = found.profile_key or self.profile_key
        match found.standing:
            case Standing.OVER:
                return 1
            case Standing.NEVER_UP:
                # JupyterHub stops what is not up when it starts; will_resume makes it let go instead.
                self.will_resume = True
                return 0
            case Standing.SILENT:
                restored.keep(self)
        if found.url:
            self._restored, self._url, self._place = False, found.url, found.place
            restored.move(self, found.url)
            self._save(job)
        return None

    async def get_url(self) -> str:
        """Return where the hub and the proxy reach the server; never raises."""
        return f"{self._url}{self.server.base_url}" if self._url else str(self.server.url)

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 - JupyterHub's signature
        """Cancel the job and see it gone."""
        if self._job is not None:
            self.stopping_since = datetime.now(UTC)
            # Handlers of JupyterHub keep what they do; without one it is the hub itself, as when it is shut down.
            reason = self.stop_reason or ("" if getattr(self, "_stop_future", None) else BY_HUB)
            try:
                with as_launch_failure():
                    await self._hub.launcher.cancel(self._job, reason)
            except LaunchFailed as failure:
                self.stop_failure = failure
                raise

    def run_post_stop_hook(self) -> Any:
        """Release what the launch left at the site, then run the configured hook."""
        if self._job is not None:
            launcher = self._hub.launcher
            if self.will_resume:
                launcher.detach(self._job)
                self._hub.reconciliation.soon(self.user.name)
            else:
                (launcher.release if self._job.job_id else launcher.unattended.abandon)(self._job)
        guests.end_with_server(self.orm_spawner)
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
        try:
            commit(self.orm_spawner)
        except SQLAlchemyError:
            # The records have the job too, and JupyterHub stores it again once the server is up.
            self.log.exception("%s could not be stored yet", job.mark)

    def process(self, site: Site, launch_id: LaunchId) -> ServerProcess:
        """Return the server that a launch at a site runs."""
        environ = {name: str(value) for name, value in self.get_env().items() if value is not None}
        return ServerProcess.of(self.get_args(), environ, site.hub_url, launch_id)

    # -- what JupyterHub stores -------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return the state of the base class and the job."""
        state: dict[str, Any] = super().get_state()
        if self._job is not None and self._job.job_id:
            state |= {"job": self._job.to_state(), "profile": self.profile_key, "token_hash": self._token_hash}
        if self._place is not None:
            state["place"] = self._place.to_state()
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up the job of an earlier run of the hub."""
        super().load_state(state)
        self._job = Job.from_state(state.get("job") or {})
        self._place, self.profile_key = Place.from_state(state.get("place")), str(state.get("profile", ""))
        self._restored = self._job is not None
        self._token_hash = str(state.get("token_hash", ""))

    def clear_state(self) -> None:
        """Forget the job."""
        super().clear_state()
        self._job, self._restored, self._url, self._progress, self._token_hash = None, False, "", None, ""
        self._launch, self._going_on, self.profile_key, self._place = None, None, "", None
