"""The store: opened once for the service, with a part for each kind of thing."""

from typing import Self

import sqlalchemy as sa

from job_service.errors import StoreAway
from job_service.sentences import store as say
from job_service.store.audit import Audit
from job_service.store.clock import Clock, utc_now
from job_service.store.database import Database
from job_service.store.engines import open_engines
from job_service.store.errors import DatabaseBehind
from job_service.store.jobs import Jobs
from job_service.store.ledger import Ledger
from job_service.store.people import People
from job_service.store.projects import Projects
from job_service.store.upgrading import check


class Store:
    """The service's database; see its parts.

    A transaction that has begun is finished, whoever waited for it: after StoreAway, or in a caller that was
    cancelled, it may be written or not, but never by half.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.jobs = Jobs(database, clock)
        self.projects = Projects(database, clock)
        self.ledger = Ledger(database, clock)
        self.people = People(database, clock)
        self.audit = Audit(database, clock)

    @classmethod
    async def open(cls, url: str, clock: Clock = utc_now) -> Self:
        """Open the database at a SQLAlchemy URL (`sqlite:////path` or `postgresql://...`) for this service alone.

        Raises DatabaseBehind (also if it is not there), DatabaseNewer, DatabaseOpen, DatabaseTaken,
        DatabaseUnknown, StoreAway.
        """
        try:
            database = Database(open_engines(url))
        except FileNotFoundError as error:
            raise DatabaseBehind(say.DATABASE_BEHIND) from error
        except OSError as error:
            raise StoreAway(say.DATABASE_AWAY) from error
        await database.first(check)
        return cls(database, clock)

    async def ping(self) -> None:
        """Return if the database answers.  Raises StoreAway."""
        await self._database.read(lambda connection: connection.execute(sa.select(1)).scalar())

    async def close(self) -> None:
        """Finish what is under way and let the database go."""
        await self.jobs.close()
        await self._database.close()
