import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from tests.job_service.http.serving import Serving, serving
from tests.support import builders
from tests.support.local import LocalSite


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
async def store(_empty: Path, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{shutil.copy(_empty, tmp_path / 'jobs.sqlite')}", lambda: builders.NOW)
    yield opened
    await opened.close()


@pytest.fixture
async def service(store: Store, tmp_path: Path, local: LocalSite) -> AsyncIterator[Serving]:
    async with serving(store, tmp_path, local) as found:
        yield found


@pytest.fixture
def app(service: Serving) -> FastAPI:
    return service.app()
