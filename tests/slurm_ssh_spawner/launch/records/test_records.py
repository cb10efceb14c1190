from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernels.shell import Shell
from slurm_ssh.job import LaunchId
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.records.schema import LAUNCHES, RELEASES, RUNS, SCRIPTS
from tests.support import builders

ID = builders.LAUNCH_ID


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/launches.sqlite"


@pytest.fixture
async def records(url: str) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(url)
    yield records
    await records.close()


async def _found(records: LaunchRecords, launch_id: str = ID) -> LaunchRecord:
    await records.settled()
    record = await records.get(LaunchId(launch_id))
    assert record is not None
    return record


async def test_a_launch_begins_with_what_was_asked_and_nothing_else(records: LaunchRecords) -> None:
    offer = builders.catalogue(sites={"geneva": builders.site(login_name={"alice": "ahartman"})})
    before = datetime.now(UTC)
    await records.begin(ID, builders.launch(offer, {"time": "2h", "qos": "high"}))
    record = await _found(records)
    assert (record.launch_id, record.user, record.owner) == (ID, "alice", "ahartman")
    assert (record.site_key, record.profile_key) == ("geneva", "jupyterlab")
    assert record.choices == {"time": "2h", "qos": "high"}
    assert (record.job_id, record.node, record.port, record.local_port) == ("", "", 0, 0)
    assert before <= record.begun
    assert (record.ended, record.end_reason) == (None, "")


async def test_a_record_follows_its_launch(records: LaunchRecords) -> None:
    await records.begin(ID, builders.launch())
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 20000)
    records.end(ID, "TIMEOUT")
    record = await _found(records)
    assert (record.job_id, record.node, record.port, record.local_port) == ("42", "n1", 8888, 20000)
    assert record.ended is not None
    assert record.ended >= record.begun
    assert record.end_reason == "TIMEOUT"


async def test_the_first_reason_of_an_end_stays(records: LaunchRecords) -> None:
    await records.begin(ID, builders.launch())
    records.end(ID, "stopped")
    first = await _found(records)
    records.end(ID, "CANCELLED")
    assert await _found(records) == first


async def test_launches_do_not_change_each_other(records: LaunchRecords) -> None:
    other = LaunchId("ffffffffffff")
    for launch_id in (ID, other):
        await records.begin(launch_id, builders.launch())
    before = await _found(records, other)
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 20000)
    records.end(ID, "FAILED")
    assert await _found(records, other) == before


async def test_of_an_unknown_launch_there_is_no_record(records: LaunchRecords) -> None:
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 0)
    records.end(ID, "gone from Slurm")
    await records.settled()
    assert await records.get(ID) is None


async def test_records_outlive_the_hub(url: str) -> None:
    earlier = LaunchRecords(url)
    await earlier.begin(ID, builders.launch())
    earlier.reached(ID, "n1", 8888, 20000)
    before = await _found(earlier)
    await earlier.close()
    later = LaunchRecords(url)
    assert await _found(later) == before
    await later.close()


async def test_a_reason_may_hold_any_text(records: LaunchRecords) -> None:
    text = '\'; DROP TABLE launches; -- é "x"'
    await records.begin(ID, builders.launch())
    records.end(ID, text)
    assert (await _found(records)).end_reason == text


async def test_a_record_has_what_its_job_was_started_with(records: LaunchRecords) -> None:
    launch = builders.launch()
    await records.begin(ID, launch)
    assert (await _found(records)).started_with == StartedWith.at(launch.site)


async def test_scripts_that_differ_in_their_launch_alone_are_kept_once(records: LaunchRecords) -> None:
    ids = [LaunchId(f"{number:012x}") for number in range(3)]
    for launch_id in ids:
        await records.begin(launch_id, builders.launch())
        records.note_script(launch_id, f"#SBATCH --job-name=jupyter-hub-{launch_id}\nprintf '%s' x\n")
    await records.settled()
    found = [await records.run(launch_id) for launch_id in ids]
    assert [run and run.script for run in found] == [
        f"#SBATCH --job-name=jupyter-hub-{launch_id}\nprintf '%s' x\n" for launch_id in ids
    ]
    assert await records._worker.read(lambda connection: len(connection.execute(sa.select(SCRIPTS)).all())) == 1


async def _tables(records: LaunchRecords) -> dict[str, int]:
    tables = (LAUNCHES, RUNS, SCRIPTS, RELEASES)
    counts = {table.name: sa.select(sa.func.count()).select_from(table) for table in tables}
    return await records._worker.read(lambda found: {name: found.scalar(count) for name, count in counts.items()})


async def test_scripts_and_stages_of_launches_that_ended_long_ago_are_removed(
    records: LaunchRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.ends._REMOVED_AT_ONCE", 2)
    ids = [LaunchId(f"{number:012x}") for number in range(6)]
    for launch_id in ids:
        await records.begin(launch_id, builders.launch(), (Shell("scancel"),))
        records.note_script(launch_id, f"{launch_id} {int(launch_id, 16) // 4}")
        records.note_stages(launch_id, [])
    for launch_id in ids[:5]:
        records.end(launch_id, "TIMEOUT")
    await records.settled()
    assert await _tables(records) == {"launches": 6, "runs": 6, "scripts": 2, "releases": 6}
    await records.forget_before(datetime.now(UTC) - timedelta(days=1))
    assert await _tables(records) == {"launches": 6, "runs": 6, "scripts": 2, "releases": 6}
    await records.forget_before(datetime.now(UTC) + timedelta(days=1))
    assert await _tables(records) == {"launches": 6, "runs": 1, "scripts": 1, "releases": 1}
    run = await records.run(ids[5])
    assert run is not None
    assert run.script == f"{ids[5]} 1"


async def test_the_stages_of_the_last_launch_that_was_up_are_found(records: LaunchRecords) -> None:
    for number, node in enumerate(("n1", "n1", "")):
        launch_id = LaunchId(f"{number:012x}")
        await records.begin(launch_id, builders.launch())
        records.note_stages(launch_id, [{"name": f"stage-{number}"}])
        if node:
            records.reached(launch_id, node, 8888, 0)
    await records.settled()
    assert await records.stages_before("alice", "jupyterlab", "geneva") == ({"name": "stage-1"},)
    for other in (("bob", "jupyterlab", "geneva"), ("alice", "gone", "geneva"), ("alice", "jupyterlab", "lugano")):
        assert await records.stages_before(*other) == ()


async def test_what_a_site_said_is_cut_before_it_is_kept(records: LaunchRecords) -> None:
    await records.begin(ID, builders.launch())
    records.end(ID, "not submitted: \x1b[2J\n" + "x" * 100_000)
    reason = (await _found(records)).end_reason
    assert reason.isprintable()
    assert len(reason) == 500


async def test_what_changes_nothing_is_not_written(records: LaunchRecords, tmp_path: Path) -> None:
    def told() -> None:
        records.submitted(ID, "42")
        records.reached(ID, "n1", 8888, 0)
        records.note_script(ID, "true")
        records.note_stages(ID, [{"name": "loaded"}])
        records.ticket_given(ID, datetime(2026, 7, 1, tzinfo=UTC))
        records.end(ID, "TIMEOUT")

    await records.begin(ID, builders.launch())
    await records.accept("alice", "", {"time": "2h"})
    told()
    await records.settled()
    written = tmp_path / "launches.sqlite-wal"
    before = written.read_bytes()
    told()
    await records.accept("alice", "", {"time": "2h"})
    await records.want_stop(ID)
    await records.settled()
    assert written.read_bytes() != before, "a stop was not wanted before"
    before = written.read_bytes()
    told()
    await records.want_stop(ID)
    await records.accept("alice", "", {"time": "2h"})
    await records.settled()
    assert written.read_bytes() == before


async def test_the_end_of_a_log_is_forgotten_with_the_rest(records: LaunchRecords) -> None:
    await records.begin(ID, builders.launch())
    records.end(ID, "FAILED")
    records.explain(ID, "FAILED", "The job's program failed (exit status 3).", "the log")
    assert (await _found(records)).end_log == "the log"
    await records.forget_before(datetime.now(UTC) - timedelta(days=1))
    assert (await _found(records)).end_log == "the log"
    await records.forget_before(datetime.now(UTC) + timedelta(days=1))
    record = await _found(records)
    assert (record.end_log, record.end_reason) == ("", "The job's program failed (exit status 3).")
