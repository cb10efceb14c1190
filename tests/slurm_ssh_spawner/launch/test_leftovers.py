"""What a launch leaves at its site is removed once; the site's own program for tickets counts it here."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.records import LaunchRecord
from tests.support import builders, composing, launching
from tests.support.local import LocalSite
from tests.support.waiting import until

_ID = builders.LAUNCH_ID


@pytest.fixture
def offer(local: LocalSite) -> Catalogue:
    # It counts, and fails as often as a file says.
    count = f"cd {local.home}; echo x >> releases; [ $(wc -l < releases) -gt $(cat failures) ]"
    command = {"push": ["/bin/sh", "-c", "cat >/dev/null"], "release": ["/bin/sh", "-c", count]}
    (local.home / "failures").write_text("0")
    folder = f"{local.home}/{{owner}}/jobs"
    ticket = {"delivery": "command", "command": command}
    site = builders.site(slurm_path=str(local.slurm), job_folder=folder, ticket=ticket, ticket_folder=None)
    return builders.catalogue(sites={"geneva": site})


@pytest.fixture
async def launcher(offer: Catalogue, local: LocalSite, tmp_path: Path) -> AsyncIterator[Launcher]:
    tickets: Any = launching.Tickets()
    made = composing.launcher(offer.sites, tickets, f"sqlite:///{tmp_path}/launches", local)
    yield made
    await made.close()


async def _submitted(launcher: Launcher, offer: Catalogue) -> Job:
    launch = builders.launch(offer, {})
    job = launcher.job(launch, _ID)
    return await launcher.submit(launch, job, builders.process(), lambda _job: None, lambda _sentence: None)


async def _released(launcher: Launcher) -> LaunchRecord:
    """Return the record once nothing more is done for the launch."""
    await until(lambda: not launcher.unattended._tasks)
    await launcher.records.settled()
    record = await launcher.records.get(_ID)
    assert record
    return record


def _count(local: LocalSite) -> int:
    path = local.home / "releases"
    return path.read_text().count("x") if path.exists() else 0


@pytest.mark.parametrize("problem", ["Invalid account", "Batch job submission failed: Nothing runs here"])
async def test_the_ticket_of_a_job_that_slurm_refuses_is_removed_once(
    launcher: Launcher, offer: Catalogue, local: LocalSite, problem: str
) -> None:
    local.tell("refusal", f"sbatch: error: {problem}\n")
    with pytest.raises(LaunchError):
        await _submitted(launcher, offer)
    # As JupyterHub's stop of a start that failed does.
    launcher.unattended.abandon(builders.job(launch_id=_ID, job_id=""))
    assert (await _released(launcher)).released
    assert _count(local) == 1


async def test_a_ticket_that_could_not_be_removed_then_is_removed_later(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    (local.home / "failures").write_text("1")
    local.tell("refusal", "sbatch: error: Invalid account\n")
    with pytest.raises(LaunchError):
        await _submitted(launcher, offer)
    launcher.unattended.abandon(builders.job(launch_id=_ID, job_id=""))
    assert (await _released(launcher)).released
    assert _count(local) == 2


async def test_after_a_lost_answer_it_is_removed_again_because_the_program_may_have_gone_on(
    launcher: Launcher, offer: Catalogue, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    local.mishaps = ["before"]
    with pytest.raises(LaunchError):
        await _submitted(launcher, offer)
    launcher.unattended.abandon(builders.job(launch_id=_ID, job_id=""))
    assert (await _released(launcher)).released
    assert _count(local) == 2


async def test_the_ticket_of_a_job_that_has_ended_is_removed_once(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _submitted(launcher, offer)
    launcher.release(job)
    assert (await _released(launcher)).released
    assert _count(local) == 1
