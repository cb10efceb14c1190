from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from job_service.store.store import Store
from tests.job_service.http.serving import Serving, serving
from tests.support.local import LocalSite


@pytest.fixture
async def service(store: Store, tmp_path: Path, local: LocalSite) -> AsyncIterator[Serving]:
    async with serving(store, tmp_path, local) as found:
        yield found


@pytest.fixture
def app(service: Serving) -> FastAPI:
    return service.app()
