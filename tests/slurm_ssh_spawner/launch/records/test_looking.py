"""Another process looks at a hub's records, and cannot change them."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.looking import _engine, look
from tests.support import builders


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql"))
    return f"sqlite:///{tmp_path}/launches.sqlite"


async def test_it_reads_beside_the_hub_and_writes_nothing(url: str) -> None:
    records = LaunchRecords(url)
    await records.begin(builders.LAUNCH_ID, builders.launch())
    assert [record.launch_id for record in look(url, Sought(user="alice"), 10)] == [builders.LAUNCH_ID]
    engine = _engine(url)
    with engine.connect() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.execute(sa.text("DELETE FROM launches"))
    engine.dispose()
    assert len(look(url, Sought(), 10)) == 1
    await records.close()
