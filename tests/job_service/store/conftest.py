import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from tests.job_service.store.builders import NOW, Time
from tests.support import postgres


@pytest.fixture
def sqlite(_empty: Path, tmp_path: Path) -> str:
    """The URL of a new database in a file."""
    return f"sqlite:///{shutil.copy(_empty, tmp_path / 'jobs.sqlite')}"


@pytest.fixture
def make_file(_empty: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes a new database in a file, and returns its URL."""
    numbers = itertools.count()
    return lambda: f"sqlite:///{shutil.copy(_empty, tmp_path / f'{next(numbers)}.sqlite')}"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL whose sessions are not in UTC."""
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def make_database(server: str) -> Iterator[Callable[..., str]]:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    names = (f"jobs_{number}" for number in itertools.count())

    def make(template: str = "template1") -> str:
        name = next(names)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return server.replace("/postgres?", f"/{name}?").replace("+psycopg", "")

    first = make()
    upgrade(first)
    yield lambda template="jobs_0": make(template)
    engine.dispose()


@pytest.fixture
def postgresql(make_database: Callable[[], str]) -> str:
    """The URL of a new database on a server."""
    return make_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each kind in which there is nothing yet."""
    if request.param == "sqlite":
        file = tmp_path / "bare.sqlite"
        file.touch(0o600)
        return f"sqlite:///{file}"
    make: Callable[[str], str] = request.getfixturevalue("make_database")
    return make("template1")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database of each kind."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def time() -> Time:
    return Time(NOW)


@pytest.fixture
async def store(url: str, time: Time) -> AsyncIterator[Store]:
    opened = await Store.open(url, time)
    yield opened
    await opened.close()
