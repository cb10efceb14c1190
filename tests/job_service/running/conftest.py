from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service


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


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[], int]:
    """What says how often jobs of a counted line have run."""
    return lambda: len((tmp_path / "runs").read_text().split()) if (tmp_path / "runs").exists() else 0
