import asyncio
import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store import upgrading
from job_service.store.errors import DatabaseBehind, DatabaseNewer, DatabaseOpen, DatabaseUnknown
from job_service.store.schema import REVISIONS, TABLES
from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from job_service.store.values import IdempotencyKey
from profiles.catalogue.dataset import Dataset
from tests.job_service.store.builders import NOW, RUNS, Time, a_project, accepted, brought, new, within


def sync(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def file_of(url: str) -> Path:
    return Path(sa.make_url(url).database or "")


async def test_the_revisions_make_the_tables_that_this_version_wants(url: str) -> None:
    engine = sync(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REVISIONS})
        assert compare_metadata(context, TABLES) == []
    engine.dispose()


async def test_a_database_is_upgraded_once(url: str) -> None:
    store = await Store.open(url)
    record = await accepted(store, new())
    await store.close()
    await asyncio.to_thread(upgrade, url)
    store = await Store.open(url)
    assert await store.jobs.get(record.job_id) == record
    await store.close()


def _begun_with(url: str, revision: str) -> sa.Engine:
    """Make the tables of an earlier revision, and return what reaches them."""
    engine, config = sync(url), upgrading._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def _move(before: sa.Engine, after: sa.Engine) -> None:
    """Put all rows into the tables of the first revision, as far as those have places for them."""
    old = sa.MetaData()
    with before.connect() as source, after.begin() as target:
        old.reflect(target)
        for table in TABLES.sorted_tables:
            if table.name not in old.tables:
                continue
            there = old.tables[table.name]
            rows = source.execute(sa.select(*(table.c[column.name] for column in there.c))).mappings().all()
            assert rows, table.name
            for row in rows:
                kept = {name: _as_then(value) if name == "request" else value for name, value in row.items()}
                target.execute(sa.insert(there).values(kept))
            number = next((name for name in ("id", "number") if name in there.c), None)
            if number and target.dialect.name == "postgresql":
                told = {"of": there.name, "column": number, "last": max(row[number] for row in rows)}
                target.execute(sa.text("SELECT setval(pg_get_serial_sequence(:of, :column), :last)"), told)


def _as_then(request: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in request.items() if name not in ("datasets", "mode")}


async def test_what_the_first_version_has_kept_is_there_after_all_upgrades(bare: str, sqlite: str) -> None:
    key, time = IdempotencyKey("monday", "abc"), Time(NOW)
    store = await Store.open(sqlite, time)
    project = await a_project(store, "alice", limits={"nodes": 4})
    first, _ = await store.jobs.accept(within(project, title="Ünïcode ☃"), key)
    done = await brought(store, await accepted(store, within(project)), *RUNS, Stage.FAILED, elapsed_s=60)
    await store.jobs.keep_texts({done.job_id: "#!/bin/bash\n"})
    await store.people.ban("bob", project, "enough", "ruth")
    quota, events = await store.ledger.quota(project, "alice"), await store.jobs.events(done.job_id)
    await store.close()
    old, new_one = sync(sqlite), await asyncio.to_thread(_begun_with, bare, "1")
    await asyncio.to_thread(_move, old, new_one)
    old.dispose()
    new_one.dispose()
    with pytest.raises(DatabaseBehind):
        await Store.open(bare, time)
    await asyncio.to_thread(upgrade, bare)
    store = await Store.open(bare, time)
    assert [await store.jobs.get(each.job_id) for each in (first, done)] == [first, done]
    assert (first.kind, first.identity, first.spec.mode, first.spec.datasets) == ("batch", "person", "single", ())
    assert (await store.jobs.events(done.job_id), await store.jobs.text(done.job_id)) == (events, "#!/bin/bash\n")
    assert await store.ledger.quota(project, "alice") == quota
    assert [each.user for each in await store.people.bans()] == ["bob"]
    assert await store.jobs.accept(within(project), key) == (first, False)
    # What is new goes on from there.
    await brought(store, first, Stage.CANCELED)
    scans = [Dataset(f"demo:{at}", str(at), "scan", f"/data/{at}") for at in range(2)]
    spec = JobSpec("recon", "geneva", datasets=tuple(each.id for each in scans), mode="array")
    wanted = [within(project, spec=replace(spec, datasets=(each.id,)), datasets=(each,)) for each in scans]
    whole = within(project, spec=spec, datasets=tuple(scans))
    group, _ = await store.jobs.accept_group(wanted, (), IdempotencyKey("array", "abc"), whole)
    assert [each.task for each in await store.jobs.tasks(group.id)] == [0, 1]
    assert (await store.ledger.quota(project, "alice")).time_left == quota.time_left - 3600
    await store.close()


async def test_a_database_without_tables_is_behind_and_stays_so(tmp_path: Path, server: str) -> None:
    for url in (f"sqlite:///{tmp_path}/no.sqlite", server.replace("+psycopg", "")):
        with pytest.raises(DatabaseBehind, match="jupyterhub-jobs upgrade-database"):
            await Store.open(url)
    assert list(tmp_path.iterdir()) == []


async def test_a_database_of_a_later_version_is_neither_used_nor_upgraded(url: str) -> None:
    engine = sync(url)
    with engine.begin() as connection:
        connection.execute(sa.update(sa.table(REVISIONS, sa.column("version_num"))).values(version_num="99"))
    engine.dispose()
    with pytest.raises(DatabaseNewer, match="99"):
        await Store.open(url)
    with pytest.raises(DatabaseNewer, match="99"):
        await asyncio.to_thread(upgrade, url)


async def test_tables_of_others_in_the_same_database_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "shared.sqlite"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    other.execute("INSERT INTO alembic_version VALUES ('theirs')")
    other.commit()
    await asyncio.to_thread(upgrade, f"sqlite:///{file}")
    assert other.execute("SELECT * FROM alembic_version").fetchall() == [("theirs",)]
    other.close()


async def test_a_new_file_is_private_whatever_the_umask_is_and_so_is_all_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await asyncio.to_thread(upgrade, f"sqlite:///{tmp_path}/jobs.sqlite")
        store = await Store.open(f"sqlite:///{tmp_path}/jobs.sqlite")
        await accepted(store, new())
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        await store.close()
    finally:
        os.umask(before)
    assert set(found.values()) == {0o600}
    assert "jobs.sqlite-wal" in found


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
async def test_a_database_open_to_others_is_refused_and_an_upgrade_closes_it(sqlite: str, mode: int) -> None:
    file_of(sqlite).chmod(mode)
    with pytest.raises(DatabaseOpen, match="0600"):
        await Store.open(sqlite)
    await asyncio.to_thread(upgrade, sqlite)
    assert stat.S_IMODE(file_of(sqlite).stat().st_mode) == 0o600
    store = await Store.open(sqlite)
    await store.close()


async def test_a_database_of_another_account_is_refused(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: file_of(sqlite).stat().st_uid + 1)
    with pytest.raises(DatabaseOpen):
        await Store.open(sqlite)


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE ledger (of_somebody_else TEXT)")
    other.commit()
    with pytest.raises(sa.exc.SQLAlchemyError):
        await asyncio.to_thread(upgrade, f"sqlite:///{file}")
    assert other.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("ledger",)]
    other.close()


@pytest.mark.parametrize("url", ["mysql://localhost/jobs", "sqlite://", "sqlite:///:memory:", "jobs.sqlite"])
async def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnknown):
        await Store.open(url)
