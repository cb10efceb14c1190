import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords, NewerDatabase, scripts
from slurm_ssh_spawner.launch.records.schema import TABLES
from tests.support import builders
from tests.support.folders import DATA

ID = builders.LAUNCH_ID
FIRST = DATA / "releases" / "0.1.0"


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(url)
    yield records
    await records.close()


async def _found(records: LaunchRecords, launch_id: str) -> LaunchRecord:
    await records.settled()
    record = await records.get(LaunchId(launch_id))
    assert record is not None
    return record


@pytest.fixture(params=sorted(path.name for path in (DATA / "releases").iterdir()))
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the database that a released version left."""
    return Path(shutil.copy(DATA / "releases" / request.param / "launches.sqlite", tmp_path))


async def test_the_database_of_every_release_is_opened_and_has_this_versions_tables(released: Path) -> None:
    for _ in range(2):
        async with _opened(f"sqlite:///{released}"):
            pass
    engine = sa.create_engine(f"sqlite:///{released}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    engine.dispose()


async def test_nothing_of_the_first_release_is_lost(tmp_path: Path) -> None:
    path = shutil.copy(FIRST / "launches.sqlite", tmp_path)
    before = sqlite3.connect(path)
    texts = dict(before.execute("SELECT launch_id, script FROM runs"))
    before.close()
    async with _opened(f"sqlite:///{path}") as records:
        ended, running = await _found(records, "000000000001"), await _found(records, "000000000002")
        assert (ended.end_reason, ended.job_id, ended.started_with) == ("TIMEOUT", "17", None)
        assert ended.begun == datetime(2026, 11, 26, 7, 8, 28, 267542, UTC)
        assert (running.node, running.port, running.local_port, running.ended) == ("n2", 8889, 20000, None)
        assert [record.launch_id for record in await records.to_stop("bob")] == ["000000000003"]
        assert await records.releases(running.launch_id) == (
            "/usr/bin/scancel --user=alice --name=spark_cluster-000000000002",
        )
        assert await records.accepted("alice", "") == {"profile": "jupyterlab", "time": "2h"}
        runs = {launch_id: await records.run(LaunchId(launch_id)) for launch_id in texts}
        assert {launch_id: run and run.script for launch_id, run in runs.items()} == texts
        run = runs[ended.launch_id]
        assert run is not None
        assert [stage["name"] for stage in run.stages] == ["loaded", "starting"]


async def test_a_database_that_lacks_a_table_gets_it(tmp_path: Path) -> None:
    path = shutil.copy(FIRST / "launches.sqlite", tmp_path)
    before = sqlite3.connect(path)
    before.execute("DROP TABLE releases")
    before.close()
    async with _opened(f"sqlite:///{path}") as records:
        assert await records.releases(LaunchId("000000000002")) == ()


async def test_a_change_of_the_tables_that_fails_leaves_them_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(FIRST / "launches.sqlite", tmp_path))
    before = _dump(path)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(op, "batch_alter_table", fails)
    with pytest.raises(OSError, match="No space"):
        LaunchRecords(f"sqlite:///{path}")
    assert _dump(path) == before


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


async def test_a_database_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "launches.sqlite"
    async with _opened(f"sqlite:///{path}"):
        pass
    later = sqlite3.connect(path)
    later.execute("UPDATE alembic_version SET version_num = '2099'")
    later.commit()
    later.close()
    before = _dump(path)
    with pytest.raises(NewerDatabase, match="2099"):
        LaunchRecords(f"sqlite:///{path}")
    assert _dump(path) == before


def _modes(path: Path) -> dict[str, int]:
    return {name.name: stat.S_IMODE(name.stat().st_mode) for name in path.parent.glob(f"{path.name}*")}


async def test_nobody_else_can_read_the_database_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "launches.sqlite"
    umask = os.umask(0o022)
    try:
        async with _opened(f"sqlite:///{path}") as records:
            await records.begin(ID, builders.launch())
            assert _modes(path) == dict.fromkeys(
                ("launches.sqlite", "launches.sqlite-wal", "launches.sqlite-shm"), 0o600
            )
    finally:
        os.umask(umask)


async def test_a_database_that_others_could_read_is_closed_to_them(released: Path) -> None:
    beside = Path(f"{released}-wal")
    beside.touch()
    for path in (released, beside):
        path.chmod(0o644)
    async with _opened(f"sqlite:///{released}") as records:
        await records.begin(ID, builders.launch())
        assert set(_modes(released).values()) == {0o600}


async def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "launches.sqlite"
    async with _opened(f"sqlite:///{path}?timeout=0") as records:
        await records.begin(ID, builders.launch())
        writer = sqlite3.connect(path)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE launches SET node = 'n1'")
        assert (await _found(records, ID)).node == ""
        writer.close()


async def test_postgresql_has_this_versions_tables(postgresql: str) -> None:
    async with _opened(postgresql) as records:
        await records.begin(ID, builders.launch())
        records.note_script(ID, f"#!/bin/bash\necho 100% of {ID}\n")
        await records.settled()
        run = await records.run(ID)
        assert run is not None
        assert run.script == f"#!/bin/bash\necho 100% of {ID}\n"
    engine = sa.create_engine(postgresql)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    engine.dispose()


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_times_are_utc_whatever_the_clocks_of_the_database_show(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgresql") if backend == "postgresql" else f"sqlite:///{tmp_path}/launches"
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    async with _opened(url) as records:
        before = datetime.now(UTC)
        await records.begin(ID, builders.launch())
        records.ticket_given(ID, summer)
        records.end(ID, "TIMEOUT")
    async with _opened(url) as later:
        record = await _found(later, ID)
    assert record.ended is not None
    assert before <= record.begun <= record.ended <= datetime.now(UTC)
    assert record.ticket_ends is not None
    assert record.ticket_ends.isoformat() == "2026-07-01T10:00:00+00:00"


async def test_times_that_the_first_release_left_in_postgresql_stay_the_same_moments(postgresql: str) -> None:
    engine = sa.create_engine(postgresql)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            'CREATE TABLE launches (launch_id VARCHAR(12) PRIMARY KEY, "user" VARCHAR, owner VARCHAR,'
            " site_key VARCHAR, profile_key VARCHAR, choices JSON, job_id VARCHAR, node VARCHAR, port INTEGER,"
            " local_port INTEGER, stop_wanted BOOLEAN, begun TIMESTAMP, ended TIMESTAMP, end_reason VARCHAR)"
        )
        connection.exec_driver_sql(
            "INSERT INTO launches VALUES ('0123456789ab', 'alice', 'alice', 'geneva', 'jupyterlab', '{}', '17',"
            " '', 0, 0, false, %(now)s, NULL, '')",
            {"now": now},
        )
    engine.dispose()
    async with _opened(postgresql) as records:
        assert (await _found(records, ID)).begun == now


@pytest.mark.parametrize("text", ["", "%", "100 %s %(launch_id)s %%", f"a {ID} b {ID}", f"%{ID}%"])
def test_a_script_is_given_back_as_it_was_sent(text: str) -> None:
    assert scripts.filled(scripts.pattern(text, ID), ID) == text
