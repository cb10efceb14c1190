from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.front_ends import Connect, FrontEnds


@pytest.fixture(params=["double", "openssh", "local"])
async def front_ends(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FrontEnds]:
    async with AsyncExitStack() as stack:
        yield FrontEnds(request.param, tmp_path, stack)


@pytest.fixture
def connect(front_ends: FrontEnds) -> Connect:
    return front_ends.connect
