"""New jobs are accepted: one transaction finds out whether they may be, and keeps all that follows from that."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from job_service.errors import JobError, KeyReused
from job_service.record import JobRecord
from job_service.sentences import store as say
from job_service.store import books, membership, persons, rows
from job_service.store.accounting import Project
from job_service.store.allowance import Allowance, Allowed
from job_service.store.schema import DATASETS, EVENTS, JOBS, KEYS
from job_service.store.values import Group, IdempotencyKey, NewJob, NotAccepted
from languages import for_keeping, speaking

KEYS_ARE_KEPT = timedelta(days=7)
_AS_ASKED = {field.name for field in fields(NewJob)} & {field.name for field in fields(JobRecord)}


@dataclass(frozen=True)
class Wanted:
    """A job that somebody wants, with the key of their request, and the language in which it is refused."""

    new: NewJob
    key: IdempotencyKey | None = None
    language: str = ""


Accepted = tuple[JobRecord, bool]
"""A job, and whether it is new."""


def accept_each(connection: sa.Connection, now: datetime, wanted: Sequence[Wanted]) -> list[Accepted | JobError]:
    """Return what became of each of some jobs, whoever wants them; see `Jobs.accept`.

    The rows of the person and then the projects are locked, so that nobody else counts their jobs or seconds
    meanwhile.
    """
    found: dict[int, Accepted | JobError] = {}
    for owner in sorted({each.new.owner for each in wanted}):
        theirs = {at: each for at, each in enumerate(wanted) if each.new.owner == owner}
        with connection.begin_nested() as savepoint:
            answers = _accept_of_one(connection, now, owner, theirs)
            if all(isinstance(each, JobError) for each in answers.values()):
                # Of whom nothing is kept, it is not kept either that they were here.
                savepoint.rollback()
        found.update(answers)
    return [found[at] for at in range(len(wanted))]


def _accept_of_one(
    connection: sa.Connection, now: datetime, owner: str, wanted: Mapping[int, Wanted]
) -> dict[int, Accepted | JobError]:
    found: dict[int, Accepted | JobError] = {}
    left = dict(wanted)
    persons.touch(connection, now, owner)
    connection.execute(sa.delete(KEYS).where(KEYS.c.owner == owner, KEYS.c.at < now - KEYS_ARE_KEPT))
    _lock_projects(connection, [each.new for each in left.values()])
    allowance = Allowance(connection, owner)
    while left:
        # Of requests with the same key each is answered when those before it are.
        first_of = {each.key.key if each.key else at: at for at, each in reversed(left.items())}
        these = {at: left.pop(at) for at in sorted(first_of.values())}
        found.update(_accepted(connection, now, allowance, these))
    return found


def _accepted(
    connection: sa.Connection, now: datetime, allowance: Allowance, wanted: Mapping[int, Wanted]
) -> dict[int, Accepted | JobError]:
    """Return what became of each of somebody's jobs, no two of which came with the same key."""
    found: dict[int, Accepted | JobError] = {}
    allowed: dict[int, Allowed] = {}
    for at, each in wanted.items():
        try:
            with speaking(each.language):
                if each.key and (record := known(connection, now, each.new.owner, each.key)):
                    found[at] = record, False
                else:
                    allowed[at] = allowance.take(each.new)
        except JobError as error:
            found[at] = error
    if allowed:
        for at, record in zip(allowed, _kept(connection, now, list(allowed.values())), strict=True):
            found[at] = record, True
            if key := wanted[at].key:
                _keep_key(connection, now, record, key)
    return found


def _lock_projects(connection: sa.Connection, wanted: Sequence[NewJob]) -> None:
    for number in sorted({new.project_id for new in wanted if new.project_id is not None}):
        membership.lock(connection, number)


def accept_group(
    connection: sa.Connection,
    now: datetime,
    wanted: Sequence[NewJob],
    errors: Sequence[NotAccepted],
    key: IdempotencyKey | None,
    array: NewJob | None = None,
) -> tuple[Group, bool]:
    """Return what became of jobs of one owner, each with one dataset, and whether they are new; see `Jobs`."""
    owner = wanted[0].owner
    persons.touch(connection, now, owner)
    connection.execute(sa.delete(KEYS).where(KEYS.c.owner == owner, KEYS.c.at < now - KEYS_ARE_KEPT))
    if key and (group := known_group(connection, now, owner, key)):
        return group, False
    _lock_projects(connection, wanted)
    allowed, refused = _allowed(Allowance(connection, owner), wanted, array)
    if not allowed:
        raise refused[0][1]
    records = _kept(connection, now, allowed)
    if array:
        records = _kept(connection, now, [Allowed(_of_tasks(array, records))])
    told = (*errors, *(NotAccepted.of(dataset, error) for dataset, error in refused))
    group = Group(records[0].job_id, tuple(records), told)
    if key:
        _keep_key(connection, now, records[0], key, group)
    return group, True


def _allowed(
    allowance: Allowance, wanted: Sequence[NewJob], array: NewJob | None
) -> tuple[list[Allowed], list[tuple[str, JobError]]]:
    """Return those of the jobs that may be kept, as what they are together, and why other datasets have none."""
    allowed: list[Allowed] = []
    refused: list[tuple[str, JobError]] = []
    for new in wanted:
        if array:
            grouped = replace(new, kind="task", parent=array.job_id, task=len(allowed), folder=array.folder)
        else:
            grouped = replace(new, group=allowed[0].new.job_id if allowed else new.job_id)
        try:
            allowed.append(allowance.take(grouped))
        except JobError as error:
            refused.append((new.datasets[0].id, error))
    return allowed, refused


def _of_tasks(array: NewJob, tasks: Sequence[JobRecord]) -> NewJob:
    """Return an array of those of its tasks that were accepted; they hold what it may use."""
    accepted = {each.spec.datasets[0] for each in tasks}
    datasets = tuple(each for each in array.datasets if each.id in accepted)
    spec = replace(array.spec, datasets=tuple(each.id for each in datasets))
    return replace(array, kind="array", datasets=datasets, spec=spec)


def _keep_key(
    connection: sa.Connection, now: datetime, record: JobRecord, key: IdempotencyKey, group: Group | None = None
) -> None:
    answer = group and {
        "jobs": [each.job_id for each in group.jobs],
        "errors": [asdict(each) for each in group.errors],
    }
    row = {"owner": record.owner, "key": key.key, "digest": key.digest, "job": record.id, "at": now}
    connection.execute(sa.insert(KEYS).values({**row, "answer": answer}))


def known_group(connection: sa.Connection, now: datetime, owner: str, key: IdempotencyKey) -> Group | None:
    """Return what a key stands for that came with several datasets, None for a new one.  Raises KeyReused."""
    first = known(connection, now, owner, key)
    if first is None:
        return None
    answer: Any = connection.execute(
        sa.select(KEYS.c.answer).where(KEYS.c.owner == owner, KEYS.c.key == key.key)
    ).scalar()
    if answer is None:
        # It came with one job, such as one that was sent again.
        return Group(first.job_id, (first,))
    asked = sa.select(*rows.RECORD_COLUMNS).where(JOBS.c.job_id.in_(answer["jobs"])).order_by(JOBS.c.id)
    records = tuple(rows.record(row) for row in connection.execute(asked).mappings())
    return Group(first.job_id, records, tuple(NotAccepted(**each) for each in answer["errors"]))


def known(connection: sa.Connection, now: datetime, owner: str, key: IdempotencyKey) -> JobRecord | None:
    """Return the job of a key, None for a new one.  Raises KeyReused."""
    asked = sa.select(*rows.RECORD_COLUMNS, KEYS.c.digest).join_from(JOBS, KEYS)
    is_it = (KEYS.c.owner == owner, KEYS.c.key == key.key, KEYS.c.at >= now - KEYS_ARE_KEPT)
    row = connection.execute(asked.where(*is_it)).mappings().first()
    if row is None:
        return None
    if row["digest"] != key.digest:
        raise KeyReused(say.KEY_REUSED.format(days=KEYS_ARE_KEPT.days), say.KEY_REUSED_HINT)
    return rows.record(row)


def check(connection: sa.Connection, new: NewJob) -> None:
    """Return if a job would be accepted now; raises as `Jobs.accept`."""
    Allowance(connection, new.owner).take(new)


def _kept(connection: sa.Connection, now: datetime, allowed: Sequence[Allowed]) -> list[JobRecord]:
    """Return jobs that are kept from now on, each with its event and its hold; a few statements, however many."""
    records = [_record(now, each) for each in allowed]
    added = sa.insert(JOBS).returning(JOBS.c.job_id, JOBS.c.id)
    values = [_row(record, each.new) for record, each in zip(records, allowed, strict=True)]
    # Rows are numbered in this order; the numbers may come back in another.
    numbers = {row.job_id: row.id for row in connection.execute(added, values)}
    records = [replace(record, id=numbers[record.job_id]) for record in records]
    connection.execute(sa.insert(EVENTS), [_event(now, record) for record in records])
    datasets = [
        {"job": record.id, "datasets": [one.to_json() for one in each.new.datasets]}
        for record, each in zip(records, allowed, strict=True)
        if each.new.datasets
    ]
    if datasets:
        connection.execute(sa.insert(DATASETS), datasets)
    _hold(connection, now, [(record, each.project) for record, each in zip(records, allowed, strict=True)])
    return records


def _record(now: datetime, allowed: Allowed) -> JobRecord:
    asked = {name: getattr(allowed.new, name) for name in _AS_ASKED}
    return JobRecord(id=0, held_s=allowed.held_s, created=now, **asked)


def _row(record: JobRecord, new: NewJob) -> dict[str, Any]:
    same = {name: getattr(record, name) for name in rows.SAME_NAMES if name != "id"}
    return {**same, "type": record.type, "project_id": new.project_id, "request": new.spec.to_json()}


def _event(now: datetime, record: JobRecord) -> dict[str, Any]:
    text = for_keeping(say.ACCEPTED)
    return {"job": record.id, "owner": record.owner, "at": now, "stage": record.stage, "text": text}


def _hold(connection: sa.Connection, now: datetime, held: Sequence[tuple[JobRecord, Project | None]]) -> None:
    """Take the most that jobs may use of their projects, in which their owner begins if they have not."""
    for project, owner in {project.id: (project, record.owner) for record, project in held if project}.values():
        books.begin(connection, now, project, owner)
    books.write(connection, (books.hold(now, record, project.id) for record, project in held if project))
