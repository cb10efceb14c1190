from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurm_ssh_spawner.launch import stage_notes
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.stage_notes import StageNotes
from tests.support import builders
from tests.support.waiting import until

ID = builders.LAUNCH_ID


@pytest.fixture
def writes() -> list[str]:
    """Every statement from here on that changes a database."""
    return []


@pytest.fixture
async def records(tmp_path: Path, writes: list[str]) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(f"sqlite:///{tmp_path}/launches.sqlite")
    await records.begin(ID, builders.launch())

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "PRAGMA")):
            writes.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield records
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def _names(records: LaunchRecords) -> list[str]:
    await records.settled()
    run = await records.run(ID)
    return [stage["name"] for stage in run.stages] if run else []


async def test_many_reports_are_one_write(records: LaunchRecords, writes: list[str]) -> None:
    notes, progress = StageNotes(records), Progress()
    for number in range(50):
        assert progress.reported("kernel", f"number {number}")
        notes.due(ID, progress)
    await records.settled()
    assert writes == []
    notes.close()
    assert len(await _names(records)) == 50
    assert len(writes) == 1
    await records.close()


async def test_stages_are_noted_soon_by_themselves(
    records: LaunchRecords, writes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_notes, "SECONDS", 0.01)
    notes, progress = StageNotes(records), Progress()
    progress.reported("loaded", "a")
    notes.due(ID, progress)
    progress.reported("starting", "b")
    await until(lambda: writes != [])
    assert await _names(records) == ["loaded", "starting"]
    await records.close()


async def test_what_has_not_changed_is_not_written_again(records: LaunchRecords, writes: list[str]) -> None:
    notes, progress = StageNotes(records), Progress()
    progress.reported("loaded", "a")
    for _ in range(3):
        notes.now(ID, progress)
    assert await _names(records) == ["loaded"]
    assert len(writes) == 1
    notes.close()
    await records.close()
