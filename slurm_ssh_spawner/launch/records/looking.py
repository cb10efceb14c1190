"""Looks at the launches in a hub's database from another process, which changes nothing there."""

import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from slurm_ssh_spawner.launch.records import urls
from slurm_ssh_spawner.launch.records.database import is_current
from slurm_ssh_spawner.launch.records.history import Sought, statement
from slurm_ssh_spawner.launch.records.values import LaunchRecord

_BUSY_SECONDS = 5
_READ_ONLY = {"connect_timeout": "5", "options": "-c default_transaction_read_only=on -c statement_timeout=60s"}


class OtherVersion(Exception):  # noqa: N818
    """The database has the tables of another version than this one."""


class Unreadable(Exception):  # noqa: N818
    """The database cannot be read; the text is the reason."""


def look(url: str, sought: Sought, limit: int) -> tuple[LaunchRecord, ...]:
    """Return launches from the database at a SQLAlchemy URL, the newest first; a hub may be using it.

    Raises OtherVersion and Unreadable.
    """
    try:
        engine = _engine(url)
        try:
            with engine.connect() as connection:
                if not is_current(connection):
                    raise OtherVersion
                found = connection.execute(statement(sought, limit, 0)).all()
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise Unreadable(str(getattr(error, "orig", None) or error).partition("\n")[0]) from error
    except ImportError as error:
        raise Unreadable(str(error)) from error
    return tuple(LaunchRecord.of(each) for each in found)


def _engine(url: str) -> sa.Engine:
    there = urls.read(url)
    if there.get_backend_name() != "sqlite":
        is_libpq = there.get_driver_name().startswith("psycopg")
        return sa.create_engine(there, connect_args=_READ_ONLY if is_libpq else {})
    path = Path(there.database or "").absolute()
    if not path.is_file():
        raise Unreadable(os.strerror(errno.ENOENT))
    # The hub's own files beside it are made by whoever opens it first; nothing else is written.
    file = f"file:{quote(str(path))}?mode=rw"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(file, uri=True, timeout=_BUSY_SECONDS))
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    return engine
