"""Whether the databases of a hub can be used, found without making or changing anything there."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from kerberos_auth.outcome import Outcome, State
from slurm_ssh.text import one_line
from slurm_ssh_spawner.launch.records import urls
from slurm_ssh_spawner.launch.records.database import is_current, unknown_revisions
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
_SECONDS = 5
_EXTRAS = {"postgresql": "pip install 'jupyterhub-sites[postgresql]'"}
_LIBPQ = {"connect_timeout": str(_SECONDS), "options": f"-c statement_timeout={_SECONDS}s"}


@dataclass(frozen=True)
class Database:
    """One database of the hub: the setting that names it, its URL, and whether it has the launch records."""

    setting: tuple[str, str]
    url: str
    has_records: bool = False

    @property
    def shown(self) -> str:
        """The URL without the password that it may hold."""
        return urls.shown(self.url, ".".join(self.setting))


def usable(which: Database) -> Iterator[Outcome]:
    """Yield how a database stands: nothing if it can be used, or will be made when the hub starts."""
    named = {"url": which.shown}
    try:
        url = urls.read(which.url)
        if url.get_backend_name() == "sqlite":
            yield from _file(which, url)
            return
        engine = sa.create_engine(url, connect_args=_LIBPQ if url.get_driver_name().startswith("psycopg") else {})
    except ImportError as error:
        fix = _EXTRAS.get(sa.make_url(which.url).get_backend_name(), "")
        said = sentences.NO_DRIVER.format(**named, module=error.name)
        yield Outcome(
            "A9", State.FAIL, said, sentences.INSTALL_DRIVER.format(command=fix) if fix else "", which.setting
        )
        return
    except SQLAlchemyError as error:
        yield _unusable(which, error)
        return
    try:
        with engine.connect() as connection:
            yield from _connected(which, connection)
    except SQLAlchemyError as error:
        yield _unusable(which, error)
    finally:
        engine.dispose()


def _connected(which: Database, connection: sa.Connection) -> Iterator[Outcome]:
    if connection.dialect.name == "postgresql":
        shown = connection.exec_driver_sql("SHOW transaction_read_only").scalar()
        if shown == "on":
            said = sentences.DATABASE_READ_ONLY.format(url=which.shown)
            yield Outcome("A9", State.FAIL, said, sentences.USE_PRIMARY, which.setting)
    if which.has_records:
        yield from _version(which, connection)


def _version(which: Database, connection: sa.Connection) -> Iterator[Outcome]:
    named = {"url": which.shown}
    if unknown_revisions(connection):
        said = sentences.RECORDS_OF_NEWER.format(**named)
        yield Outcome("A9", State.FAIL, said, sentences.UPDATE_US, which.setting)
    elif not is_current(connection):
        yield Outcome("A9", State.OK, sentences.RECORDS_OF_OLDER.format(**named), setting=which.setting)


def _file(which: Database, url: sa.URL) -> Iterator[Outcome]:
    """Yield how a file of SQLite stands; that of its folder is another check's."""
    path = Path(url.database or "").absolute()
    if not url.database or not path.exists():
        return
    named = {"path": path, "uid": os.geteuid()}
    if not os.access(path, os.R_OK | os.W_OK):
        said = sentences.DATABASE_CLOSED.format(**named)
        yield Outcome("A9", State.FAIL, said, sentences.OWN_DATABASE.format(**named), which.setting)
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        said = sentences.DATABASE_WRITABLE if mode & (stat.S_IWGRP | stat.S_IWOTH) else sentences.DATABASE_OPEN
        said = said.format(**named, mode=f"{mode:04o}")
        yield Outcome("A9", State.WARN, said, sentences.CLOSE_DATABASE.format(**named), which.setting)
    file = f"file:{quote(str(path))}?mode=rw"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(file, uri=True, timeout=_SECONDS))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            if which.has_records:
                yield from _version(which, connection)
    except SQLAlchemyError as error:
        yield _unusable(which, error)
    finally:
        engine.dispose()


def _unusable(which: Database, error: SQLAlchemyError) -> Outcome:
    reason = one_line(str(getattr(error, "orig", None) or error).partition("\n")[0], _LONGEST)
    said = sentences.DATABASE_UNUSABLE.format(url=which.shown, reason=reason)
    return Outcome("A9", State.FAIL, said, sentences.MEND_DATABASE, which.setting)
