"""What pages read of the records is read again after a write, and only then."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecords, last_read
from slurm_ssh_spawner.launch.records.last_read import LastRead
from slurm_ssh_spawner.launch.records.presets import Preset
from tests.support import builders

ID = builders.LAUNCH_ID


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(f"sqlite:///{tmp_path}/launches.sqlite")
    await records.begin(ID, builders.launch())
    yield records
    await records.close()


async def test_what_nobody_changed_is_not_read_again(records: LaunchRecords) -> None:
    read = LastRead(records)
    launches, logs = await read.recent("alice", 60), await read.logs([ID])
    assert [each.launch_id for each in launches] == [ID]
    assert await read.recent("alice", 60) is launches
    assert await read.logs([ID]) is logs
    assert await read.accepted("alice", "") is await read.accepted("alice", "")
    assert await read.presets("alice") == ()


async def test_each_write_is_seen(records: LaunchRecords) -> None:
    read = LastRead(records)
    assert (await read.recent("alice", 60))[0].end_reason == ""
    records.end(ID, "TIMEOUT")
    await records.settled()
    assert [each.end_reason for each in await read.recent("alice", 60)] == ["TIMEOUT"]
    assert await read.logs([ID]) == {}
    records.explain(ID, "TIMEOUT", "Its time was up.", "the end of the log")
    await records.settled()
    assert await read.logs([ID]) == {ID: "the end of the log"}
    assert await read.accepted("alice", "") == {}
    await records.accept("alice", "", {"time": "2h"})
    assert await read.accepted("alice", "") == {"time": "2h"}
    await records.presets.save("alice", Preset("usual", {"time": "2h"}))
    assert await read.presets("alice") == (Preset("usual", {"time": "2h"}),)


async def test_nobody_is_told_what_was_read_of_another(records: LaunchRecords) -> None:
    read = LastRead(records)
    await records.accept("alice", "", {"time": "2h"})
    await records.presets.save("alice", Preset("usual", {"time": "2h"}))
    assert await read.accepted("alice", "") == {"time": "2h"}
    assert (await read.accepted("alice", "south"), await read.accepted("bob", "")) == ({}, {})
    assert len(await read.presets("alice")) == len(await read.recent("alice", 60)) == 1
    assert (await read.presets("bob"), await read.recent("bob", 60)) == ((), ())


async def test_what_was_written_during_a_read_is_read_again(records: LaunchRecords) -> None:
    read = LastRead(records)
    under_way = asyncio.create_task(read.accepted("alice", ""))
    await records.accept("alice", "", {"time": "2h"})
    assert await under_way in ({}, {"time": "2h"})
    assert await read.accepted("alice", "") == {"time": "2h"}


async def test_what_could_not_be_read_is_tried_again(records: LaunchRecords, tmp_path: Path) -> None:
    read, file = LastRead(records), tmp_path / "launches.sqlite"
    aside = file.rename(tmp_path / "aside")
    with pytest.raises(DatabaseAway):
        await read.recent("alice", 60)
    aside.rename(file)
    assert [each.launch_id for each in await read.recent("alice", 60)] == [ID]


async def test_no_more_is_kept_than_some(records: LaunchRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_read, "_MOST", 2)
    read = LastRead(records)
    for name in ("alice", "bob", "carol", "dave", "erin"):
        assert await read.presets(name) == ()
        assert len(read._found) <= 2
