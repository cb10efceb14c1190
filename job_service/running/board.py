"""The jobs that are not over, as the store has them, at hand; and the one way by which they change here."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from job_service.errors import NotFound, StoreAway, WrongStage
from job_service.record import JobRecord
from job_service.store.errors import Outdated
from job_service.store.jobs import Jobs
from job_service.store.values import Changes

Told = Callable[[JobRecord | None, JobRecord], None]
"""Is told of a job that has changed: what was known before, if anything was, and what is so now."""

_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """What is to change of a job, and the sentence of its history, "" for none."""

    changes: Changes
    event: str = ""


Decide = Callable[[JobRecord], Change | None]
"""Returns what is to change of a job as it is now, None for nothing.  May be asked again."""


class Board:
    """Owner of the records of jobs that are not over.

    What somebody else changes in the store is noticed with the next change made here, or when it is `put`.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._live: dict[str, dict[str, JobRecord]] = {}
        self._of_person: dict[tuple[str, str], dict[str, JobRecord]] = {}
        self._over: dict[str, int] = {}
        self._told: list[Told] = []

    def subscribe(self, callback: Told) -> None:
        """Have `callback` called, on the event loop, with each job that has changed."""
        self._told.append(callback)

    def systems(self) -> tuple[str, ...]:
        """Return where there are jobs that are not over."""
        return tuple(system for system, jobs in self._live.items() if jobs)

    def people(self) -> frozenset[str]:
        """Return as whom sites are reached for jobs that are not over; see `JobRecord.whom`.

        Gateways are reached as nobody of them.
        """
        known = self._of_person.items()
        return frozenset(
            whom for (_, whom), jobs in known if not all(each.is_at_gateway for each in jobs.values())
        )

    def at(self, system: str) -> Mapping[str, JobRecord]:
        """Return the jobs at a system that are not over, by their ids; the mapping changes with them."""
        return self._at(system)

    def of(self, system: str, owner: str) -> Mapping[str, JobRecord]:
        """Return those of one person, or of one as the site's account; see `JobRecord.whom`."""
        return self._of(system, owner)

    def put(self, record: JobRecord) -> None:
        """Take in a job as the store has it; an older one than is known is passed over."""
        job_id = record.job_id
        known = self._at(record.system).get(job_id)
        if record.version <= (known.version if known else self._over.get(job_id, 0)):
            return
        for jobs in (self._at(record.system), self._of(record.system, record.whom)):
            if record.stage.is_over:
                jobs.pop(job_id, None)
            else:
                jobs[job_id] = record
        if record.stage.is_over:
            self._remember(record)
        for callback in self._told:
            try:
                callback(known, record)
            except Exception:  # noqa: BLE001 - what is written down is so, whoever cannot hear of it
                _log.exception("%s: not everybody could be told of its change", job_id)

    def _remember(self, record: JobRecord) -> None:
        """Let nobody who has read it before take a job that is over for one that is not."""
        self._over.pop(record.job_id, None)
        self._over[record.job_id] = record.version
        if len(self._over) > _REMEMBERED:
            self._over.pop(next(iter(self._over)))

    def _at(self, system: str) -> dict[str, JobRecord]:
        return self._live.setdefault(system, {})

    def _of(self, system: str, owner: str) -> dict[str, JobRecord]:
        return self._of_person.setdefault((system, owner), {})

    async def load(self, systems: Iterable[str]) -> None:
        """Take in all jobs at these systems that are not over.  Raises StoreAway."""
        for system in systems:
            for record in await self._jobs.live(system):
                self.put(record)

    async def newest(self, job_id: str) -> JobRecord:
        """Return a job as the store has it.  Raises NotFound, StoreAway."""
        record = await self._jobs.get(job_id)
        self.put(record)
        return record

    async def newest_of(self, job_ids: Iterable[str]) -> dict[str, JobRecord]:
        """Return those of these jobs that there are, as the store has them.  Raises StoreAway."""
        found = await self._jobs.records(job_ids)
        for record in found.values():
            self.put(record)
        return found

    async def change(self, record: JobRecord, decide: Decide) -> JobRecord:
        """Change a job, whoever else changes it meanwhile, and return it as it is then.

        Raises NotFound, WrongStage, StoreAway, and what `decide` raises.
        """
        while True:
            wanted = decide(record)
            if wanted is None:
                return record
            try:
                changed = await self._jobs.change(record, wanted.changes, wanted.event)
            except Outdated:
                record = await self.newest(record.job_id)
            else:
                self.put(changed)
                return changed

    async def change_each(self, wanted: Sequence[tuple[JobRecord, Decide]]) -> list[JobRecord | None]:
        """Change jobs as `change` does, in one transaction those that nobody else has changed meanwhile.

        Return each as it is then, None for one that is gone, or in a stage that this cannot follow.  Raises
        StoreAway, and what the decisions raise.
        """
        changes = [decide(record) for record, decide in wanted]
        asked = [
            (record, change.changes, change.event)
            for (record, _), change in zip(wanted, changes, strict=True)
            if change
        ]
        made = iter(await self._jobs.change_all(asked))
        found: list[JobRecord | None] = []
        for (record, decide), change in zip(wanted, changes, strict=True):
            changed = next(made) if change else record
            if changed:
                self.put(changed)
            found.append(changed or await self._changed(record, decide))
        return found

    async def _changed(self, record: JobRecord, decide: Decide) -> JobRecord | None:
        try:
            return await self.change(await self.newest(record.job_id), decide)
        except (NotFound, WrongStage):
            return None

    async def change_all(self, wanted: list[tuple[JobRecord, Change]]) -> None:
        """Make changes that one answer of a site means, in one transaction; what is outdated is only read anew.

        The next answer is about that.  Raises StoreAway.
        """
        if not wanted:
            return
        asked = [(record, change.changes, change.event) for record, change in wanted]
        try:
            answers = await self._jobs.change_all(asked)
        except StoreAway:
            raise
        except Exception:  # noqa: BLE001 - what is wrong with one must not keep the others as they were
            if len(wanted) == 1:
                _log.exception("%s cannot be changed", wanted[0][0].job_id)
                return
            for one in wanted:
                await self.change_all([one])
            return
        for (record, _, _), changed in zip(asked, answers, strict=True):
            if changed:
                self.put(changed)
            else:
                _log.info("%s has changed meanwhile", record.job_id)
                await self._read_anew(record.job_id)

    async def keep_observed(self, seen: Mapping[str, datetime]) -> None:
        """Write down when Slurm last spoke of jobs, which is no change of them.  Raises StoreAway."""
        await self._jobs.keep_observed(seen)

    async def _read_anew(self, job_id: str) -> None:
        await self.newest_of((job_id,))
