"""Jobs change: what may, what follows from it, and its place in the history.  One transaction for many jobs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service.errors import NotFound, WrongStage
from job_service.record import JobRecord
from job_service.sentences import store as say
from job_service.stages import Stage
from job_service.store import books
from job_service.store.errors import Outdated
from job_service.store.schema import EVENTS, JOBS
from job_service.store.searching import LIVE
from job_service.store.values import Changes
from languages import for_keeping

Wanted = tuple[JobRecord, Changes, str]
Refused = Outdated | NotFound | WrongStage
_KEYS_AT_ONCE = 500
_COLUMNS = (*Changes.__annotations__, "failed", "version")


def change_all(connection: sa.Connection, now: datetime, wanted: Sequence[Wanted]) -> list[JobRecord | Refused]:
    """Change the jobs, and return each as it is then, or why it is as it was.  Raises ValueError; see `Jobs`."""
    known = _locked(connection, [record.id for record, _, _ in wanted])
    made: list[tuple[JobRecord, JobRecord]] = []
    events: list[dict[str, Any]] = []
    entries: list[books.Entry] = []
    results: list[JobRecord | Refused] = []
    for record, changes, event in wanted:
        try:
            version, project = known.get(record.id, (None, None))
            after = _after(record, version, changes, event, now)
        except (Outdated, NotFound, WrongStage) as error:
            results.append(error)
            continue
        known[record.id] = (after.version, project)
        results.append(after)
        made.append((record, after))
        if event:
            events.append(_event(after, now, event))
        # An array holds nothing: its tasks do.
        is_end = after.stage.is_over and not record.stage.is_over
        if is_end and project is not None and after.kind != "array":
            entries += books.settled(now, after, project)
    _write(connection, made)
    if events:
        connection.execute(sa.insert(EVENTS), events)
    books.write(connection, entries)
    return results


def declare(connection: sa.Connection, now: datetime, record: JobRecord, inputs: Sequence[str]) -> JobRecord:
    """Keep which inputs a job has, and return it as it is then; see `Jobs.declare`."""
    version, _ = _locked(connection, [record.id]).get(record.id, (None, None))
    after = _after(record, version, Changes(), "", now)
    if record.stage is not Stage.NEW:
        raise WrongStage(say.WRONG_STAGE.format(job=record.job_id, stage=record.stage, wanted=Stage.NEW))
    after = replace(after, spec=replace(record.spec, inputs=tuple(inputs)))
    values = {"request": after.spec.to_json(), "version": after.version}
    connection.execute(sa.update(JOBS).where(JOBS.c.id == record.id).values(values))
    return after


def keep_observed(connection: sa.Connection, seen: Mapping[str, datetime]) -> None:
    """Keep when jobs that are not over were seen, those of the same moment together; it is never set back."""
    alike: defaultdict[datetime, list[str]] = defaultdict(list)
    for job_id, moment in sorted(seen.items()):
        alike[moment].append(job_id)
    for moment, job_ids in alike.items():
        is_earlier = JOBS.c.observed.is_(None) | (JOBS.c.observed < moment)
        update = sa.update(JOBS).where(JOBS.c.stage.in_(LIVE), is_earlier).values(observed=moment)
        for begin in range(0, len(job_ids), _KEYS_AT_ONCE):
            connection.execute(update.where(JOBS.c.job_id.in_(job_ids[begin : begin + _KEYS_AT_ONCE])))


def _locked(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    """Return version and project of jobs that nobody else changes until the transaction ends."""
    found: dict[int, tuple[int | None, int | None]] = {}
    ordered = sorted(set(numbers))
    for begin in range(0, len(ordered), _KEYS_AT_ONCE):
        asked = sa.select(JOBS.c.id, JOBS.c.version, JOBS.c.project_id)
        asked = asked.where(JOBS.c.id.in_(ordered[begin : begin + _KEYS_AT_ONCE])).order_by(JOBS.c.id)
        found.update(
            {row.id: (row.version, row.project_id) for row in connection.execute(asked.with_for_update())}
        )
    return found


def _after(record: JobRecord, version: int | None, changes: Changes, event: str, now: datetime) -> JobRecord:
    """Return the job as it is after the changes, with what follows from them."""
    if version is None:
        raise NotFound(say.NO_SUCH_JOB.format(job=record.job_id))
    if version != record.version:
        raise Outdated(record.job_id)
    if unknown := changes.keys() - Changes.__annotations__.keys():
        raise ValueError(f"no such changes: {sorted(unknown)}")
    stage = changes.get("stage", record.stage)
    if stage is not record.stage:
        _check_stage(record, stage, event)
    is_end = stage.is_over and not record.stage.is_over
    if "ended" in changes and not is_end:
        raise ValueError("only a change to the end says when a job ended")
    after = replace(record, **changes, version=version + 1)
    if (after.native_id is not None) != (after.submission == "sent"):
        raise ValueError("a job has a number at Slurm exactly while it is sent")
    if is_end:
        after = replace(after, ended=after.ended or now, failed=stage is Stage.FAILED)
    return replace(after, reason=for_keeping(after.reason))


def _check_stage(record: JobRecord, stage: Stage, event: str) -> None:
    if not record.stage.may_become(stage):
        text = say.WRONG_STAGE.format(job=record.job_id, stage=record.stage, wanted=stage)
        raise WrongStage(text)
    if not event:
        raise ValueError("a change of stage has a place in the job's history")


def _event(after: JobRecord, now: datetime, text: str) -> dict[str, Any]:
    return {"job": after.id, "owner": after.owner, "at": now, "stage": after.stage, "text": for_keeping(text)}


def _write(connection: sa.Connection, made: Iterable[tuple[JobRecord, JobRecord]]) -> None:
    """Write what is new: jobs of which the same columns change go together."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for before, after in made:
        names = tuple(name for name in _COLUMNS if getattr(before, name) != getattr(after, name))
        alike[names].append({"of_job": after.id, **{f"new_{name}": getattr(after, name) for name in names}})
    for names, values in alike.items():
        changed: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
        connection.execute(sa.update(JOBS).where(JOBS.c.id == sa.bindparam("of_job")).values(changed), values)
