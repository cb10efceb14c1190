"""Jobs that are new: accepted or refused, those that come at the same time in one transaction."""

from collections.abc import Sequence

import languages
from job_service.errors import JobError
from job_service.record import JobRecord
from job_service.store import admission
from job_service.store.admission import Accepted, Wanted
from job_service.store.clock import Clock
from job_service.store.database import Database
from job_service.store.gathering import Gathered
from job_service.store.parts import Part
from job_service.store.values import Group, IdempotencyKey, NewJob, NotAccepted


class NewJobs(Part):
    """The part of the store that accepts jobs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self._accepting = Gathered[Wanted, Accepted](self._accept_each)

    async def close(self) -> None:
        """Finish what is accepted."""
        await self._accepting.close()

    async def accept(self, new: NewJob, key: IdempotencyKey | None = None) -> tuple[JobRecord, bool]:
        """Keep a job, with its hold and its first event; return it, and whether it is new.

        With a key that the owner used within a week for the same request the job of then is returned, and False.
        All or nothing.  Raises KeyReused, Banned, NotAMember (also of a project that is gone), TooMany,
        QuotaExceeded.
        """
        return await self._accepting.one(Wanted(new, key, languages.current()))

    async def _accept_each(self, wanted: Sequence[Wanted]) -> list[Accepted | JobError]:
        return await self._write(lambda connection, now: admission.accept_each(connection, now, wanted))

    async def accept_group(
        self,
        wanted: Sequence[NewJob],
        errors: Sequence[NotAccepted] = (),
        key: IdempotencyKey | None = None,
        array: NewJob | None = None,
    ) -> tuple[Group, bool]:
        """Keep those of some jobs of one owner, each with one dataset, that can be; return them, and whether new.

        With an `array`, which has all their datasets, they become its tasks, and it is kept of those there are.
        `errors` are told with those that cannot.  With a key that came before it is the group of then, and False.
        Raises KeyReused, and if none can be kept what `accept` raises for the first.
        """
        return await self._write(
            lambda connection, now: admission.accept_group(connection, now, wanted, errors, key, array)
        )

    async def known_group(self, owner: str, key: IdempotencyKey) -> Group | None:
        """Return what a key of the owner's stands for, which came with several datasets, None for a new key.

        Raises KeyReused.
        """
        return await self._read(lambda connection: admission.known_group(connection, self._clock(), owner, key))

    async def known(self, owner: str, key: IdempotencyKey) -> JobRecord | None:
        """Return the job that a key of the owner's stands for, None for a new key.  Raises KeyReused."""
        return await self._read(lambda connection: admission.known(connection, self._clock(), owner, key))

    async def check(self, new: NewJob) -> None:
        """Return if such a job would be accepted now, else raise as `accept` does; nothing is kept."""
        await self._read(lambda connection: admission.check(connection, new))
