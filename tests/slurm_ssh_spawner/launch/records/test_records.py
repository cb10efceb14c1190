from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurm_ssh.job import LaunchId
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.records.schema import SCRIPTS
from tests.support import builders

ID = builders.LAUNCH_ID


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/launches.sqlite"


@pytest.fixture
def records(url: str) -> LaunchRecords:
    return LaunchRecords(url)


def _found(records: LaunchRecords, launch_id: str = ID) -> LaunchRecord:
    record = records.get(LaunchId(launch_id))
    assert record is not None
    return record


def test_a_launch_begins_with_what_was_asked_and_nothing_else(records: LaunchRecords) -> None:
    offer = builders.catalogue(sites={"geneva": builders.site(login_name={"alice": "ahartman"})})
    before = datetime.now(UTC)
    records.begin(ID, builders.launch(offer, {"time": "2h", "qos": "high"}))
    record = _found(records)
    assert (record.launch_id, record.user, record.owner) == (ID, "alice", "ahartman")
    assert (record.site_key, record.profile_key) == ("geneva", "jupyterlab")
    assert record.choices == {"time": "2h", "qos": "high"}
    assert (record.job_id, record.node, record.port, record.local_port) == ("", "", 0, 0)
    assert before <= record.begun
    assert (record.ended, record.end_reason) == (None, "")


def test_a_record_follows_its_launch(records: LaunchRecords) -> None:
    records.begin(ID, builders.launch())
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 20000)
    records.end(ID, "TIMEOUT")
    record = _found(records)
    assert (record.job_id, record.node, record.port, record.local_port) == ("42", "n1", 8888, 20000)
    assert record.ended is not None
    assert record.ended >= record.begun
    assert record.end_reason == "TIMEOUT"


def test_the_first_reason_of_an_end_stays(records: LaunchRecords) -> None:
    records.begin(ID, builders.launch())
    records.end(ID, "stopped")
    first = _found(records)
    records.end(ID, "CANCELLED")
    assert _found(records) == first


def test_launches_do_not_change_each_other(records: LaunchRecords) -> None:
    other = LaunchId("ffffffffffff")
    for launch_id in (ID, other):
        records.begin(launch_id, builders.launch())
    before = _found(records, other)
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 20000)
    records.end(ID, "FAILED")
    assert _found(records, other) == before


def test_of_an_unknown_launch_there_is_no_record(records: LaunchRecords) -> None:
    records.submitted(ID, "42")
    records.reached(ID, "n1", 8888, 0)
    records.end(ID, "gone from Slurm")
    assert records.get(ID) is None


def test_records_outlive_the_hub(url: str) -> None:
    earlier = LaunchRecords(url)
    earlier.begin(ID, builders.launch())
    earlier.reached(ID, "n1", 8888, 20000)
    assert _found(LaunchRecords(url)) == _found(earlier)


def test_a_reason_may_hold_any_text(records: LaunchRecords) -> None:
    text = '\'; DROP TABLE launches; -- é "x"'
    records.begin(ID, builders.launch())
    records.end(ID, text)
    assert _found(records).end_reason == text


def test_a_record_has_what_its_job_was_started_with(records: LaunchRecords) -> None:
    launch = builders.launch()
    records.begin(ID, launch)
    assert _found(records).started_with == StartedWith.at(launch.site)


def test_scripts_that_differ_in_their_launch_alone_are_kept_once(records: LaunchRecords) -> None:
    ids = [LaunchId(f"{number:012x}") for number in range(3)]
    for launch_id in ids:
        records.begin(launch_id, builders.launch())
        records.note_script(launch_id, f"#SBATCH --job-name=jupyter-hub-{launch_id}\nprintf '%s' x\n")
    found = [records.run(launch_id) for launch_id in ids]
    assert [run and run.script for run in found] == [
        f"#SBATCH --job-name=jupyter-hub-{launch_id}\nprintf '%s' x\n" for launch_id in ids
    ]
    with records._engine.connect() as connection:
        assert len(connection.execute(sa.select(SCRIPTS)).all()) == 1
