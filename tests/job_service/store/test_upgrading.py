import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from job_service.store.errors import DatabaseBehind, DatabaseNewer, DatabaseOpen, DatabaseUnknown
from job_service.store.schema import REVISIONS, TABLES
from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from tests.job_service.store.builders import accepted, new


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
