"""What arrays and their tasks mean for each other, whatever has become of them: they come to rest, in step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from job_service.record import JobRecord, Submission
from job_service.running import tasks
from job_service.running.board import Change
from job_service.spec import JobSpec
from job_service.stages import Stage
from languages import for_keeping
from tests.support.records import record

_NOW, _KEEP = datetime(2026, 3, 2, tzinfo=UTC), timedelta(days=28)
_BEFORE = (Stage.NEW, Stage.STAGINGIN, Stage.READY)
_AT_SLURM = (Stage.QUEUED, Stage.HELD, Stage.RUNNING, Stage.STAGINGOUT)
_OVER = (Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED)
_MOST_ROUNDS = 6
_ARRAY = record(
    spec=JobSpec("recon", mode="array"), title="t", reason="A sentence.", limit_s=600, created=_NOW, kind="array"
)


def _is(record: JobRecord, stage: Stage, submission: Submission) -> JobRecord:
    return replace(
        record,
        stage=stage,
        submission=submission,
        native_id=("7" if record.task is None else f"7_{record.task}") if submission == "sent" else None,
        ended=_NOW if stage.is_over else None,
    )


@st.composite
def _arrays(draw: st.DrawFn) -> tuple[JobRecord, list[JobRecord]]:
    """An array, which was sent or not, and tasks, of which each may know that later."""
    is_sent = draw(st.booleans())
    stage = draw(st.sampled_from([*(_AT_SLURM if is_sent else _BEFORE), Stage.FAILED, Stage.CANCELED]))
    array = replace(
        _is(_ARRAY, stage, "sent" if is_sent else "none"), cancel_wanted=draw(st.sampled_from([None, _NOW]))
    )
    found = []
    for at in range(draw(st.integers(1, 4))):
        knows = is_sent and draw(st.booleans())
        own = draw(st.sampled_from([*(_AT_SLURM if knows else _BEFORE), *(_OVER if knows else ())]))
        task = replace(_ARRAY, id=2 + at, job_id=f"{at:012x}", kind="task", parent=_ARRAY.job_id, task=at)
        found.append(_is(task, own, "sent" if knows else "none"))
    return array, found


def _changed(record: JobRecord, change: Change) -> JobRecord:
    stage = change.changes.get("stage", record.stage)
    assert stage is record.stage or record.stage.may_become(stage), (record.stage, stage)
    assert stage is record.stage or change.event
    text: Any = {"reason": for_keeping(change.changes["reason"])} if "reason" in change.changes else {}
    return replace(record, **{**change.changes, **text})


def _in_step(array: JobRecord, found: Sequence[JobRecord]) -> tuple[JobRecord, list[JobRecord]] | None:
    """Return them after one look, None if nothing is to be changed."""
    wanted = [tasks.of_task(array, each, _NOW, "Geneva", _KEEP) for each in found]
    if any(wanted):
        return array, [
            _changed(each, change) if change else each for each, change in zip(found, wanted, strict=True)
        ]
    change = tasks.of_array(array, found, _NOW, _KEEP)
    return (_changed(array, change), list(found)) if change else None


@given(_arrays())
def test_they_come_to_rest_in_step(known: tuple[JobRecord, list[JobRecord]]) -> None:
    array, found = known
    for _ in range(_MOST_ROUNDS):
        if (after := _in_step(array, found)) is None:
            break
        array, found = after
    assert _in_step(array, found) is None
    assert array.stage.is_over == all(each.stage.is_over for each in found)
    for each in (array, *found):
        assert (each.ended is not None) == each.stage.is_over
        assert (each.native_id is not None) == (each.submission == "sent")
    if array.cancel_wanted:
        assert all(each.cancel_wanted for each in found if not each.stage.is_over)
    if array.stage is Stage.SUCCESSFUL:
        assert {each.stage for each in found} == {Stage.SUCCESSFUL}
