from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh_spawner.launch.launcher import Launcher
from tests.slurm_ssh_spawner.launch.launcher.launches import Tickets, a_catalogue, opened
from tests.support import names
from tests.support.local import LocalSite


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.watch.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh_spawner.launch.launcher.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.question._FIRST_REST_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)


@pytest.fixture
def offer(local: LocalSite) -> Catalogue:
    return a_catalogue(local)


@pytest.fixture
def tickets() -> Tickets:
    return Tickets()


@pytest.fixture(autouse=True)
def _nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    names.known(monkeypatch).update({"n1.geneva.test": ("203.0.113.7",), "localhost": ("127.0.0.1",)})


@pytest.fixture
async def launcher(
    offer: Catalogue, local: LocalSite, tmp_path: Path, tickets: Tickets
) -> AsyncIterator[Launcher]:
    launcher = opened(tmp_path, offer, tickets, local)
    yield launcher
    await launcher.close()
