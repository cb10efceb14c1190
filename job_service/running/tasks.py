"""Tasks of arrays: which rows of Slurm's are about one, and what array and tasks mean for each other.  Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running import observing
from job_service.running.board import Change
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_keeping
from slurm_ssh.slurm.accounting import Past
from slurm_ssh.slurm.jobs import Row

_ITEM = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7}))?(?::([0-9]{1,7}))?")
_NUMBERS = re.compile(r"([0-9]{1,10})_(?:([0-9]{1,7})|\[(.{1,200})\])")


def covers(which: str, task: int) -> bool:
    """Return whether a task is among those that Slurm names so: `3`, `0-9%2`, `1,4-6`; cut off, `1,4,...`."""
    last = -1
    for item in which.partition("%")[0].split(","):
        if item.startswith("."):
            # What Slurm cuts off are the last of them.
            return task > last
        found = _ITEM.fullmatch(item)
        if found is None:
            continue
        first, end, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
        if first <= task <= end and (task - first) % max(1, step) == 0:
            return True
        last = end
    return False


def rows_of(record: JobRecord, found: Sequence[Row]) -> list[Row]:
    """Return what rows with a job's mark say of this one, under the number that it has or would have.

    An array is one number, whatever its tasks do; a task that has begun has a row of its own, others share one.
    """
    if record.kind == "batch":
        return list(found)
    arrays: dict[str, list[Row]] = {}
    for row in found:
        if row.tasks:
            arrays.setdefault(row.tasks.array, []).append(row)
    if record.kind == "array" or record.task is None:
        return [replace(rows[0], job_id=number) for number, rows in arrays.items()]
    owns = ((number, _own(rows, record.task)) for number, rows in arrays.items())
    return [replace(own, job_id=f"{number}_{record.task}") for number, own in owns if own]


def _own(rows: Iterable[Row], task: int) -> Row | None:
    shared = None
    for row in rows:
        which = row.tasks.which if row.tasks else ""
        if which == str(task):
            return row
        if covers(which, task):
            shared = row
    return shared


def past_of(record: JobRecord, pasts: Mapping[str, Past]) -> Past | None:
    """Return what the accounting, by number, says of a job; tasks that never began share an entry there."""
    number = record.native_id or ""
    if number in pasts or record.task is None:
        return pasts.get(number)
    for past in pasts.values():
        found = _NUMBERS.fullmatch(past.job_id)
        if found and found[3] and found[1] == number.partition("_")[0] and covers(found[3], record.task):
            return past
    return None


def array_of(number: str) -> str:
    """Return the number of the array of which this is that of a task, or the number of a job itself."""
    return number.partition("_")[0]


def of_task(array: JobRecord, task: JobRecord, now: datetime, title: str, keep: timedelta) -> Change | None:
    """Return what changes of a task because of what its array is by now."""
    if array.stage is Stage.DELETED:
        deleted = Change(Changes(stage=Stage.DELETED, reason=array.reason), say.REMOVED)
        return None if task.stage is Stage.DELETED or not task.stage.is_over else deleted
    if task.stage.is_over:
        return None
    if array.stage.is_over:
        ends = Stage.FAILED if array.stage is Stage.SUCCESSFUL else array.stage
        return observing.over(ends, array.reason, now, keep, unsent=task.submission == "none")
    if array.submission == "sent" and task.submission == "none":
        return observing.adopted(f"{array.native_id}_{task.task}", now, title)
    if array.cancel_wanted and not task.cancel_wanted:
        return Change(Changes(cancel_wanted=array.cancel_wanted), say.CANCEL_WANTED)
    return _on_its_way(array, task) if task.submission == "none" else None


def _on_its_way(array: JobRecord, task: JobRecord) -> Change | None:
    """Return what is told of a task that goes to Slurm with its array: what is told of that."""
    if (task.stage, task.reason) == (array.stage, array.reason):
        return None
    if task.stage is array.stage:
        return Change(Changes(reason=array.reason))
    if not task.stage.may_become(array.stage):
        return None
    return Change(Changes(stage=array.stage, reason=array.reason), array.reason or say.GOES_ON)


def of_array(array: JobRecord, tasks: Sequence[JobRecord], now: datetime, keep: timedelta) -> Change | None:
    """Return what changes of an array that Slurm has because of what its tasks are by now."""
    if array.stage.is_over or array.submission != "sent" or any(each.submission == "none" for each in tasks):
        return None
    counts = Counter(each.stage for each in tasks)
    said = say.tasks({each.value: count for each, count in counts.items()})
    stage, reason = _stage(counts), for_keeping(said)
    started = min((each.started for each in tasks if each.started), default=None)
    if (stage, reason, started) == (array.stage, array.reason, array.started):
        return None
    changes = Changes(stage=stage, reason=reason, started=started)
    if stage.is_over:
        changes["ended"] = max((each.ended for each in tasks if each.ended), default=now)
        changes["remove_after"] = now + keep
    return Change(changes, reason if stage is not array.stage else "")


def _stage(counts: Mapping[Stage, int]) -> Stage:
    """Return the stage of an array with so many tasks in each."""
    live = [each for each in counts if not each.is_over]
    if not live:
        return next((each for each in (Stage.FAILED, Stage.CANCELED) if each in counts), Stage.SUCCESSFUL)
    if Stage.RUNNING in live or (len(live) < len(counts) and Stage.QUEUED in live):
        return Stage.RUNNING
    return next(each for each in (Stage.QUEUED, Stage.HELD, Stage.STAGINGOUT, *live) if each in live)
