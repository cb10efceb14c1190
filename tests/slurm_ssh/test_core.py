import sys
from typing import Any

import pytest

from kerberos_auth.errors import TicketMissing
from slurm_ssh.core import Core
from slurm_ssh.errors import Broken
from slurm_ssh_spawner.launch.records import LaunchRecords
from tests.support import builders, composing, shells
from tests.support.local import LocalSite

_CHARGING = {"projects": "accounting", "slurm_cluster": "lugano"}


def _core(local: LocalSite, **site: Any) -> Core:
    sites = {"geneva": builders.site(slurm_path=str(local.slurm), **site)}
    credentials = composing.NoTickets(TicketMissing())
    records = LaunchRecords(f"sqlite:///{local.home}/launches.sqlite")
    return composing.core(builders.catalogue(sites=sites).sites, credentials, records, local)


@pytest.mark.parametrize("cluster", ["lugano", None])
async def test_a_persons_projects_are_those_of_the_cluster_in_the_accounting(
    local: LocalSite, cluster: str | None
) -> None:
    local.tell("projects", "lugano|proj3\nlugano|proj12\nbern|proj5\n")
    facts = await _core(local, **_CHARGING | {"slurm_cluster": cluster}).availability.refreshed("alice", 20)
    assert facts["geneva"].projects == ("proj3", "proj12")


@pytest.mark.parametrize("mishap", ["silent", "garbage", "lost"])
async def test_projects_that_could_not_be_asked_are_not_none(local: LocalSite, mishap: str) -> None:
    match mishap:
        case "silent":
            local.tell("silent", "")
        case "garbage":
            local.tell("projects", "maintenance until Monday\n")
        case "lost":
            # Twice for the projects, and twice for what is free, which is asked for at the same time.
            local.mishaps = ["before"] * 4
    facts = await _core(local, **_CHARGING).availability.refreshed("alice", 20)
    assert facts["geneva"].projects is None


async def test_a_job_of_a_site_that_is_gone_from_the_catalogue_is_a_configuration_error(local: LocalSite) -> None:
    core = _core(local)
    with pytest.raises(Broken, match="bern is no longer in the catalogue"):
        core.remote(builders.job(site_key="bern"))
    assert await core.list(builders.job(site_key="bern"), frozenset()) is None


@pytest.mark.parametrize(
    "module", ["slurm_ssh.jobs.submission", "slurm_ssh.core", "slurm_ssh_spawner.launch.launcher"]
)
def test_the_core_serves_other_processes_than_a_jupyterhub(module: str) -> None:
    (modules,) = shells.run([sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]).lines
    unwanted = {"jupyterhub", "batchspawner", "tornado", "traitlets"}
    assert unwanted.isdisjoint(modules.split())
    assert module.startswith("slurm_ssh_spawner") or "profiles.offer.launch" not in modules.split()


async def test_a_closed_core_leaves_no_task(local: LocalSite) -> None:
    core = _core(local, **_CHARGING)
    await core.availability.refreshed("alice", 0)
    core.upkeep.owe_stop(builders.job())
    await core.close()
    assert not core.upkeep._owed
    assert not core.availability._questions
