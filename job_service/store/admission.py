"""New jobs are accepted: one transaction finds out whether they may be, and keeps all that follows from that."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from job_service import charges
from job_service.errors import Banned, JobError, KeyReused, NotAMember, QuotaExceeded, TooMany
from job_service.record import JobRecord
from job_service.sentences import store as say
from job_service.store import bans, books, membership, persons, rows
from job_service.store.accounting import Project
from job_service.store.schema import DATASETS, EVENTS, JOBS, KEYS, PROJECTS
from job_service.store.searching import LIVE
from job_service.store.values import Group, IdempotencyKey, NewJob, NotAccepted
from languages import for_keeping

KEYS_ARE_KEPT = timedelta(days=7)
_AS_ASKED = {field.name for field in fields(NewJob)} & {field.name for field in fields(JobRecord)}


def accept(
    connection: sa.Connection, now: datetime, new: NewJob, key: IdempotencyKey | None
) -> tuple[JobRecord, bool]:
    """Return the job, and whether it is new; see `Jobs.accept`.

    The rows of the person and then the project are locked, so that nobody else counts their jobs or seconds
    meanwhile.
    """
    persons.touch(connection, now, new.owner)
    connection.execute(sa.delete(KEYS).where(KEYS.c.owner == new.owner, KEYS.c.at < now - KEYS_ARE_KEPT))
    if key and (record := known(connection, now, new.owner, key)):
        return record, False
    if new.project_id is not None:
        membership.lock(connection, new.project_id)
    record = _accepted(connection, now, new)
    if key:
        _keep_key(connection, now, record, key)
    return record, True


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
    for number in sorted({new.project_id for new in wanted if new.project_id is not None}):
        membership.lock(connection, number)
    records: list[JobRecord] = []
    refused: list[tuple[str, JobError]] = []
    for new in wanted:
        if array:
            grouped = replace(new, kind="task", parent=array.job_id, task=len(records), folder=array.folder)
        else:
            grouped = replace(new, group=records[0].job_id if records else new.job_id)
        try:
            records.append(_accepted(connection, now, grouped))
        except JobError as error:
            refused.append((new.datasets[0].id, error))
    if not records:
        raise refused[0][1]
    if array:
        records = [_keep(connection, now, _of_tasks(array, records), 0)]
    told = (*errors, *(NotAccepted.of(dataset, error) for dataset, error in refused))
    group = Group(records[0].job_id, tuple(records), told)
    if key:
        _keep_key(connection, now, records[0], key, group)
    return group, True


def _of_tasks(array: NewJob, tasks: Sequence[JobRecord]) -> NewJob:
    """Return an array of those of its tasks that were accepted; they hold what it may use."""
    accepted = {each.spec.datasets[0] for each in tasks}
    datasets = tuple(each for each in array.datasets if each.id in accepted)
    spec = replace(array.spec, datasets=tuple(each.id for each in datasets))
    return replace(array, kind="array", datasets=datasets, spec=spec)


def _accepted(connection: sa.Connection, now: datetime, new: NewJob) -> JobRecord:
    """Return a job that is kept from now on, with its hold; raises as `Jobs.accept`, and then keeps nothing."""
    project, held = check(connection, new)
    record = _keep(connection, now, new, held)
    if project:
        books.begin(connection, now, project, new.owner)
        books.hold(connection, now, record, project.id)
    return record


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


def check(connection: sa.Connection, new: NewJob) -> tuple[Project | None, int]:
    """Return the project of the service that a job counts against, and what it holds; raises as `Jobs.accept`."""
    _refuse_banned(connection, new)
    project = _project(connection, new)
    _refuse_more_than(connection, new)
    if project is None:
        return None, 0
    held = charges.hold(project.charge, new.limit_s, new.nodes, new.cores)
    _refuse_unpaid(connection, new, project, held)
    return project, held


def _refuse_banned(connection: sa.Connection, new: NewJob) -> None:
    for ban in bans.standing(connection, new.owner):
        if ban.project is None:
            raise Banned(say.BANNED.format(reason=ban.reason), say.ASK_ADMINS)
        if ban.project.id == new.project_id:
            raise Banned(say.BANNED_FROM.format(project=new.project, reason=ban.reason), say.ASK_ADMINS)


def _project(connection: sa.Connection, new: NewJob) -> Project | None:
    """Return the job's project, None if it is one of Slurm's accounts."""
    if new.project_id is None:
        return None
    project = membership.found(connection, PROJECTS.c.id == new.project_id)
    if (
        project is None
        or (project.system, project.name, project.identity) != (new.system, new.project, new.identity)
        or not membership.may_use(connection, project, new.owner, new.groups)
    ):
        refused = say.NOT_A_MEMBER.format(project=new.project, system=new.system)
        raise NotAMember(refused, say.NOT_A_MEMBER_HINT)
    return project


def _refuse_more_than(connection: sa.Connection, new: NewJob) -> None:
    # An array's tasks are its jobs.
    is_one = (JOBS.c.stage.in_(LIVE), JOBS.c.kind != "array")
    of_theirs = (JOBS.c.owner == new.owner, JOBS.c.system == new.system, *is_one)
    count = connection.execute(sa.select(sa.func.count()).select_from(JOBS).where(*of_theirs)).scalar_one()
    if count >= new.active_max:
        raise TooMany(say.too_many(count, new.system), say.TOO_MANY_HINT)


def _refuse_unpaid(connection: sa.Connection, new: NewJob, project: Project, held: int) -> None:
    theirs = books.time_left(connection, project, new.owner)
    if held > (left := min(theirs, project.time_left)):
        text = say.QUOTA_EXCEEDED.format(
            needed=held, project=project.name, left=theirs, project_left=project.time_left
        )
        raise QuotaExceeded(text, held, left, say.QUOTA_EXCEEDED_HINT)


def _keep(connection: sa.Connection, now: datetime, new: NewJob, held: int) -> JobRecord:
    record = JobRecord(id=0, held_s=held, created=now, **{name: getattr(new, name) for name in _AS_ASKED})
    kept = {name: getattr(record, name) for name in rows.SAME_NAMES if name != "id"}
    kept.update(type=record.type, project_id=new.project_id, request=new.spec.to_json())
    number = connection.execute(sa.insert(JOBS).values(kept).returning(JOBS.c.id)).scalar_one()
    event = {"job": number, "owner": new.owner, "at": now, "stage": new.stage, "text": for_keeping(say.ACCEPTED)}
    connection.execute(sa.insert(EVENTS).values(event))
    if new.datasets:
        kept_of = {"job": number, "datasets": [each.to_json() for each in new.datasets]}
        connection.execute(sa.insert(DATASETS).values(kept_of))
    return replace(record, id=number)
