from datetime import UTC, datetime
from pathlib import Path

import pytest

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
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
    before = datetime.now(UTC).replace(tzinfo=None)
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
