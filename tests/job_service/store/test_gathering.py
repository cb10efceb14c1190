import asyncio
import contextlib
import sys
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from job_service.errors import Banned, KeyReused, NotAMember, QuotaExceeded, StoreAway
from job_service.record import JobRecord
from job_service.store import gathering
from job_service.store.accounting import Member
from job_service.store.gathering import Gathered
from job_service.store.store import Store
from job_service.store.values import IdempotencyKey, JobFilter, NewJob, new_job_id
from languages import speaking
from tests.job_service.store.builders import Time, a_project, accepted, new, within

_ACCEPTS = """
import asyncio, sys
from job_service.store.accounting import Member
from job_service.store.store import Store
from tests.job_service.store.builders import within

async def main(url):
    store = await Store.open(url)
    (project,) = await store.projects.all()

    async def one():
        while True:
            record, _ = await store.jobs.accept(within(project, limit_s=1, active_max=10**6))
            print(record.job_id, flush=True)

    await asyncio.gather(*(one() for _ in range(20)))

asyncio.run(main(sys.argv[1]))
"""
_KEY = IdempotencyKey("monday", "abc")

Came = tuple[JobRecord, bool] | BaseException


async def _at_once(store: Store, *wanted: tuple[NewJob, IdempotencyKey | None]) -> list[Came]:
    """What became of jobs that come while a first one is written."""
    before = asyncio.create_task(store.jobs.accept(new(owner="zoe")))
    await asyncio.sleep(0)
    found = await asyncio.gather(*(store.jobs.accept(*each) for each in wanted), return_exceptions=True)
    await before
    return found


@contextlib.contextmanager
def _commits(store: Store) -> Any:
    """Counts the transactions that are committed."""
    engine, seen = store.jobs._database._engines.writing.sync_engine, list[None]()

    def note(_: object) -> None:
        seen.append(None)

    sa.event.listen(engine, "commit", note)
    yield seen
    sa.event.remove(engine, "commit", note)


async def test_jobs_that_come_at_once_are_kept_in_one_transaction_in_their_order(store: Store) -> None:
    with _commits(store) as commits:
        found = await _at_once(store, *((new(title=str(number)), None) for number in range(gathering.MOST)))
    assert len(commits) == 2  # that of the one before, and that of all of them
    records = [each[0] for each in found if isinstance(each, tuple)]
    assert [each.title for each in records] == [str(number) for number in range(gathering.MOST)]
    assert [each.id for each in records] == sorted(each.id for each in records)
    assert [await store.jobs.get(each.job_id) for each in records] == records
    assert len({each.job_id for each in await store.jobs.events_after("alice", 0)}) == gathering.MOST


async def test_one_that_is_refused_is_nothing_to_the_others(store: Store) -> None:
    project = await a_project(store)
    await store.people.ban("bob", None, "noise", "ruth")
    long, short = within(project, limit_s=18_000), within(project, limit_s=1)
    first, second, banned, other = await _at_once(
        store, (long, None), (short, None), (new(owner="bob"), None), (new(), None)
    )
    assert isinstance(first, tuple)
    assert isinstance(other, tuple)
    assert isinstance(second, QuotaExceeded)
    assert isinstance(banned, Banned)
    assert await store.jobs.count(JobFilter()) == 3
    assert (await store.ledger.quota(project, "alice")).time_left == 0
    # Of whom nothing was kept, it is not kept that they were here.
    assert [each.name for each in (await store.people.page()).items] == ["alice", "zoe"]


async def test_each_has_the_groups_of_its_own_request(store: Store) -> None:
    project = await a_project(store, "bob")
    await store.projects.add_member(project, Member("group", "lab"), "ruth")
    inside, outside = within(project, limit_s=1, groups=frozenset({"lab"})), within(project, limit_s=1)
    for wanted in ((inside, outside), (outside, inside)):
        found = await _at_once(store, *((replace(each, job_id=new_job_id()), None) for each in wanted))
        assert [isinstance(each, tuple) for each in found] == [each is inside for each in wanted]
        assert any(isinstance(each, NotAMember) for each in found)


async def test_what_the_database_does_not_take_of_one_is_nothing_to_the_others(store: Store) -> None:
    taken = await accepted(store, new())
    found = await _at_once(store, (new(), None), (new(job_id=taken.job_id), None), (new(), None))
    assert [isinstance(each, tuple) for each in found] == [True, False, True]
    assert isinstance(found[1], sa.exc.IntegrityError)
    assert await store.jobs.count(JobFilter()) == 4


async def test_of_requests_with_one_key_the_first_makes_the_job(store: Store) -> None:
    reused = IdempotencyKey(_KEY.key, "another")
    first, again, other, alone = await _at_once(
        store, (new(), _KEY), (new(), _KEY), (new(), reused), (new(owner="bob"), _KEY)
    )
    assert isinstance(first, tuple)
    assert isinstance(alone, tuple)
    assert again == (first[0], False)
    assert isinstance(other, KeyReused)
    assert alone[1]
    assert alone[0] != first[0]
    assert await store.jobs.count(JobFilter(owner="alice")) == 1


async def test_a_key_of_one_that_was_refused_is_free_for_the_next(store: Store) -> None:
    project = await a_project(store)
    refused, kept = await _at_once(store, (within(project, limit_s=99_999), _KEY), (new(), _KEY))
    assert isinstance(refused, QuotaExceeded)
    assert isinstance(kept, tuple)
    assert kept[1]


async def test_each_is_refused_in_the_language_of_its_own_request(store: Store) -> None:
    await store.people.ban("alice", None, "noise", "ruth")

    async def refused(language: str) -> str:
        with speaking(language), pytest.raises(Banned) as said:
            await store.jobs.accept(new())
        return str(said.value)

    before = asyncio.create_task(store.jobs.accept(new(owner="zoe")))
    await asyncio.sleep(0)
    french, english = await asyncio.gather(refused("fr"), refused("en"))
    await before
    assert french != english
    assert english == await refused("en")
    assert french == await refused("fr")


async def test_what_nobody_waits_for_any_more_is_not_begun(store: Store) -> None:
    before = asyncio.create_task(store.jobs.accept(new(owner="zoe")))
    await asyncio.sleep(0)
    waits = [asyncio.create_task(store.jobs.accept(new(title=title))) for title in ("gone", "there")]
    await asyncio.sleep(0)
    waits[0].cancel()
    record, _ = await waits[1]
    await before
    assert [each.title for each in (await store.jobs.page(JobFilter(owner="alice"))).items] == ["there"]
    assert record.title == "there"


async def test_a_service_that_ends_keeps_what_is_under_way_and_refuses_what_waits(sqlite: str, time: Time) -> None:
    store = await Store.open(sqlite, time)
    under_way = asyncio.create_task(store.jobs.accept(new()))
    await asyncio.sleep(0.01)
    waits = asyncio.create_task(store.jobs.accept(new()))
    await asyncio.sleep(0)
    await store.close()
    record, _ = await under_way
    came = (await asyncio.gather(waits, return_exceptions=True))[0]
    again = await Store.open(sqlite, time)
    kept = {each.job_id for each in (await again.jobs.page(JobFilter())).items}
    await again.close()
    assert kept == {record.job_id} | ({came[0].job_id} if isinstance(came, tuple) else set())
    assert isinstance(came, tuple | StoreAway)


async def test_what_was_answered_is_kept_when_the_service_is_killed(sqlite: str, time: Time) -> None:
    store = await Store.open(sqlite, time)
    project = await a_project(store, init_time=10**6, user_time=10**6)
    await store.close()
    pipe = asyncio.subprocess.PIPE
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", _ACCEPTS, sqlite, stdout=pipe)
    assert service.stdout
    answered = [(await service.stdout.readline()).decode().strip() for _ in range(130)]
    service.kill()
    rest = await service.stdout.read()
    answered += [line.decode() for line in rest.splitlines(keepends=False) if len(line) == 12]
    await service.wait()
    store = await Store.open(sqlite, time)
    kept = await store.jobs.count(JobFilter(owner="alice"))
    assert set(await store.jobs.records(answered)) == set(answered)
    # Of those that nobody was told of as well, all is there or nothing.
    assert len({each.job_id for each in await store.jobs.events_after("alice", 0, 10**6)}) == kept
    assert (await store.ledger.quota(project, "alice")).time_left == 10**6 - kept
    await store.close()


async def test_a_database_that_is_away_is_so_for_each_with_an_error_of_its_own() -> None:
    async def do(_: object) -> list[int | Exception]:
        raise StoreAway("away")

    gathered = Gathered[int, int](do)
    found = await asyncio.gather(*map(gathered.one, range(3)), return_exceptions=True)
    assert all(isinstance(each, StoreAway) for each in found)
    assert len({id(each) for each in found}) == 3


async def test_no_more_are_done_at_once_than_may_be() -> None:
    counts = []

    async def do(items: Any) -> list[int | Exception]:
        counts.append(len(items))
        await asyncio.sleep(0)
        return list(items)

    gathered = Gathered[int, int](do)
    many = range(2 * gathering.MOST + 7)
    assert await asyncio.gather(*map(gathered.one, many)) == list(many)
    assert counts == [gathering.MOST, gathering.MOST, 7]
    assert await gathered.one(1) == 1
