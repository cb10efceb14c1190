from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.support import postgres


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture
def postgresql(_server: str) -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL whose sessions are not in UTC."""
    engine = sa.create_engine(_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE launches")
        yield _server.replace("/postgres?", "/launches?")
        connection.exec_driver_sql("DROP DATABASE launches WITH (FORCE)")
    engine.dispose()
