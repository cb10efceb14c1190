from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from job_service.store.store import Store
from tests.job_service.accepting.serving import Service, serving
from tests.support.local import LocalSite


@pytest.fixture
async def service(store: Store, tmp_path: Path, local: LocalSite) -> AsyncIterator[Service]:
    async with serving(store, tmp_path, local) as found:
        yield found
