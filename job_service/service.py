"""The service, composed: what answers requests and what goes on by itself, opened and closed in order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from job_service.accepting.acceptance import Acceptance
from job_service.accepting.administration import Administration
from job_service.datasets.datasets import Datasets
from job_service.files.files import Files
from job_service.gateways.backend import handle_of
from job_service.gateways.files import FilesAnywhere
from job_service.gateways.kinds import kinds
from job_service.gateways.opening import Backends
from job_service.running.access import Access
from job_service.running.accounts import Accounts
from job_service.running.clock import Clock
from job_service.running.places import Places
from job_service.running.running import Running
from job_service.running.tickets import NobodysTickets, Tickets
from job_service.store.store import Store
from kerberos_auth.errors import AuthFailed
from kerberos_auth.holds import Holds
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.reader import TicketReader
from profiles.catalogue.site import Site
from profiles.loading.live import LiveCatalogue
from slurm_ssh import core
from slurm_ssh.core import Core

JOBS_A_MINUTE = 1000
"""How many jobs one person may send in a minute, if nobody says otherwise."""

INPUT_FOLDER = Path("/var/lib/jupyterhub-jobs/inputs")
"""Where the files of jobs lie that a gateway takes only with the job, if nobody says otherwise."""

_IDLE_SECONDS = 300.0


@dataclass(frozen=True)
class Settings:
    """Where the service finds what it works with; the options of `jupyterhub-jobs serve` say the same.

    `database` is a SQLAlchemy URL.  `run_folder` is this process's alone.  `name` stands in the marks of its jobs.
    `upload_max_mib` are MiB: no file that is sent is larger, whatever a site takes.
    `jobs_a_minute` is how many jobs one person may send.  `input_folder` is made when it is needed.
    """

    catalogue: str
    ticket_folder: Path
    run_folder: Path
    database: str
    name: str
    upload_max_mib: int
    jobs_a_minute: int = JOBS_A_MINUTE
    input_folder: Path = INPUT_FOLDER


@dataclass(frozen=True)
class Service:
    """What a driver needs to answer requests.  `closing` is set when it is about to end: let long answers end."""

    settings: Settings
    store: Store
    catalogue: LiveCatalogue
    tickets: Tickets
    core: Core
    accepting: Acceptance
    administration: Administration
    running: Running
    files: FilesAnywhere
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """Open the service for the length of a block; jobs go on after it.

    Raises CatalogueInvalid, AuthFailed (the ticket folder), DatabaseRefused, StoreAway.
    """
    async with AsyncExitStack() as stack:
        catalogue = LiveCatalogue(settings.catalogue)
        stack.push_async_callback(catalogue.close)
        # What is written down with a time is compared with it.
        clock = Clock()
        store = await Store.open(settings.database, clock.now)
        stack.push_async_callback(store.close)
        tickets, holds = _tickets(settings, catalogue, stack)
        reach = core.open_core(
            core.Settings(_IDLE_SECONDS, settings.run_folder), catalogue.sites, tickets, ledger=tickets
        )
        stack.push_async_callback(reach.close)
        backends = Backends(catalogue.gateways, kinds(settings.input_folder))
        stack.push_async_callback(backends.close)
        accepting = _accepting(settings, store, catalogue, reach, tickets, backends)
        files = _files(settings, catalogue, reach, backends)
        running = Running(
            store,
            reach,
            catalogue,
            tickets,
            holds,
            accepting.launch,
            files.sweep,
            settings.name,
            clock,
            backends=backends,
        )
        stack.push_async_callback(running.close)
        await running.begin()
        catalogue.follow()
        administration = Administration(store, catalogue)
        yield Service(settings, store, catalogue, tickets, reach, accepting, administration, running, files)


def _tickets(settings: Settings, catalogue: LiveCatalogue, stack: AsyncExitStack) -> tuple[Tickets, Holds]:
    """Return the tickets of people and of sites' accounts, and the list of people whose tickets are needed.

    Raises AuthFailed if people's cannot be read and a site needs them.
    """
    accounts = Accounts(catalogue.sites, KeytabTickets(settings.run_folder))
    try:
        reader = TicketReader(settings.ticket_folder)
    except AuthFailed:
        if needs_tickets(catalogue.sites):
            raise
        # Nobody reads that list then.
        return Tickets(NobodysTickets(), accounts), Holds(settings.run_folder)
    stack.callback(reader.close)
    return Tickets(reader, accounts), Holds(reader.folder)


def _accepting(
    settings: Settings, store: Store, catalogue: LiveCatalogue, reach: Core, tickets: Tickets, backends: Backends
) -> Acceptance:
    return Acceptance(
        store,
        catalogue,
        reach.availability,
        reach.forecasts,
        tickets,
        Datasets(catalogue, reach.remote_of),
        settings.name,
        away=backends.away,
    )


def _files(settings: Settings, catalogue: LiveCatalogue, reach: Core, backends: Backends) -> FilesAnywhere:
    """Return the files of jobs, at sites and at gateways."""
    most_mib = settings.upload_max_mib
    at_sites = Files(Access(Places(reach, catalogue.sites, settings.name)).remote, most_mib)
    return FilesAnywhere(at_sites, backends, partial(handle_of, service=settings.name), most_mib)


def needs_tickets(sites: Mapping[str, Site]) -> bool:
    """Return whether there is a site where nothing can be done without people's tickets."""
    return any(site.login.needs_ticket for site in sites.values())
