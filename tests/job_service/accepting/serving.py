"""What accepts jobs, over a real database; the sites answer what a test says, or nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from job_service.accepting.acceptance import Acceptance
from job_service.accepting.administration import Administration
from job_service.datasets.datasets import Datasets
from job_service.datasets.folders import Reach
from job_service.store.accounting import Member, Project
from job_service.store.store import Store
from kerberos_auth.errors import TicketMissing
from kerberos_auth.tickets import Ticket
from profiles.facts import SiteFacts
from profiles.loading.live import LiveCatalogue
from slurm_ssh.facts.availability import Availability
from slurm_ssh.facts.forecasts import Forecasts
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.job_service.accepting import deciding
from tests.support import builders
from tests.support.local import LocalSite


@dataclass
class Tickets:
    """Everybody has one that ends so many seconds after NOW; whose that is None has none."""

    left: dict[str, float | None] = field(default_factory=dict)

    def get(self, user: str) -> Ticket:
        left = self.left.get(user, 3600)
        if left is None:
            raise TicketMissing
        return builders.ticket(user, int(builders.NOW.timestamp() + left))

    def read(self, _user: str) -> bytes:
        raise AssertionError("no ticket is sent anywhere")

    def subscribe(self, _callback: Callable[[str], None]) -> None:
        raise AssertionError("nothing is kept that a new ticket would change")


@dataclass
class Accounts:
    """What the accounting says, once it may; of partitions nothing is said."""

    theirs: tuple[str, ...] = ("proj3",)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    looked_at: set[str] = field(default_factory=set)

    async def ask(self, user: str, site: str) -> SiteFacts | None:
        self.asked[user, site] += 1
        await self.may_answer.wait()
        return SiteFacts(projects=self.theirs)

    async def take(self, _user: str | None, site: str) -> SiteFacts:
        self.looked_at.add(site)
        await asyncio.Event().wait()
        raise AssertionError


@dataclass
class Service:
    store: Store
    accepting: Acceptance
    administration: Administration
    tickets: Tickets
    accounts: Accounts
    file: Path
    away: dict[str, datetime]

    def offers(self, types: dict[str, Any], datasets: dict[str, Any] | None = None, **more: Any) -> None:
        """Have the catalogue offer other job types, and have datasets and `more`, from now on."""
        if datasets:
            more["datasets"] = datasets
        self.file.write_text(builders.written(sites=deciding.SITES, job_types=types, **more))

    async def project(self, name: str, *members: str, system: str = "geneva", **fields: Any) -> Project:
        """Make a project with 36,000 seconds, of which each member begins with half."""
        whole = {"system": system, "name": name, "init_time": 36_000, "user_time": 18_000, **fields}
        made = await self.administration.create_project("ruth", whole)
        for member in members:
            await self.store.projects.add_member(made, Member("user", member), "ruth")
        return made


def _reach(catalogue: LiveCatalogue, pool: LocalSite) -> Reach:
    def reach(user: str, system: str) -> Remote:
        site = catalogue.sites[system]
        return Remote(pool, Login(user, site.login_name.get(user, user), system), site)  # type: ignore[arg-type]

    return reach


@asynccontextmanager
async def serving(store: Store, folder: Path, local: LocalSite) -> AsyncIterator[Service]:
    geneva = {**deciding.SITES["geneva"], "slurm_path": str(local.slurm)}
    catalogue: LiveCatalogue = builders.live(
        folder, sites={**deciding.SITES, "geneva": geneva}, job_types=deciding.TYPES
    )
    tickets, accounts, pool = Tickets(), Accounts(), local
    accounts.may_answer.set()
    availability = Availability(catalogue.sites, accounts.ask, accounts.take)
    forecasts = Forecasts(pool)  # type: ignore[arg-type]
    datasets = Datasets(catalogue, _reach(catalogue, pool))
    away: dict[str, datetime] = {}
    accepting = Acceptance(
        store, catalogue, availability, forecasts, tickets, datasets, "hub", lambda: builders.NOW, away
    )
    file = folder / "catalogue.yaml"
    yield Service(store, accepting, Administration(store, catalogue), tickets, accounts, file, away)
    await forecasts.close()
    await availability.close()
    await catalogue.close()
