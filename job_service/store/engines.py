"""Opens SQLite or PostgreSQL: closed to others, for one service at a time, with limits to every wait."""

import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from job_service.sentences import store as say
from job_service.store.connections import TURN_SECONDS, Connections, InThreads, OnTheLoop
from job_service.store.errors import DatabaseOpen, DatabaseTaken, DatabaseUnknown

PRIVATE = 0o600
_OTHERS = 0o077
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg"}
# How long a transaction waits while another program, such as a backup, holds the database.
_BUSY_SECONDS = 5
_READERS = 4
_LOCK = 0x6A6F6273  # any number: what services of this kind agree on
_POSTGRESQL = {
    "timeout": 5,
    "command_timeout": 10,
    "server_settings": {
        "application_name": "jupyterhub-jobs",
        "lock_timeout": f"{_BUSY_SECONDS}s",
        # A service whose machine is gone holds its lock no longer than this.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    },
}
_POOL: dict[str, Any] = {"pool_timeout": TURN_SECONDS, "max_overflow": 0}


@dataclass
class Engines:
    """One connection that writes, which also keeps other services out, and some that read."""

    writing: Connections
    reading: Connections
    file: Path | None = None
    lock: int | None = None
    was: tuple[int, int] | None = None

    def look_for_file(self) -> None:
        """Raise OSError if the file was removed or replaced: connections would go on with the one of before."""
        if self.file and _identity(self.file) != self.was:
            raise FileNotFoundError(f"{self.file} was removed or replaced; restart the service")

    async def close(self) -> None:
        """Close all connections, and let other services in."""
        await self.reading.close()
        await self.writing.close()
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def open_engines(url: str, *, make: bool = False) -> Engines:
    """Return engines for the database at a SQLAlchemy URL; `make` makes a file for SQLite, or closes it to others.

    Raises DatabaseOpen, DatabaseTaken, DatabaseUnknown, OSError (FileNotFoundError if it is not there).
    """
    try:
        there = sa.make_url(url)
    except (ArgumentError, ValueError):
        # What these say may hold the password.
        raise DatabaseUnknown(say.NO_SUCH_DATABASE) from None
    backend = there.get_backend_name()
    if backend != "sqlite" and url.partition("://")[2].count("@") > 1:
        # What follows a bare @ would be taken for a host.
        raise DatabaseUnknown(say.PASSWORD_BARE)
    if backend not in _DRIVERS:
        raise DatabaseUnknown(say.NO_SUCH_DATABASE)
    there = there.set(drivername=_DRIVERS[backend])
    try:
        return _sqlite(there, make=make) if backend == "sqlite" else _postgresql(there)
    except ModuleNotFoundError as error:
        raise DatabaseUnknown(say.NO_DRIVER.format(name=error.name)) from error


def _postgresql(url: sa.URL) -> Engines:
    def engine(size: int, isolation: str) -> OnTheLoop:
        made = create_async_engine(
            url,
            connect_args=_POSTGRESQL,
            isolation_level=isolation,
            pool_size=size,
            pool_pre_ping=True,
            **_POOL,
        )
        return OnTheLoop(made)

    writing = engine(1, "READ COMMITTED")

    @event.listens_for(writing.sync_engine, "connect")
    def _keep_others_out(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})")
            (is_ours,) = cursor.fetchone()
            connection.commit()
        finally:
            cursor.close()
        if not is_ours:
            connection.close()
            raise DatabaseTaken(say.DATABASE_TAKEN)

    return Engines(writing, engine(_READERS, "REPEATABLE READ"))


def _sqlite(url: sa.URL, *, make: bool) -> Engines:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise DatabaseUnknown(say.NEEDS_A_FILE)
    file = Path(url.database)
    (_make_private if make else _refuse_open)(file)
    lock = _locked(Path(f"{file}.lock"))
    if "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(_BUSY_SECONDS)})
    writing = sa.create_engine(url, pool_size=1, **_POOL)
    reading = sa.create_engine(url, pool_size=_READERS, **_POOL)
    # Whoever reads waits for nobody who writes; the file remembers that.
    _set_up(writing, "BEGIN IMMEDIATE", "PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON")
    _set_up(reading, "BEGIN", "PRAGMA query_only = ON")
    return Engines(InThreads(writing, 1), InThreads(reading, _READERS), file, lock, _identity(file))


def _set_up(engine: sa.Engine, begin: str, *pragmas: str) -> None:
    """Begin each transaction so, rather than when Python's driver would: late, and not before tables change."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)


def _files(file: Path) -> list[Path]:
    """Return those files of a database that are there; SQLite gives those that it adds the first one's mode."""
    return [path for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")) if path.exists()]


def _make_private(file: Path) -> None:
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE))
    for path in _files(file):
        if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            path.chmod(PRIVATE)


def _refuse_open(file: Path) -> None:
    """Raise DatabaseOpen if others may read or write it, FileNotFoundError if it is not there."""
    file.stat()
    for path in _files(file):
        found = path.stat()
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & _OTHERS:
            raise DatabaseOpen(say.DATABASE_OPEN.format(file=path))


def _locked(file: Path) -> int:
    """Return what holds the lock until it is closed, or this process ends.  Raises DatabaseTaken."""
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(opened)
        raise DatabaseTaken(say.DATABASE_TAKEN) from error
    return opened


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
