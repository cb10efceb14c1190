"""What the owner of a job wants of it, and what that changes.  Pure."""

from datetime import datetime, timedelta

from job_service.errors import WrongStage
from job_service.record import JobRecord
from job_service.running import observing
from job_service.running.board import Change
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes

FORGOTTEN_AFTER = timedelta(days=1)
"""After which time a job that nobody has started is over."""


INPUTS_FORGOTTEN_AFTER = timedelta(days=7)
"""After which time a job is over that was started, and whose inputs have not come."""


def refuse_task(record: JobRecord) -> None:
    """Raise WrongStage for a task: its array is what is started, has the files, and is removed."""
    if record.parent:
        raise WrongStage(say.OF_AN_ARRAY.format(array=record.parent))


def started(record: JobRecord, title: str) -> Change | None:
    """Return what changes when a job is started; nothing if it waits for its inputs.  Raises WrongStage."""
    refuse_task(record)
    if record.stage is Stage.STAGINGIN:
        return None
    if record.stage is not Stage.NEW:
        raise WrongStage(say.ALREADY_OVER if record.stage.is_over else say.ALREADY_STARTED)
    if record.spec.inputs:
        return Change(Changes(stage=Stage.STAGINGIN, reason=say.INPUTS_AWAITED), say.INPUTS_AWAITED)
    reason = say.IS_STARTED.format(site=title)
    return Change(Changes(stage=Stage.READY, reason=reason), reason)


def cancelled(record: JobRecord, now: datetime, keep: timedelta) -> Change | None:
    """Return what changes when a job is cancelled; nothing if that is wanted already.  Raises WrongStage."""
    if record.stage.is_over:
        raise WrongStage(say.ALREADY_OVER)
    # A task that Slurm does not have yet comes there with its array.
    if record.submission == "none" and record.kind != "task":
        return observing.over(Stage.CANCELED, say.CANCELED_BEFORE, now, keep)
    if record.cancel_wanted:
        return None
    return Change(Changes(cancel_wanted=now), say.CANCEL_WANTED)


def cancelled_with_array(record: JobRecord, now: datetime) -> Change | None:
    """Return what changes of a task that Slurm has when its array is cancelled; nothing if it is over."""
    if record.stage.is_over or record.submission == "none" or record.cancel_wanted:
        return None
    return Change(Changes(cancel_wanted=now), say.CANCEL_WANTED)


def forgotten(record: JobRecord, now: datetime) -> Change | None:
    """Return what changes of a job that nobody has started for long; nothing of any other."""
    if record.kind == "task" or record.stage is not Stage.NEW or now - record.created < FORGOTTEN_AFTER:
        return None
    return observing.over(Stage.CANCELED, say.FORGOTTEN, now, timedelta(0))


def may_lack_inputs_for_good(record: JobRecord, now: datetime) -> bool:
    """Return whether a job has waited for its inputs for so long that it is over if they are not there."""
    return record.stage is Stage.STAGINGIN and now - record.created >= INPUTS_FORGOTTEN_AFTER


def removed(record: JobRecord, now: datetime) -> Change | None:
    """Return what changes when a job is removed; nothing if it is.  Raises WrongStage if it is not over."""
    refuse_task(record)
    if not record.stage.is_over:
        raise WrongStage(say.NOT_OVER)
    if record.stage is Stage.DELETED:
        return None
    return Change(Changes(stage=Stage.DELETED, remove_after=now, reason=say.REMOVED), say.REMOVED)


def doubted(now: datetime | None = None) -> Change:
    """Return what it means that nobody knows what became of an attempt, which ended `now` if it did."""
    changes = Changes(submission="in_doubt", reason=say.IN_DOUBT)
    if now:
        changes["sent"] = now
    return Change(changes, say.IN_DOUBT)
