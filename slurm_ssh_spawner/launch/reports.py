"""Where jobs report: which of them are known, by which token, and what each has said so far."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field

from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs.upkeep import Upkeep
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from slurm_ssh_spawner.launch.stage_notes import StageNotes


class UnknownLaunch(LookupError):  # noqa: N818
    """Nobody waits for this launch: its job is to end."""


class WrongToken(ValueError):  # noqa: N818
    """The token is not that of the launch's own server."""


def token_hash(token: str) -> str:
    """Return what is kept of the API token of a job; a token is random and long, so that nobody can guess it."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(eq=False)
class Live:
    """A launch that is not over.

    `is_held`: JupyterHub has a server of it, on its way or up.  `is_closed`: JupyterHub has let it end, whatever
    its job says.  `is_unwanted`: it is to be stopped.  `token` is what its job has presented, "" before.
    """

    job: Job
    server: str
    token_hash: str
    progress: Progress
    port: ReportedPort
    is_held: bool = False
    is_closed: bool = False
    is_unwanted: bool = False
    token: str = field(default="", repr=False)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def presented(self) -> str:
        """Return the token that its job presents, once it has reported."""
        await self.heard.wait()
        return self.token


class Reports:
    """Owner of what is known of live launches.  A port is in the records before its job is answered."""

    def __init__(self, records: LaunchRecords, upkeep: Upkeep, hub_name: str) -> None:
        self._records = records
        self._upkeep = upkeep
        self._hub_name = hub_name
        self._notes = StageNotes(records)
        self._live: dict[LaunchId, Live] = {}

    def close(self) -> None:
        """Note at once what is due."""
        self._notes.close()

    # -- what the hub knows ---------------------------------------------------------------------------------

    def expect(self, job: Job, server: str, token_hash: str, progress: Progress | None = None) -> Live:
        """Hear what a job reports that JupyterHub has a server of; known already, it keeps what it has said."""
        new = Live(job, server, token_hash, progress or Progress(), ReportedPort())
        live = self._numbered(self._live.setdefault(job.launch_id, new), job)
        live.is_held, live.is_closed = True, False
        return live

    async def take_up(self, record: LaunchRecord) -> Live:
        """Hear what a job reports that was started by an earlier hub.  Raises DatabaseAway."""
        live = self._live.get(record.launch_id) or await self._restored(record)
        return self._numbered(live, record.job(self._hub_name))

    @staticmethod
    def _numbered(live: Live, job: Job) -> Live:
        """Return the launch with Slurm's number of its job, which may have reported before that was known."""
        if job.job_id:
            live.job = job
        return live

    def is_held(self, launch_id: LaunchId) -> bool:
        """Return whether JupyterHub has a server of the launch, or has just let it end."""
        live = self._live.get(launch_id)
        return live is not None and (live.is_held or live.is_closed)

    def holds(self, user: str, server: str) -> bool:
        """Return whether JupyterHub has a server of that name of some launch that we know."""
        lives = self._live.values()
        return any(live.is_held and live.job.user == user and live.server == server for live in lives)

    def let_go(self, launch_id: LaunchId) -> None:
        """JupyterHub has no server of the launch any more; it may go on all the same."""
        if live := self._live.get(launch_id):
            live.is_held = False

    def end(self, launch_id: LaunchId) -> None:
        """Hear its job no more: the next time that it reports it is told to end."""
        if live := self._live.get(launch_id):
            live.is_held, live.is_closed = False, True

    def refuse(self, launch_id: LaunchId) -> None:
        """Tell its job to end the next time that it reports; its stop is owed until it has ended."""
        if live := self._live.get(launch_id):
            live.is_unwanted = True

    def forget(self, launch_id: LaunchId) -> None:
        """Drop what is known of a launch whose record says that it is over."""
        self._live.pop(launch_id, None)

    # -- what jobs say --------------------------------------------------------------------------------------

    async def of(self, launch_id: LaunchId, token: str) -> Live:
        """Return the launch whose job presents a token.  Raises UnknownLaunch, WrongToken, and DatabaseAway."""
        live = self._live.get(launch_id)
        if live is None:
            record = await self._records.get(launch_id)
            if record is None or not record.is_open:
                raise UnknownLaunch
            live = await self.take_up(record)
        if not hmac.compare_digest(token_hash(token), live.token_hash):
            raise WrongToken
        if live.is_closed or live.is_unwanted:
            raise UnknownLaunch
        live.token = token
        live.heard.set()
        return live

    async def port(self, live: Live, number: int) -> None:
        """Take note of the port of the job's server, for good.  Raises DatabaseAway."""
        if not live.port.number:
            await self._records.port_reported(live.job.launch_id, number)
            live.port.report(number)

    def stage(self, live: Live, name: str, text: str) -> None:
        """Show and keep what the job is doing."""
        if live.progress.reported(name, text):
            self._notes.due(live.job.launch_id, live.progress)
            self._upkeep.remark(live.job, tuple(live.progress.notices))

    def stages_are(self, launch_id: LaunchId, progress: Progress) -> None:
        """Keep how far a launch is, now."""
        self._notes.now(launch_id, progress)

    async def _restored(self, record: LaunchRecord) -> Live:
        run = await self._records.run(record.launch_id)
        progress, port = Progress.of(run.stages if run else ()), ReportedPort(record.port)
        live = Live(record.job(self._hub_name), record.server, record.token_hash, progress, port)
        # Whoever came first, while the database was read, counts.
        return self._live.setdefault(record.launch_id, live)
