from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import job_hub
from tests.support.job_hub import JobHub


@pytest.fixture
def hub() -> Iterator[JobHub]:
    with job_hub.running() as hub:
        yield hub


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty home, and a clock in UTC, to whatever is kept and shown."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("hubjobs.engine.FIRST_DELAY_S", 0.01)
    return tmp_path
