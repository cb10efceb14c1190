import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecords, worker
from tests.support import builders
from tests.support.waiting import until

ID = builders.LAUNCH_ID


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "launches.sqlite"


@pytest.fixture
async def records(path: Path) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(f"sqlite:///{path}?timeout=0.05")
    await records.begin(ID, builders.launch())
    yield records
    await records.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "AGAIN_SECONDS", 0.02)


def _holding(path: Path) -> sqlite3.Connection:
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    return holder


async def test_the_event_loop_goes_on_while_the_database_is_locked(path: Path) -> None:
    records = LaunchRecords(f"sqlite:///{path}?timeout=30")
    holder = _holding(path)
    writing = asyncio.create_task(records.accept("alice", "", {"time": "2h"}))
    # A loop that waits for the lock would never come here.
    for _ in range(100):
        await asyncio.sleep(0)
    assert await records.accepted("alice", "") == {}
    assert not writing.done()
    holder.close()
    await writing
    assert await records.accepted("alice", "") == {"time": "2h"}
    await records.close()


async def test_a_database_that_stays_locked_is_told_after_a_while(records: LaunchRecords, path: Path) -> None:
    holder = _holding(path)
    with pytest.raises(DatabaseAway, match=r"cannot use its database of launches\. \[database is locked\]"):
        await records.accept("alice", "", {})
    holder.close()
    await records.accept("alice", "", {})


async def test_a_database_that_hangs_is_left_alone_and_what_had_not_begun_is_not_done(
    records: LaunchRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", 0.05)
    goes_on = threading.Event()
    hanging = asyncio.create_task(records._worker.write(lambda _: goes_on.wait()))
    await asyncio.sleep(0)
    with pytest.raises(DatabaseAway, match="no answer within"):
        await records.accept("alice", "", {"time": "2h"})
    with pytest.raises(DatabaseAway):
        await hanging
    goes_on.set()
    monkeypatch.undo()
    assert await records.accepted("alice", "") == {}
    await records.accept("alice", "", {"time": "3h"})
    assert await records.accepted("alice", "") == {"time": "3h"}


async def test_what_nobody_waits_for_is_written_in_order_once_that_is_possible(
    records: LaunchRecords, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    holder = _holding(path)
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 20000)
    records.reached(ID, "n1", 8888, 20001)
    await records.want_stop(ID)
    records.end(ID, "CANCELLED")
    await until(lambda: "keeps trying" in caplog.text)
    holder.close()
    await records.settled()
    record = await records.get(ID)
    assert record is not None
    assert (record.job_id, record.local_port, record.stop_wanted) == ("42", 20001, True)
    assert record.end_reason == "stopped"
    assert caplog.text.count("cannot be written; the hub keeps trying") == 1
    assert "can be written again" in caplog.text


async def test_what_waits_is_written_when_the_hub_ends(path: Path) -> None:
    earlier = LaunchRecords(f"sqlite:///{path}")
    await earlier.begin(ID, builders.launch())
    earlier.submitted(ID, "42")
    await earlier.close()
    later = LaunchRecords(f"sqlite:///{path}")
    record = await later.get(ID)
    assert record is not None
    assert record.job_id == "42"
    await later.close()


async def test_what_could_not_be_written_by_the_end_is_named(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    records = LaunchRecords(f"sqlite:///{path}?timeout=0.05")
    holder = _holding(path)
    records.submitted(ID, "42")
    await records.close()
    holder.close()
    assert f"never written to the database of launches: job_id of {ID}" in caplog.text


async def test_a_value_that_no_database_takes_is_logged_and_holds_nothing_up(
    records: LaunchRecords, caplog: pytest.LogCaptureFixture
) -> None:
    records.note_stages(ID, [{"name": object()}])
    records.submitted(ID, "42")
    await records.settled()
    record = await records.get(ID)
    assert record is not None
    assert record.job_id == "42"
    assert f"not written to the database of launches: the stages of {ID}" in caplog.text


async def test_a_database_that_was_replaced_is_not_written(records: LaunchRecords, path: Path) -> None:
    path.rename(path.with_name("away"))
    sqlite3.connect(path).close()
    with pytest.raises(DatabaseAway, match="removed or replaced while the hub ran; restart the hub"):
        await records.get(ID)
    with pytest.raises(DatabaseAway):
        await records.accept("alice", "", {})
    path.unlink()
    path.with_name("away").rename(path)
    assert await records.get(ID) is not None


async def test_after_the_end_nothing_is_written(records: LaunchRecords) -> None:
    await records.close()
    with pytest.raises(DatabaseAway):
        await records.get(ID)
    records.submitted(ID, "42")
    await records.settled()


async def test_connections_that_a_server_closed_are_made_again(postgresql: str) -> None:
    records = LaunchRecords(postgresql)
    await records.begin(ID, builders.launch())
    engine = sa.create_engine(postgresql)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    engine.dispose()
    await records.accept("alice", "", {"time": "2h"})
    assert await records.accepted("alice", "") == {"time": "2h"}
    await records.close()


async def test_nobody_waits_for_those_who_search(records: LaunchRecords) -> None:
    go_on = threading.Event()
    searches = [asyncio.create_task(records._worker.search(lambda _: go_on.wait(30))) for _ in range(3)]
    # A thread that searches is one of its own.
    assert await records.get(ID)
    assert await records.accepted("alice", "") == {}
    go_on.set()
    assert await asyncio.gather(*searches) == [True, True, True]
