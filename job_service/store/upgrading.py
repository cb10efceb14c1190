"""Which revision a database has, and how it is brought to that of this version."""

import asyncio

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from job_service.sentences import store as say
from job_service.store.database import Database
from job_service.store.engines import open_engines
from job_service.store.errors import DatabaseBehind, DatabaseNewer
from job_service.store.schema import REVISIONS

_MIGRATIONS = "job_service.store:migrations"


def upgrade(url: str) -> None:
    """Make the database at a SQLAlchemy URL if it is not there, closed to others, and bring it to this version.

    All or nothing; not to be called from a running event loop.  Raises DatabaseNewer, DatabaseTaken,
    DatabaseUnknown, StoreAway, and OSError if the file cannot be made.
    """
    asyncio.run(_upgraded(url))


def check(connection: sa.Connection) -> None:
    """Raise DatabaseBehind or DatabaseNewer if the tables are not those of this version."""
    scripts = ScriptDirectory.from_config(_config())
    found = _found(connection)
    _refuse_newer(found, scripts)
    if found != set(scripts.get_heads()):
        raise DatabaseBehind(say.DATABASE_BEHIND)


async def _upgraded(url: str) -> None:
    database = Database(open_engines(url, make=True))
    await database.first(_upgrade)
    await database.close()


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    _refuse_newer(_found(connection), ScriptDirectory.from_config(config))
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.set_main_option("path_separator", "os")
    return config


def _found(connection: sa.Connection) -> set[str]:
    return set(MigrationContext.configure(connection, opts={"version_table": REVISIONS}).get_current_heads())


def _refuse_newer(found: set[str], scripts: ScriptDirectory) -> None:
    if unknown := found - {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseNewer(say.DATABASE_NEWER.format(revision=", ".join(sorted(unknown))))
