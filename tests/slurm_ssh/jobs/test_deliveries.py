"""Tickets of running jobs, through a real store, at a site on this machine that takes copies."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kerberos_auth.store import TicketStore
from slurm_ssh.errors import Broken, Refused, SiteUnreachable, Unavailable
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs import deliveries as module
from slurm_ssh.jobs.deliveries import Deliveries
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.kerberos_auth.krb_caches import cache, credential
from tests.support import builders
from tests.support.local import LocalSite
from tests.support.waiting import until

NOW = int(time.time())
AWAY = SiteUnreachable("Geneva cannot be reached.")


class Ledger:
    """Keeps in memory what a database would."""

    def __init__(self) -> None:
        self.ends: dict[str, datetime] = {}
        self.away = False

    async def ticket_ends(self, launch_id: LaunchId) -> datetime | None:
        if self.away:
            raise Unavailable("The database does not answer.")
        return self.ends.get(launch_id)

    def ticket_given(self, launch_id: LaunchId, ends: datetime) -> None:
        self.ends[launch_id] = ends


class Jobs:
    """Deliveries to jobs of alice at Geneva; `restart` gives those of another hub on the same ledger."""

    def __init__(self, local: LocalSite, store: TicketStore) -> None:
        self.local = local
        self.store = store
        self.ledger = Ledger()
        self.gone = False
        self.deliveries = Deliveries(store, self._remote, self.ledger)
        store.subscribe(self._ticket_changed)

    def _ticket_changed(self, user: str) -> None:
        self.deliveries.ticket_changed(user)

    def _remote(self, job: Job) -> Remote:
        if self.gone:
            raise Broken("The site geneva is no longer in the catalogue.")
        entry = builders.site(ticket_folder=f"{self.local.home}/{{owner}}")
        site = builders.catalogue(sites={"geneva": entry}).sites["geneva"]
        return Remote(self.local, Login.of(job), site)  # type: ignore[arg-type]

    def log_in(self, hours: int, user: str = "alice") -> int:
        """Give somebody a ticket that ends then."""
        principal = f"{user}@LAB.TEST"
        data = cache(credential(principal, end=NOW + 3600 * hours), owner=principal)
        return self.store.put(user, data, principal).end

    def has(self, job: Job) -> bytes:
        """Return what a job finds."""
        path = self.local.home / job.owner / f"{job.launch_id}.ccache"
        return path.read_bytes() if path.exists() else b""

    def has_newest(self, job: Job) -> bool:
        return self.has(job) == self.store.read(job.user)

    async def restart(self) -> None:
        await self.deliveries.close()
        self.deliveries = Deliveries(self.store, self._remote, self.ledger)

    async def quiet(self, *jobs: Job) -> None:
        """Return when nothing is under way."""
        for job in jobs:
            await self.deliveries.settled(job)


@pytest.fixture
async def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Jobs]:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.01, 0.02))
    store = TicketStore(tmp_path / "krb5", "LAB.TEST")
    jobs = Jobs(LocalSite(tmp_path), store)
    yield jobs
    await jobs.deliveries.close()
    store.close()


def job(number: int = 0, **changed: Any) -> Job:
    return builders.job(launch_id=f"{number:012x}", mark=f"jupyter-hub-{number:012x}", **changed)


async def test_a_new_ticket_is_delivered_and_written_down(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    await asyncio.sleep(0)
    assert jobs.has(job()) == b""
    ends = jobs.log_in(2)
    await until(lambda: jobs.has_newest(job()))
    await jobs.quiet(job())
    assert jobs.ledger.ends[job().launch_id] == datetime.fromtimestamp(ends, UTC)


async def test_a_ticket_that_came_during_the_submission_is_delivered(jobs: Jobs) -> None:
    ends = jobs.log_in(1)
    jobs.log_in(2)
    jobs.deliveries.begin(job(), ends)
    await until(lambda: jobs.has_newest(job()))


async def test_a_ticket_that_was_renewed_while_nobody_kept_the_job_is_delivered_at_the_first_look(
    jobs: Jobs,
) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    await jobs.restart()
    jobs.log_in(2)
    assert jobs.has(job()) == b""
    jobs.deliveries.keep(job())
    await until(lambda: jobs.has_newest(job()))


@pytest.mark.parametrize("ledger", ["away", "empty"])
async def test_what_a_job_has_is_not_known_so_it_gets_one(jobs: Jobs, ledger: str) -> None:
    jobs.log_in(1)
    jobs.ledger.away = ledger == "away"
    jobs.deliveries.keep(job())
    await until(lambda: jobs.has_newest(job()))


async def test_a_job_that_has_the_newest_is_left_alone(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(2))
    await jobs.restart()
    for _ in range(3):
        jobs.deliveries.keep(job())
        await jobs.quiet(job())
    jobs.log_in(1)
    await jobs.quiet(job())
    assert jobs.has(job()) == b""


async def test_a_site_that_is_away_gets_the_ticket_when_it_is_back_without_another_one(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.local.refusal = AWAY
    jobs.log_in(2)
    await until(lambda: jobs.deliveries.notices("alice"))
    (sentence,) = jobs.deliveries.notices("alice")
    assert sentence == (
        "Your jobs at Geneva do not have your new ticket yet and use the one they have; "
        "the hub keeps trying. Geneva cannot be reached."
    )
    jobs.local.refusal = None
    await until(lambda: jobs.has_newest(job()))
    await until(lambda: not jobs.deliveries.notices("alice"))


async def test_a_newer_ticket_ends_a_pause(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (600.0,))
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.local.refusal = Refused("Others may enter the folder.")
    jobs.log_in(2)
    await until(lambda: jobs.deliveries.notices("alice"))
    jobs.local.refusal = None
    jobs.log_in(3)
    await until(lambda: jobs.has_newest(job()))


async def test_several_jobs_at_one_site_are_one_sentence_for_their_owner(jobs: Jobs) -> None:
    ends = jobs.log_in(1)
    for number in range(3):
        jobs.deliveries.begin(job(number), ends)
    jobs.local.refusal = AWAY
    jobs.log_in(2)
    await until(lambda: all(kept.notice for kept in jobs.deliveries._kept.values()))
    assert len(jobs.deliveries.notices("alice")) == 1
    assert jobs.deliveries.notices("bob") == ()


async def test_nothing_is_kept_trying_for_somebody_without_a_ticket(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.local.refusal = AWAY
    jobs.log_in(2)
    await until(lambda: jobs.deliveries.notices("alice"))
    jobs.store.remove("alice")
    await jobs.quiet(job())
    assert jobs.deliveries.notices("alice") == ()
    jobs.local.refusal = None
    jobs.log_in(2)
    await until(lambda: jobs.has_newest(job()))


async def test_a_forgotten_job_is_tried_no_longer(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (600.0,))
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.local.refusal = AWAY
    jobs.log_in(2)
    await until(lambda: jobs.deliveries.notices("alice"))
    jobs.deliveries.forget(job())
    await jobs.quiet(job())
    jobs.local.refusal = None
    jobs.log_in(3)
    await jobs.quiet(job())
    assert jobs.has(job()) == b""


async def test_a_site_that_is_gone_from_the_catalogue_is_told_by_its_key(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.gone = True
    jobs.log_in(2)
    await until(lambda: jobs.deliveries.notices("alice"))
    assert jobs.deliveries.notices("alice")[0].startswith("Your jobs at geneva do not have your new ticket yet")
    jobs.gone = False
    await until(lambda: jobs.has_newest(job()))


async def test_somebody_elses_ticket_reaches_nobodys_job(jobs: Jobs) -> None:
    jobs.deliveries.begin(job(), jobs.log_in(1))
    jobs.log_in(2, "bob")
    await jobs.quiet(job())
    assert jobs.has(job()) == b""
