import asyncio
import threading
from contextvars import ContextVar

import pytest
import sqlalchemy as sa

from job_service.errors import StoreAway
from job_service.store import connections
from job_service.store.store import Store

_SECONDS = 60


@pytest.fixture
async def file(sqlite: str) -> Store:
    return await Store.open(sqlite)


async def test_the_loop_goes_on_while_a_transaction_of_sqlite_takes_its_time(file: Store) -> None:
    goes_on = threading.Event()
    waits = asyncio.create_task(file._database.write(lambda _: goes_on.wait(_SECONDS)))
    await asyncio.sleep(0.01)
    goes_on.set()
    assert await waits
    await file.close()


async def test_one_writes_while_others_read(file: Store) -> None:
    all_there = threading.Barrier(3)

    def meets(_: sa.Connection) -> int:
        return all_there.wait(_SECONDS)

    database = file._database
    found = await asyncio.gather(database.write(meets), database.read(meets), database.read(meets))
    assert sorted(found) == [0, 1, 2]
    await file.close()


async def test_a_transaction_has_what_its_caller_has_in_context(file: Store) -> None:
    mark = ContextVar("mark", default="")
    mark.set("alice's")
    assert await file._database.read(lambda _: mark.get()) == "alice's"
    await file.close()


async def test_who_does_not_get_a_turn_is_told_that_the_database_is_away(
    file: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, begun = threading.Event(), threading.Event()

    def stays(_: sa.Connection) -> bool:
        begun.set()
        return ends.wait(_SECONDS)

    first = asyncio.create_task(file._database.write(stays))
    await asyncio.to_thread(begun.wait, _SECONDS)
    monkeypatch.setattr(connections, "TURN_SECONDS", 0.01)
    seen: list[str] = []
    with pytest.raises(StoreAway):
        await file._database.write(lambda _: seen.append("written"))
    ends.set()
    assert await first
    monkeypatch.undo()
    await file._database.write(lambda _: seen.append("next"))
    # What had no turn was not done later either.
    assert seen == ["next"]
    await file.close()


async def test_a_caller_that_is_cancelled_leaves_its_turn_until_the_transaction_ends(file: Store) -> None:
    ends, seen = threading.Event(), list[str]()

    def first(_: sa.Connection) -> None:
        ends.wait(_SECONDS)
        seen.append("first")

    task = asyncio.create_task(file._database.write(first))
    await asyncio.sleep(0.01)
    task.cancel()
    second = asyncio.create_task(file._database.write(lambda _: seen.append("second")))
    await asyncio.sleep(0.01)
    assert not seen
    ends.set()
    await second
    assert seen == ["first", "second"]
    await file.close()
