"""The part of the service that runs jobs, over a real database and a site in memory."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from job_service.files.files import Files
from job_service.gateways.backend import Handle, handle_of
from job_service.gateways.files import FilesAnywhere
from job_service.gateways.kinds import kinds
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.running.access import Access
from job_service.running.accounts import Accounts
from job_service.running.clock import Clock
from job_service.running.places import Places
from job_service.running.running import Running
from job_service.running.tickets import Tickets
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.accounting import NewProject
from job_service.store.store import Store
from job_service.store.values import NewJob, new_job_id
from kerberos_auth.errors import LoginServersUnreachable, TicketMissing
from kerberos_auth.holds import Holds
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.reader import TicketReader
from kerberos_auth.tickets import Ticket
from profiles.catalogue.dataset import Dataset
from profiles.loading.live import LiveCatalogue
from profiles.offer.choices import Choices
from profiles.offer.launch import JobLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from slurm_ssh.core import Core
from slurm_ssh.schedulers.identity import SiteQueries
from slurm_ssh.ssh.pool import ConnectionPool
from tests.job_service.store import builders as stored
from tests.support import builders

WAIT_SECONDS = 60.0


class Reader:
    """Everybody's tickets but those of `missing`; `ends` says when somebody's ends, 2**31 if not."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.ends: dict[str, int] = {}

    def get(self, user: str) -> Ticket:
        """Return the facts of a ticket."""
        if user in self.missing:
            raise TicketMissing
        return builders.ticket(user, self.ends.get(user, 2**31))

    def read(self, user: str) -> bytes:
        """Return a ticket."""
        self.get(user)
        return f"the ticket of {user}".encode()

    def stamp(self, user: str) -> tuple[int, int] | None:
        """Return what changes with it."""
        return None if user in self.missing else (1, self.ends.get(user, 0))


class Keytabs:
    """The KDC's answers to keytabs: the ticket of each principal that has asked, for `ends` seconds since 1970.

    `is_away`: it answers nobody.
    """

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.is_away = False
        self.ends = 2**31

    async def keep(self, principal: str, keytab: str) -> bool:
        """Take a ticket."""
        if self.is_away:
            raise LoginServersUnreachable(f"no KDC for {keytab}")
        is_new = principal not in self.taken
        self.taken.add(principal)
        return is_new

    def forget(self) -> None:
        """Let all have ended."""
        self.taken.clear()

    def has(self, principal: str) -> bool:
        """Return whether one was taken."""
        return principal in self.taken

    def get(self, principal: str) -> Ticket:
        """Return the facts of one that was taken."""
        if principal not in self.taken:
            raise TicketMissing
        return builders.ticket(principal, self.ends)

    def read(self, principal: str) -> bytes:
        """Return one that was taken."""
        self.get(principal)
        return f"the ticket of {principal}".encode()


def a_site(**changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue has it."""
    return builders.site(
        **{
            "jobs": {"folder": "/scratch/{owner}/jobs", "keep": "1h"},
            "projects": "none",
            "partitions": {},
            "slurm_path": "/opt/slurm",
            **changed,
        }
    )


def sections(
    gateways: Mapping[str, Any], further: Mapping[str, Any] = MappingProxyType({}), **changed: Any
) -> dict[str, Any]:
    """Return a catalogue with geneva and bern, and some gateways, where people's lines run, at NSG a tool.

    At zurich there is a program that runs as its account.  `further` are sites besides.
    """
    site = a_site(**changed)
    command = {"name": "Command", "command": "any", "resources": {"time": {"default": "1h", "max": "8h"}}}
    run_as = {"principal": "jobs@LAB.TEST", "keytab": "/etc/jobs.keytab", "login": "svcjobs"}
    # Accounts of sites have tickets.
    zurich = {**site, "title": "Zurich", "login": {}, "jobs": {**site["jobs"], "run_as": run_as}}
    visit = {"name": "Visit", "run": ["hostname"], "identity": "service", "keep": "2h", "sites": ["zurich"]}
    sites = {"geneva": site, "bern": {**site, "title": "Bern"}, "zurich": zurich, **further}
    types: dict[str, Any] = {"command": command, "visit": visit}
    if gateways:
        tools = {key: [*each["tools"]] for key, each in gateways.items() if each["kind"] == "nsg"}
        command["sites"] = [*sites, *(key for key in gateways if key not in tools)]
        for key, names in tools.items():
            types[f"at-{key}"] = {"name": "Tool", "run": names[:1], "sites": [key]}
    return {"sites": sites, "gateways": dict(gateways), "job_types": types}


def catalogue(folder: Path, gateways: Mapping[str, Any]) -> LiveCatalogue:
    """Return such a catalogue, which is put into a folder first."""
    return builders.live(folder, **sections(gateways))


class Service:
    """What a test does with it; `start` begins it, anew after `stop`."""

    def __init__(
        self,
        folder: Path,
        url: str,
        pool: Any,
        clock: Clock,
        gateways: Mapping[str, Any] = MappingProxyType({}),
        **site: Any,
    ) -> None:
        self.folder = folder
        self.pool = pool
        self.clock = clock
        self.reader = Reader()
        self.keytabs = Keytabs()
        self._site = site
        self.offers(gateways)
        self.live = self.opened()
        self.ended: set[str] = set()
        """The jobs of which it was told that they are over."""
        self._url = url
        self._changed = asyncio.Event()
        self.store: Store = cast(Store, None)
        self.running: Running = cast(Running, None)

    def offers(self, gateways: Mapping[str, Any], **further: Any) -> None:
        """Write the catalogue, with these gateways and `further` sites."""
        written = builders.written(**sections(gateways, further, **self._site))
        (self.folder / "catalogue.yaml").write_text(written)

    def opened(self) -> LiveCatalogue:
        """Return the catalogue as it is written."""
        return LiveCatalogue(str(self.folder / "catalogue.yaml"))

    async def start(self) -> None:
        """Open the database, and begin."""
        self.store = await Store.open(self._url, self.clock.now)
        accounts = Accounts(self.live.sites, cast(KeytabTickets, self.keytabs))
        tickets = Tickets(cast(TicketReader, self.reader), accounts)
        pool = cast(ConnectionPool, self.pool)
        queries = SiteQueries(self.live.sites, pool, KeytabTickets(self.folder), 60.0)
        self.core = Core(pool, self.live.sites, tickets, queries, tickets)
        self.tickets = tickets
        self.holds = Holds(self.folder)
        self.access = Access(Places(self.core, self.live.sites, "hub"))
        files = Files(self.access.remote)
        self.backends = Backends(self.live.gateways, kinds(self.folder / "inputs"))
        self.files = FilesAnywhere(files, self.backends, partial(handle_of, service="hub"), look_seconds=0.02)
        self.running = Running(
            self.store,
            self.core,
            self.live,
            tickets,
            self.holds,
            self._launch,
            files.sweep,
            "hub",
            self.clock,
            self.backends,
        )
        self.running.subscribe(self._note)
        await self.running.begin()

    async def stop(self) -> None:
        """End it all; jobs go on."""
        await self.running.close()
        await self.backends.close()
        await self.core.close()
        await self.store.close()

    async def accept(
        self, owner: str = "alice", stage: Stage = Stage.READY, *, is_told: bool = True, **other: Any
    ) -> JobRecord:
        """Accept a job, and have it sent, if the service `is_told`."""
        job_id = new_job_id()
        described = dict(other.pop("spec", {}))
        described = {"type": "command", "command": described.pop("line", "true"), **described}
        spec = JobSpec(**described)
        values = {
            "job_id": job_id,
            "owner": owner,
            "login": owner,
            "folder": f"/scratch/{owner}/jobs/{job_id}",
            "spec": spec,
            "stage": stage,
            **other,
        }
        record, _ = await self.store.jobs.accept(stored.new(**values))
        if is_told:
            self.running.wake(record)
        return record

    async def visit(self, owner: str = "heidi", stage: Stage = Stage.READY, **other: Any) -> JobRecord:
        """Accept a job of somebody that runs as the account of zurich, and have it sent."""
        job_id = new_job_id()
        values = {
            "job_id": job_id,
            "owner": owner,
            "login": "svcjobs",
            "identity": "service",
            "system": "zurich",
            "folder": f"/scratch/svcjobs/jobs/{job_id}",
            "spec": JobSpec(type="visit", system="zurich"),
            "stage": stage,
            **other,
        }
        record, _ = await self.store.jobs.accept(stored.new(**values))
        self.running.wake(record)
        return record

    async def accept_array(
        self, count: int, owner: str = "alice", stage: Stage = Stage.READY, **other: Any
    ) -> tuple[JobRecord, list[JobRecord]]:
        """Accept an array with so many tasks, have it sent, and return it with them."""
        job_id = new_job_id()
        datasets = tuple(Dataset(f"demo:{at}", str(at), "scan", f"/data/{at}") for at in range(count))
        common = {
            "owner": owner,
            "login": owner,
            "stage": stage,
            "folder": f"/scratch/{owner}/jobs/{job_id}",
            **other,
        }

        def made(job_id: str, *some: Dataset) -> NewJob:
            ids = tuple(each.id for each in some)
            spec = JobSpec(type="command", command="true", datasets=ids, mode="array")
            return stored.new(job_id=job_id, spec=spec, datasets=some, **common)

        wanted = [made(new_job_id(), each) for each in datasets]
        group, _ = await self.store.jobs.accept_group(wanted, array=made(job_id, *datasets))
        self.running.wake(group.jobs[0])
        return group.jobs[0], list(await self.store.jobs.tasks(job_id))

    def handle(self, record: JobRecord) -> Handle:
        """Return a job as its gateway may know it."""
        return handle_of(record, "hub")

    async def get(self, record: JobRecord) -> JobRecord:
        """Return a job as it is now."""
        return await self.store.jobs.get(record.job_id)

    async def until(self, record: JobRecord, is_so: Callable[[JobRecord], bool]) -> JobRecord:
        """Return the job once it is so."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_so(now := await self.get(record)):
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self._changed.wait()
        return now

    async def over(self, record: JobRecord) -> JobRecord:
        """Return the job once it is over."""
        return await self.until(record, lambda job: job.stage.is_over)

    async def events(self, record: JobRecord) -> list[str]:
        """Return the stages in its history, each once."""
        stages = [event.stage for event in await self.store.jobs.events(record.job_id)]
        return [stage for at, stage in enumerate(stages) if at == 0 or stages[at - 1] != stage]

    async def _launch(self, record: JobRecord) -> JobLaunch:
        offer = Offer(self.live.current.jobs, {}, Person(record.owner), builders.NOW)
        return resolve_job(offer, Choices({"type": record.type, "site": record.system}))

    def _note(self, record: JobRecord) -> None:
        if record.stage.is_over:
            self.ended.add(record.job_id)
        self._changed.set()


async def project_of_all(service: Service) -> int:
    """Return the number of a new project of geneva's, `neuro`, that everybody may use for long."""
    wanted = NewProject("geneva", "neuro", init_time=10**9, user_time=10**7, is_open=True)
    return (await service.store.projects.add(wanted, "ruth")).id


async def holds(is_so: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
