import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from job_service.errors import QuotaExceeded, StoreAway
from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store.errors import DatabaseTaken
from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from job_service.store.values import IdempotencyKey, JobFilter
from tests.job_service.store.builders import RUNS, a_project, accepted, brought, new, within
from tests.support import postgres

_KEY = IdempotencyKey("monday", "abc")


async def refuses_all(store: Store, record: JobRecord) -> None:
    """See everything that writes be told that the database is away."""
    for asked in (
        store.jobs.accept(new(), _KEY),
        store.jobs.change(record, {"stage": Stage.READY}, "It is sent."),
        store.jobs.change_all([(record, {"stage": Stage.READY}, "It is sent.")]),
        store.people.seen("bob"),
        store.audit.add("ruth", "cancel", "x"),
    ):
        with pytest.raises(StoreAway):
            await asked
    assert await a_page_or_none(store) in (None, record)


async def a_page_or_none(store: Store) -> JobRecord | None:
    """The one job that there is, if the database can be read."""
    with contextlib.suppress(StoreAway):
        return (await store.jobs.page(JobFilter())).items[0]
    return None


async def goes_on(store: Store, record: JobRecord) -> None:
    """See that nothing was written by half, and that all goes on."""
    assert await store.jobs.get(record.job_id) == record
    assert await store.jobs.count(JobFilter()) == 1
    assert len(await store.jobs.events_after(None, 0)) == 1
    assert await store.jobs.known("alice", _KEY) is None
    assert (await store.jobs.accept(new(), _KEY))[1]
    await brought(store, record, *RUNS, Stage.SUCCESSFUL)


async def test_a_database_that_is_locked_is_away_until_it_is_free_again(sqlite: str) -> None:
    store = await Store.open(f"{sqlite}?timeout=0.05")
    record = await accepted(store, new())
    other = sqlite3.connect(sa.make_url(sqlite).database or "")
    other.execute("BEGIN IMMEDIATE")
    await refuses_all(store, record)
    assert await a_page_or_none(store) == record  # whoever reads waits for nobody
    other.rollback()
    other.close()
    await goes_on(store, record)
    await store.close()


async def test_a_database_that_is_full_is_away_until_there_is_space(sqlite: str) -> None:
    store = await Store.open(sqlite)
    record = await accepted(store, new())

    def limit(connection: sa.Connection, pages: int | None = None) -> None:
        used = pages or connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {used}")

    await store._database.write(limit)
    big = "x" * 100_000
    with pytest.raises(StoreAway):
        await store.jobs.accept(new(title=big), _KEY)
    with pytest.raises(StoreAway):
        await store.jobs.change(record, {"stage": Stage.READY, "title": big}, "It is sent.")
    await store._database.write(lambda connection: limit(connection, 10**6))
    await goes_on(store, record)
    await store.close()


async def test_a_postgresql_that_restarts_is_away_meanwhile(postgresql: str) -> None:
    store = await Store.open(postgresql)
    record = await accepted(store, new())
    with postgres.stopped(postgresql):
        await refuses_all(store, record)
        assert await a_page_or_none(store) is None
        with pytest.raises(StoreAway):
            await store.ping()
    await store.ping()
    await goes_on(store, record)
    with pytest.raises(DatabaseTaken):
        await Store.open(postgresql)
    await store.close()


async def test_a_postgresql_that_ends_in_the_middle_of_a_transaction_keeps_none_of_it(postgresql: str) -> None:
    store = await Store.open(postgresql)
    record = await accepted(store, new())

    def half(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DELETE FROM events")
        with postgres.stopped(postgresql):
            pass
        connection.exec_driver_sql("DELETE FROM job_texts")

    with pytest.raises(StoreAway):
        await store._database.write(half)
    await goes_on(store, record)
    await store.close()


async def test_who_changes_the_project_elsewhere_is_waited_for(postgresql: str) -> None:
    store = await Store.open(postgresql)
    project = await a_project(store)
    engine = sa.create_engine(postgresql.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as other:
        other.execute(sa.text("SELECT 1 FROM projects FOR UPDATE"))
        waits = asyncio.create_task(store.jobs.accept(within(project, limit_s=10)))
        asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        while not other.execute(asked).scalar():
            await asyncio.sleep(0.01)
            other.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        other.execute(sa.text("UPDATE projects SET init_time = 5"))
    with pytest.raises(QuotaExceeded):
        await waits
    engine.dispose()
    await store.close()


async def test_a_caller_that_is_cancelled_leaves_all_or_nothing(store: Store) -> None:
    record = await accepted(store, new())
    for pause in range(12):
        waits = asyncio.create_task(store.jobs.change(record, {"title": str(pause)}, "It has a title."))
        for _ in range(pause):
            await asyncio.sleep(0)
        waits.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waits
        # What has begun is finished before anything else is written.
        await store.audit.add("ruth", "look", record.job_id)
        record = await store.jobs.get(record.job_id)
        assert len(await store.jobs.events(record.job_id)) == record.version
    await store.jobs.change(record, {"title": "last"})


async def test_a_file_that_was_replaced_is_not_written(sqlite: str, tmp_path: Path) -> None:
    store = await Store.open(sqlite)
    record = await accepted(store, new())
    file = Path(sa.make_url(sqlite).database or "")
    file.rename(tmp_path / "kept")
    await refuses_all(store, record)
    shutil.copy(tmp_path / "kept", file)
    await refuses_all(store, record)
    (tmp_path / "kept").replace(file)
    await goes_on(store, record)
    await store.close()


async def test_two_services_on_one_database_the_second_refuses(url: str) -> None:
    first = await Store.open(url)
    with pytest.raises(DatabaseTaken, match="Another service"):
        await Store.open(url)
    await first.close()
    second = await Store.open(url)
    await second.close()


async def test_a_database_that_a_service_uses_is_not_upgraded(url: str) -> None:
    store = await Store.open(url)
    with pytest.raises(DatabaseTaken):
        await asyncio.to_thread(upgrade, url)
    await store.close()


async def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(StoreAway):
        await Store.open("postgresql://hub@/jobs?host=/nowhere")


async def test_what_the_database_never_takes_is_no_fault_of_its_own(postgresql: str) -> None:
    store = await Store.open(postgresql)
    with pytest.raises(sa.exc.DBAPIError):
        await store.audit.add("ruth", "look", "\0")
    await store.ping()
    await store.close()
