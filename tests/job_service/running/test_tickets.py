from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from job_service.running.accounts import Accounts
from job_service.running.tickets import Tickets
from kerberos_auth.errors import AuthFailed, TicketMissing
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.reader import TicketReader
from tests.job_service.running.service import Keytabs, Reader
from tests.support import builders


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def told(reader: Reader) -> list[str]:
    return []


@pytest.fixture
def tickets(reader: Reader, told: list[str], tmp_path: Path) -> Tickets:
    made = Tickets(cast(TicketReader, reader), Accounts({}, KeytabTickets(tmp_path)))
    made.subscribe(told.append)
    return made


def test_a_new_ticket_is_told_once(reader: Reader, tickets: Tickets, told: list[str]) -> None:
    for end in (100, 100, 200, 200):
        reader.ends["alice"] = 2**31 + end
        tickets.look(["alice", "bob"])
    assert told == ["alice"]


def test_a_ticket_that_follows_one_that_was_used_before_the_first_look_is_news(
    reader: Reader, tickets: Tickets, told: list[str]
) -> None:
    tickets.look(["bob"])
    reader.ends["alice"] = 2**31 + 100
    tickets.get("alice")
    reader.ends["alice"] = 2**31 + 200
    tickets.look(["alice", "bob"])
    tickets.look(["alice", "bob"])
    assert told == ["alice"]


def test_a_file_that_has_changed_without_a_new_ticket_is_no_news(
    reader: Reader, tickets: Tickets, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets.look(["alice"])
    monkeypatch.setattr(reader, "stamp", lambda _: (2, 2))
    tickets.look(["alice"])
    assert told == []


def test_a_ticket_that_comes_back_is_news_and_one_that_goes_is_none(
    reader: Reader, tickets: Tickets, told: list[str]
) -> None:
    tickets.look(["alice"])
    reader.missing = {"alice"}
    tickets.look(["alice"])
    assert told == []
    with pytest.raises(TicketMissing):
        tickets.read("alice")
    reader.missing = set()
    tickets.look(["alice"])
    assert told == ["alice"]


async def test_what_a_job_was_given_is_known_until_it_is_over(tickets: Tickets) -> None:
    job, ends = builders.job(), datetime(2026, 3, 2, tzinfo=UTC)
    tickets.ticket_given(job.launch_id, ends)
    assert await tickets.ticket_ends(job.launch_id) == ends
    tickets.stopped(job)
    assert await tickets.ticket_ends(job.launch_id) is None
    assert tickets.unwritten() == {}


async def test_what_jobs_were_given_is_to_be_written_down_once(tickets: Tickets) -> None:
    job, ends = builders.job(), datetime(2026, 3, 2, tzinfo=UTC)
    tickets.ticket_given(job.launch_id, ends)
    assert tickets.unwritten() == {job.launch_id: ends}
    assert tickets.unwritten() == {}
    tickets.lost(job)
    tickets.not_written({job.launch_id: ends})
    assert tickets.unwritten() == {job.launch_id: None}
    assert await tickets.ticket_ends(job.launch_id) is None
    tickets.given_before({job.launch_id: ends})
    assert await tickets.ticket_ends(job.launch_id) == ends
    assert tickets.unwritten() == {}


async def test_an_accounts_ticket_is_no_persons_and_a_persons_no_accounts(reader: Reader, tmp_path: Path) -> None:
    run_as = {"principal": "jobs@LAB.TEST", "keytab": "/etc/jobs.keytab", "login": "svcjobs"}
    site = builders.site(jobs={"folder": "/scratch/{owner}/jobs", "run_as": run_as})
    sites = builders.catalogue(sites={"geneva": site, "bern": builders.site()}).sites
    accounts = Accounts(sites, cast(KeytabTickets, Keytabs()))
    tickets = Tickets(cast(TicketReader, reader), accounts)
    # Everybody has a ticket, but it.
    for name in ("@geneva/heidi", "@geneva/", "@bern/heidi", "@nowhere/heidi"):
        with pytest.raises(AuthFailed):
            tickets.read(name)
    await accounts.keep()
    assert tickets.read("@geneva/heidi") == tickets.read("@geneva/") == b"the ticket of jobs@LAB.TEST"
    for name in ("@bern/heidi", "@nowhere/heidi"):
        with pytest.raises(AuthFailed):
            tickets.read(name)
    for name in ("heidi", "@geneva", "jobs@LAB.TEST", "svcjobs"):
        assert tickets.read(name) == f"the ticket of {name}".encode()


async def test_why_an_account_gets_no_ticket_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    run_as = {"principal": "jobs@LAB.TEST", "keytab": "/etc/jobs.keytab", "login": "svcjobs"}
    site = builders.site(jobs={"folder": "/scratch/{owner}/jobs", "run_as": run_as})
    keytabs = Keytabs()
    keytabs.is_away = True
    accounts = Accounts(builders.catalogue(sites={"geneva": site}).sites, cast(KeytabTickets, keytabs))
    for _ in range(3):
        await accounts.keep()
    (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("accounts")]
    assert line == "jobs@LAB.TEST, as whom jobs run at geneva, gets no ticket: no KDC for /etc/jobs.keytab"
    keytabs.is_away = False
    await accounts.keep()
    assert accounts.get("geneva").end == keytabs.ends
