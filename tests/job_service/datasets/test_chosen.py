"""The list of chosen datasets of a server, written by a real shell into the folder of its owner's jobs."""

import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from job_service.datasets import chosen
from job_service.datasets.datasets import Datasets
from profiles.catalogue.dataset import Dataset
from profiles.loading.live import LiveCatalogue
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.local import LocalSite

SCANS = (
    Dataset("demo:a", "Mouse 1", "scan", "/data/it's a", {"channels": 2}),
    Dataset("own:geneva/b", "b", "scan", "/data/ü\u2028b", {}, "geneva"),
)
NAME = "0123456789ab"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveCatalogue]:
    jobs = {"folder": f"{tmp_path}/of it's/{{owner}}/jobs", "keep": "2d"}
    found = builders.live(tmp_path, sites={"geneva": builders.site(jobs=jobs)})
    yield found
    await found.close()


@pytest.fixture
def datasets(live: LiveCatalogue, local: LocalSite) -> Datasets:
    def reach(user: str, system: str) -> Remote:
        return Remote(local, Login(user, user, system), live.sites[system])  # type: ignore[arg-type]

    return Datasets(live, reach)


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    return tmp_path / "of it's" / "alice" / "jobs"


async def _write(datasets: Datasets, jobs: Path, name: str = NAME) -> Path:
    path = chosen.place(str(jobs), name)
    await datasets.write("alice", "geneva", path, SCANS)
    return Path(path)


async def test_a_list_says_all_of_each_and_is_its_owners_alone(datasets: Datasets, jobs: Path) -> None:
    path = await _write(datasets, jobs)
    assert json.loads(path.read_text()) == [each.to_json() for each in SCANS]
    assert path == jobs / ".servers" / f"{NAME}.json"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, jobs)] == [0o600, 0o700, 0o700]


async def test_a_list_that_is_written_again_is_whole(datasets: Datasets, jobs: Path) -> None:
    first = (await _write(datasets, jobs)).read_text()
    assert (await _write(datasets, jobs)).read_text() == first
    assert [each.name for each in (jobs / ".servers").iterdir()] == [f"{NAME}.json"]


async def test_lists_go_when_they_are_old_and_there_are_never_many(datasets: Datasets, jobs: Path) -> None:
    path = await _write(datasets, jobs)
    others = [path.parent / f"{number:012x}.json" for number in range(chosen.MOST + 20)]
    now = path.stat().st_mtime
    for age, other in enumerate(others):
        other.touch()
        os.utime(other, (now - age, now - age))
    old, mine = path.parent / "ffffffffffff.json", path.parent / "my notes.txt"
    for each, days in ((old, 3), (mine, 1)):
        each.touch()
        os.utime(each, (now - days * 86400,) * 2)
    newest = await _write(datasets, jobs, "abcdefabcdef")
    left = set(path.parent.glob("*.json"))
    assert newest in left
    assert path in left
    assert old not in left
    assert len(left) == chosen.MOST
    assert not left & set(others[-20:])
    assert mine.exists()


@pytest.mark.parametrize("what", ["link", "open", "file"])
async def test_nothing_is_written_where_somebody_else_might_see_it(
    datasets: Datasets, jobs: Path, tmp_path: Path, what: str
) -> None:
    jobs.mkdir(parents=True, mode=0o700)
    if what == "link":
        (tmp_path / "elsewhere").mkdir()
        (jobs / ".servers").symlink_to(tmp_path / "elsewhere")
    elif what == "open":
        jobs.chmod(0o755)
    else:
        (jobs / ".servers").touch()
    with pytest.raises(Refused) as refused:
        await _write(datasets, jobs)
    assert "Geneva" in refused.value.message
    assert not list(tmp_path.glob("elsewhere/*"))
    assert not list(tmp_path.rglob("*.json"))
