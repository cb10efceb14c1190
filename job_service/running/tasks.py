"""Tasks of arrays: which rows of Slurm's are about one, and what array and tasks mean for each other.  Pure."""

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
from kernels.shell import Shell
from languages import for_keeping
from profiles.catalogue.site import Site
from slurm_ssh.scheduler import Row
from slurm_ssh.slurm import jobs as slurm_jobs


def rows_of(record: JobRecord, found: Sequence[Row]) -> list[Row]:
    """Return what rows with a job's mark say of this one, under the number that it has or would have.

    An array is one number, whatever its tasks do.  Of a task that was cancelled before it began there is no row.
    """
    if record.kind == "batch":
        return list(found)
    if record.kind == "array" or record.task is None:
        arrays = {row.task.array if row.task else row.job_id: row for row in reversed(found)}
        return [replace(row, job_id=number) for number, row in arrays.items()]
    own = [row for row in found if row.task and row.task.index == record.task]
    return [replace(row, job_id=row.number) for row in own]


def cancels(site: Site, owner: str, mark: str, numbers: Iterable[str]) -> list[Shell]:
    """Return the commands that cancel those of the owner's jobs with this mark that have these numbers."""
    of_arrays: dict[str, list[int]] = {}
    commands = []
    for number in numbers:
        array, _, task = number.partition("_")
        if task:
            of_arrays.setdefault(array, []).append(int(task))
        else:
            commands.append(slurm_jobs.cancel_one(site, owner, mark, number))
    found = (slurm_jobs.cancel_tasks(site, owner, mark, array, tasks) for array, tasks in of_arrays.items())
    return [*commands, *found]


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
        return _at_slurm(array, task, now, title)
    if array.cancel_wanted and not task.cancel_wanted:
        return Change(Changes(cancel_wanted=array.cancel_wanted), say.CANCEL_WANTED)
    return _on_its_way(array, task) if task.submission == "none" else None


def _at_slurm(array: JobRecord, task: JobRecord, now: datetime, title: str) -> Change:
    """Return what changes of a task that Slurm has with its array, which nothing says yet."""
    if not task.stage.may_become(Stage.QUEUED):
        # The array was started and sent since the last look.
        return Change(Changes(stage=Stage.READY, reason=say.GOES_ON), say.GOES_ON)
    return observing.adopted(f"{array.native_id}_{task.task}", now, title)


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
