import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from job_service.store.upgrading import upgrade
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service


@pytest.fixture(scope="session")
def _database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("running") / "jobs.sqlite"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def url(_database: Path, tmp_path: Path) -> str:
    """The URL of a new database."""
    return f"sqlite:///{shutil.copy(_database, tmp_path / 'jobs.sqlite')}"


@pytest.fixture
async def clock() -> FastClock:
    return FastClock()


@pytest.fixture
async def site(clock: FastClock) -> Crowd:
    return Crowd(clock)


@pytest.fixture
async def service(tmp_path: Path, url: str, site: Crowd, clock: FastClock) -> AsyncIterator[Service]:
    """The service with geneva, whose Slurm is `site`; it has begun."""
    made = Service(tmp_path, url, site, clock)
    await made.start()
    yield made
    await made.stop()
