from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.realm import Realm
from tests.support.well_hub import WellHub, well_hub


@pytest.fixture
def well(tmp_path: Path, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> Iterator[WellHub]:
    """A hub with which nothing is wrong."""
    with well_hub(tmp_path, realm, monkeypatch) as hub:
        yield hub
