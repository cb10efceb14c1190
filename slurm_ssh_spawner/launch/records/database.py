"""Opens the database of launch records: closed to others, and with the tables of this version."""

import os
import stat
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError

from slurm_ssh_spawner.launch.records import urls

_MIGRATIONS = "slurm_ssh_spawner.launch.records:migrations"
_PRIVATE = 0o600
# How long a write waits while another program, such as a backup, holds the database.
_BUSY_SECONDS = 5
# libpq waits for hours for a server that went away.
_LIBPQ = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "options": "-c lock_timeout=5s -c statement_timeout=10s",
}


class NewerDatabase(Exception):  # noqa: N818
    """The database has a revision that this version does not know."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for the database at a SQLAlchemy URL, which is made or brought to this version's tables.

    Raises NewerDatabase, OSError, SQLAlchemyError, or ImportError if there is no driver for it.
    """
    there = urls.read(url)
    if there.get_backend_name() == "sqlite":
        engine = _sqlite(there)
    else:
        is_libpq = there.get_driver_name().startswith("psycopg")
        engine = sa.create_engine(there, pool_pre_ping=True, connect_args=_LIBPQ if is_libpq else {})
    try:
        with engine.connect() as connection:
            upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to this version, all or nothing.  Raises NewerDatabase and SQLAlchemyError."""
    if connection.dialect.name == "sqlite":
        # By itself Python's driver begins no transaction before tables are changed.
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    if unknown := unknown_revisions(connection):
        raise NewerDatabase(", ".join(sorted(unknown)))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def unknown_revisions(connection: sa.Connection) -> frozenset[str]:
    """Return the revisions of the tables that this version does not know.  Raises SQLAlchemyError."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return frozenset(MigrationContext.configure(connection).get_current_heads()) - known


def is_current(connection: sa.Connection) -> bool:
    """Return whether the tables are those of this version.  Raises SQLAlchemyError."""
    newest = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(newest)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    return config


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise ArgumentError("the launch records need the path of a file")
    _make_private(Path(url.database))
    if "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(_BUSY_SECONDS)})
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        # Whoever reads then waits for nobody who writes; the file remembers it.
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    return engine


def _make_private(path: Path) -> None:
    """Make the file if it is not there, and close it to others; SQLite gives its mode to those that it adds."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if name.exists() and stat.S_IMODE(name.stat().st_mode) & ~_PRIVATE:
            name.chmod(_PRIVATE)
