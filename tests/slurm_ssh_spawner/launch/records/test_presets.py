import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.records.presets import LONGEST_NAME, MOST, Preset, named
from tests.support.folders import DATA

GPU = Preset("my usual GPU session", {"profile": "neuro", "gpus": "1"})


@pytest.fixture(params=["new", "old", "postgresql"])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LaunchRecords]:
    """The records of a hub that is new, of one that began with the first release, and of one with PostgreSQL."""
    url = f"sqlite:///{tmp_path}/launches.sqlite"
    if request.param == "old":
        shutil.copy(DATA / "releases" / "0.1.0" / "launches.sqlite", tmp_path)
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    records = LaunchRecords(url)
    yield records
    await records.close()


async def test_what_somebody_keeps_is_theirs_alone(records: LaunchRecords) -> None:
    presets = records.presets
    assert await presets.save("alice", GPU)
    assert await presets.save("bob", Preset(GPU.name, {"profile": "few"}))
    assert await presets.of("alice") == (GPU,)
    await presets.forget("bob", GPU.name)
    await presets.forget("bob", "no such name")
    assert (await presets.of("alice"), await presets.of("bob")) == ((GPU,), ())


async def test_a_name_is_used_once_and_names_are_in_order(records: LaunchRecords) -> None:
    for name in ("b", "A", "c", "A"):
        assert await records.presets.save("alice", Preset(name, {"profile": name}))
    assert await records.presets.save("alice", Preset("b", {"time": "2h"}))
    kept = [(each.name, dict(each.choices)) for each in await records.presets.of("alice")]
    assert kept == [("A", {"profile": "A"}), ("b", {"time": "2h"}), ("c", {"profile": "c"})]


async def test_nobody_keeps_more_than_a_few(records: LaunchRecords) -> None:
    for number in range(MOST):
        assert await records.presets.save("alice", Preset(f"{number:02}", {}))
    assert not await records.presets.save("alice", Preset("one more", {}))
    assert await records.presets.save("alice", Preset("07", {"time": "2h"}))
    kept = await records.presets.of("alice")
    assert (len(kept), kept[7].choices) == (MOST, {"time": "2h"})
    assert await records.presets.save("bob", GPU)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("  my  GPU\tsession ", "my GPU session"), ("", ""), ("\x00\n", ""), ("x" * 999, "x" * LONGEST_NAME)],
)
def test_a_name_is_one_short_line(typed: str, meant: str) -> None:
    assert named(typed) == meant
