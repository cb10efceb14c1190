"""A person's last launches are read again after a write, and only then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecords
from slurm_ssh_spawner.launch.records.recent import Recent
from tests.support import builders

ID = builders.LAUNCH_ID
LATER = LaunchId("00000000000b")


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(f"sqlite:///{tmp_path}/launches.sqlite")
    await records.begin(ID, builders.launch())
    yield records
    await records.close()


async def test_what_nobody_changed_is_not_read_again(records: LaunchRecords) -> None:
    recent = Recent(records, "alice")
    launches, logs = await recent.launches(), await recent.logs([ID])
    assert [each.launch_id for each in launches] == [ID]
    assert await recent.launches() is launches
    assert await recent.logs([ID]) is logs


async def test_each_write_is_seen(records: LaunchRecords) -> None:
    recent, of_bob = Recent(records, "alice"), Recent(records, "bob")
    await recent.launches()
    assert await of_bob.launches() == ()
    records.end(ID, "TIMEOUT")
    await records.settled()
    assert [each.end_reason for each in await recent.launches()] == ["TIMEOUT"]
    assert await recent.logs([ID]) == {}
    records.explain(ID, "TIMEOUT", "Its time was up.", "the end of the log")
    await records.settled()
    assert [each.end_reason for each in await recent.launches()] == ["Its time was up."]
    assert await recent.logs([ID]) == {ID: "the end of the log"}
    assert await recent.logs([]) == {}
    await records.begin(LATER, builders.launch(user="bob"))
    assert [each.launch_id for each in await of_bob.launches()] == [LATER]
    assert [each.launch_id for each in await recent.launches()] == [ID]


async def test_what_could_not_be_read_is_tried_again(records: LaunchRecords, tmp_path: Path) -> None:
    recent, file = Recent(records, "alice"), tmp_path / "launches.sqlite"
    aside = file.rename(tmp_path / "aside")
    with pytest.raises(DatabaseAway):
        await recent.launches()
    aside.rename(file)
    assert [each.launch_id for each in await recent.launches()] == [ID]
