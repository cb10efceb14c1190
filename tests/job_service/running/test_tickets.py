from datetime import UTC, datetime
from typing import cast

import pytest

from job_service.running.tickets import Tickets
from kerberos_auth.errors import TicketMissing
from kerberos_auth.reader import TicketReader
from tests.job_service.running.service import Reader
from tests.support import builders


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def told(reader: Reader) -> list[str]:
    return []


@pytest.fixture
def tickets(reader: Reader, told: list[str]) -> Tickets:
    made = Tickets(cast(TicketReader, reader))
    made.subscribe(told.append)
    return made


def test_a_new_ticket_is_told_once(reader: Reader, tickets: Tickets, told: list[str]) -> None:
    for end in (100, 100, 200, 200):
        reader.ends["alice"] = 2**31 + end
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
