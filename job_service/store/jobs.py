"""The jobs of the service: accepted once, changed one after the other, each with its history."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service.errors import NotFound
from job_service.record import JobRecord
from job_service.sentences import store as say
from job_service.stages import Stage
from job_service.store import changing, rows, searching
from job_service.store.new_jobs import NewJobs
from job_service.store.parts import before, page
from job_service.store.schema import DATASETS, EVENTS, JOBS, TEXTS
from job_service.store.searching import LIVE
from job_service.store.values import (
    Changes,
    Event,
    JobFilter,
    Page,
)
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.identity import Identity

# So many are read at once, that everybody else has their turn between.
_AT_ONCE = 500
_EVENT_COLUMNS = (EVENTS.c.id, JOBS.c.job_id, EVENTS.c.owner, EVENTS.c.at, EVENTS.c.stage, EVENTS.c.text)


class Jobs(NewJobs):
    """The part of the store that knows jobs.  Everything here raises StoreAway."""

    async def datasets(self, job_id: str) -> tuple[Dataset, ...]:
        """Return what a job works on, as it was when the job was accepted."""
        asked = sa.select(DATASETS.c.datasets).join_from(DATASETS, JOBS).where(JOBS.c.job_id == job_id)
        kept = await self._read(lambda connection: connection.execute(asked).scalar())
        return tuple(Dataset.from_json(each) for each in kept or ())

    async def get(self, job_id: str, owner: str | None = None) -> JobRecord:
        """Return a job, also one that is DELETED; with an owner only if it is theirs.  Raises NotFound."""
        return await self._one(job_id, JOBS.c.job_id == job_id, owner)

    async def by_number(self, number: int, owner: str | None = None) -> JobRecord:
        """Return the job with this `id`, as `get` does.  Raises NotFound."""
        return await self._one(str(number), JOBS.c.id == number, owner)

    async def page(
        self, wanted: JobFilter, limit: int = 50, cursor: str | None = None, offset: int = 0
    ) -> Page[JobRecord]:
        """Return jobs, the newest first; `offset` passes over some.  Raises Invalid for a cursor that is none."""
        found = await self._records(searching.page(wanted, before(cursor), limit + 1, offset))
        return page(found, limit, lambda record: record.id)

    async def count(self, wanted: JobFilter) -> int:
        """Return how many such jobs there are."""
        asked = sa.select(sa.func.count()).select_from(JOBS).where(*searching.conditions(wanted))
        return await self._read(lambda connection: connection.execute(asked).scalar_one())

    async def tasks(self, parent: str, first: int = 0, limit: int | None = None) -> tuple[JobRecord, ...]:
        """Return the tasks of an array, in their order: from the number `first` on, `limit` at most."""
        theirs = (JOBS.c.parent == parent, JOBS.c.task >= first)
        asked = sa.select(*rows.RECORD_COLUMNS).where(*theirs).order_by(JOBS.c.task)
        return tuple(await self._records(asked.limit(limit)))

    async def stages_of_tasks(self, parent: str) -> dict[Stage, int]:
        """Return how many tasks of an array are in each stage, beginning with that of the first task."""
        asked = sa.select(JOBS.c.stage, sa.func.count().label("tasks")).where(JOBS.c.parent == parent)
        asked = asked.group_by(JOBS.c.stage).order_by(sa.func.min(JOBS.c.task))
        return await self._read(lambda connection: {row.stage: row.tasks for row in connection.execute(asked)})

    async def live(self, system: str) -> tuple[JobRecord, ...]:
        """Return all jobs at a system that are not over."""
        at_system = sa.select(*rows.RECORD_COLUMNS).where(JOBS.c.system == system).order_by(JOBS.c.id)
        asked = at_system.where(JOBS.c.stage.in_(LIVE)).limit(_AT_ONCE)
        found = await self._records(asked)
        while (
            len(found) % _AT_ONCE == 0
            and found
            and (more := await self._records(asked.where(JOBS.c.id > found[-1].id)))
        ):
            found += more
        return tuple(found)

    async def systems(self) -> frozenset[str]:
        """Return where there are jobs that are not over."""
        asked = sa.select(JOBS.c.system).where(JOBS.c.stage.in_(LIVE)).distinct()
        return await self._read(lambda connection: frozenset(connection.execute(asked).scalars()))

    async def to_remove(
        self, system: str, owner: str, identity: Identity = "person", limit: int = 500
    ) -> tuple[JobRecord, ...]:
        """Return somebody's jobs that are over, whose `remove_after` has come and that are not removed.

        Those that ran with this identity, the oldest first.
        """
        theirs = (JOBS.c.owner == owner, JOBS.c.identity == identity)
        asked = sa.select(*rows.RECORD_COLUMNS).where(*self._is_to_remove(system), *theirs)
        return tuple(await self._records(asked.order_by(JOBS.c.remove_after, JOBS.c.id).limit(limit)))

    async def owners_to_remove(self, system: str) -> frozenset[tuple[str, Identity]]:
        """Return whose jobs, of which identity, `to_remove` would return."""
        asked = sa.select(JOBS.c.owner, JOBS.c.identity).where(*self._is_to_remove(system)).distinct()
        return await self._read(
            lambda connection: frozenset((row.owner, row.identity) for row in connection.execute(asked))
        )

    async def newest_with_folders(self, system: str) -> tuple[JobRecord, ...]:
        """Return the newest of each person's jobs at a system whose folders were not removed, by their ids.

        Of those that ran as the site's account, whose folders are all beside each other, the newest of all.
        """
        newest = sa.select(sa.func.max(JOBS.c.id)).where(JOBS.c.system == system, JOBS.c.removed.is_(None))
        whose = sa.case((JOBS.c.identity == "person", JOBS.c.owner))
        asked = sa.select(*rows.RECORD_COLUMNS).where(JOBS.c.id.in_(newest.group_by(whose)))
        return tuple(await self._records(asked.order_by(JOBS.c.id)))

    async def change(self, record: JobRecord, changes: Changes, event: str = "") -> JobRecord:
        """Change a job and return it as it is then, with a new version.

        `event` is the sentence of its history; a change of stage needs one, anything else may have none.  A job
        that comes to its end gives its hold back and is charged in the same moment.  Raises Outdated if the record
        is not the newest, NotFound, WrongStage for a stage that cannot follow, ValueError for changes that cannot
        be (see Changes).
        """
        wanted = [(record, changes, event)]
        (result,) = await self._write(lambda connection, now: changing.change_all(connection, now, wanted))
        if isinstance(result, Exception):
            raise result
        return result

    async def change_all(self, wanted: Sequence[tuple[JobRecord, Changes, str]]) -> list[JobRecord | None]:
        """Change many jobs in one transaction, each at most once, as `change` does.

        Return them in their order, None for those that are outdated, gone, or in a stage that this cannot follow.
        """
        if not wanted:
            return []
        results = await self._write(lambda connection, now: changing.change_all(connection, now, wanted))
        return [None if isinstance(result, Exception) else result for result in results]

    async def declare(self, record: JobRecord, inputs: Sequence[str]) -> JobRecord:
        """Keep which inputs a job has, which is NEW, in place of those of before; return it as it is then.

        For files whose names are known one after the other.  Raises Outdated, NotFound, WrongStage.
        """
        return await self._write(lambda connection, now: changing.declare(connection, now, record, inputs))

    async def events(self, job_id: str) -> tuple[Event, ...]:
        """Return the history of a job, the oldest first."""
        return await self._events(JOBS.c.job_id == job_id)

    async def events_after(self, owner: str | None, event_id: int, limit: int = 100) -> tuple[Event, ...]:
        """Return what happened after an event to somebody's jobs (None: everybody's), the oldest first."""
        theirs = [] if owner is None else [EVENTS.c.owner == owner]
        return await self._events(EVENTS.c.id > event_id, *theirs, limit=limit)

    async def last_event(self) -> int:
        """Return the id of the newest event of all, 0 if there is none: where to begin with `events_after`."""
        asked = sa.select(sa.func.coalesce(sa.func.max(EVENTS.c.id), 0))
        return await self._read(lambda connection: connection.execute(asked).scalar_one())

    async def text(self, job_id: str) -> str | None:
        """Return the script that was sent, None while there is none."""
        asked = sa.select(TEXTS.c.script).join_from(TEXTS, JOBS).where(JOBS.c.job_id == job_id)
        return await self._read(lambda connection: connection.execute(asked).scalar())

    async def texts(self, job_ids: Iterable[str]) -> dict[str, str]:
        """Return the scripts of those of these jobs that have one, by job id."""
        asked = sa.select(JOBS.c.job_id, TEXTS.c.script).join_from(TEXTS, JOBS).where(JOBS.c.job_id.in_(job_ids))
        return await self._read(lambda connection: {row.job_id: row.script for row in connection.execute(asked)})

    async def keep_texts(self, scripts: Mapping[str, str]) -> None:
        """Keep the scripts that are sent, by job ids, in place of earlier ones.  Raises NotFound."""

        def keep(connection: sa.Connection, _: object) -> None:
            asked = sa.select(JOBS.c.job_id, JOBS.c.id).where(JOBS.c.job_id.in_(scripts))
            numbers = {row.job_id: row.id for row in connection.execute(asked)}
            if missing := scripts.keys() - numbers.keys():
                raise NotFound(say.NO_SUCH_JOB.format(job=min(missing)))
            there = set(
                connection.execute(sa.select(TEXTS.c.job).where(TEXTS.c.job.in_(numbers.values()))).scalars()
            )
            for job_id, script in scripts.items():
                if (number := numbers[job_id]) in there:
                    connection.execute(sa.update(TEXTS).where(TEXTS.c.job == number).values(script=script))
                else:
                    connection.execute(sa.insert(TEXTS).values(job=number, script=script))

        if scripts:
            await self._write(keep)

    async def ticket_ends(self, system: str) -> dict[str, datetime]:
        """Return when the tickets end that jobs at a system were last given, of those not over, by job id."""
        asked = sa.select(JOBS.c.job_id, JOBS.c.ticket_ends).where(JOBS.c.system == system)
        asked = asked.where(JOBS.c.stage.in_(LIVE), JOBS.c.ticket_ends.is_not(None))
        return await self._read(
            lambda connection: {row.job_id: row.ticket_ends for row in connection.execute(asked)}
        )

    async def keep_ticket_ends(self, ends: Mapping[str, datetime | None]) -> None:
        """Keep when the tickets end that these jobs were given, None for those that have lost theirs.

        This is no change of a job: it has no version and no place in the history.
        """
        which = JOBS.c.job_id == sa.bindparam("of_job")
        update = sa.update(JOBS).where(which).values(ticket_ends=sa.bindparam("new_end"))
        values = [{"of_job": job_id, "new_end": end} for job_id, end in sorted(ends.items())]
        if values:
            await self._write(lambda connection, _: connection.execute(update, values))

    async def keep_observed(self, seen: Mapping[str, datetime]) -> None:
        """Keep when Slurm last spoke of these jobs, where that is later than is known; of none that is over.

        This is no change of a job: it has no version and no place in the history.
        """
        if seen:
            await self._write(lambda connection, _: changing.keep_observed(connection, seen))

    async def records(self, job_ids: Iterable[str]) -> dict[str, JobRecord]:
        """Return those of these jobs that there are, by job id."""
        wanted = sorted(set(job_ids))
        found: dict[str, JobRecord] = {}
        for begin in range(0, len(wanted), _AT_ONCE):
            chosen = JOBS.c.job_id.in_(wanted[begin : begin + _AT_ONCE])
            found.update(
                {each.job_id: each for each in await self._records(sa.select(*rows.RECORD_COLUMNS).where(chosen))}
            )
        return found

    def _is_to_remove(self, system: str) -> tuple[sa.ColumnElement[bool], ...]:
        is_due = (JOBS.c.remove_after <= self._clock(), JOBS.c.removed.is_(None))
        # Tasks have no folder of their own.
        return (JOBS.c.system == system, *is_due, JOBS.c.stage.not_in(LIVE), JOBS.c.kind != "task")

    async def _one(self, name: str, condition: sa.ColumnElement[bool], owner: str | None) -> JobRecord:
        theirs = [] if owner is None else [JOBS.c.owner == owner]
        found = await self._records(sa.select(*rows.RECORD_COLUMNS).where(condition, *theirs))
        if not found:
            raise NotFound(say.NO_SUCH_JOB.format(job=name))
        return found[0]

    async def _records(self, asked: sa.Select[Any]) -> list[JobRecord]:
        return await self._read(
            lambda connection: [rows.record(row) for row in connection.execute(asked).mappings()]
        )

    async def _events(self, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> tuple[Event, ...]:
        asked = sa.select(*_EVENT_COLUMNS).join_from(EVENTS, JOBS).where(*conditions).order_by(EVENTS.c.id)
        return await self._read(
            lambda connection: tuple(Event(**row) for row in connection.execute(asked.limit(limit)).mappings())
        )
