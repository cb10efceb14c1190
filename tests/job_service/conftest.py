import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from tests.support import builders


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without a job, to be copied: it takes long to make."""
    file = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def url(_empty: Path, tmp_path: Path) -> str:
    """The URL of a new database."""
    return f"sqlite:///{shutil.copy(_empty, tmp_path / 'jobs.sqlite')}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A new store, where it is always the same moment."""
    opened = await Store.open(url, lambda: builders.NOW)
    yield opened
    await opened.close()
