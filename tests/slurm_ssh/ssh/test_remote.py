from pathlib import Path
from typing import Any

import pytest

from kernels.shell import Shell
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed, ConnectionLost, NotBegun
from tests.support import builders
from tests.support.local import LocalSite

_COUNT = Shell("echo x >> ~/count")


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    return LocalSite(tmp_path)


@pytest.fixture
def remote(local: LocalSite) -> Remote:
    site = builders.catalogue(sites={"geneva": builders.site(environment={"SLURM_CONF": "/etc/x"})}).sites[
        "geneva"
    ]
    pool: Any = local
    return Remote(pool, Login("alice", "alice", "geneva"), site)


def _runs(local: LocalSite) -> int:
    path = local.home / "count"
    return len(path.read_text().split()) if path.exists() else 0


async def test_a_program_gets_its_data_and_the_environment_of_its_site(remote: Remote) -> None:
    assert await remote.run(Shell('cat; echo "$SLURM_CONF"'), b"data ") == Completed(0, "data /etc/x\n", "")


@pytest.mark.parametrize(("mishap", "runs"), [("before", 1), ("after", 2)])
async def test_a_program_is_run_again_if_the_connection_was_lost(
    remote: Remote, local: LocalSite, mishap: str, runs: int
) -> None:
    local.mishaps = [mishap]
    assert (await remote.run(_COUNT)).status == 0
    assert _runs(local) == runs


async def test_a_connection_lost_twice_is_said(remote: Remote, local: LocalSite) -> None:
    local.mishaps = ["before", "before"]
    with pytest.raises(Unavailable, match=r"The connection to Geneva was lost"):
        await remote.run(_COUNT)


async def test_a_program_that_may_run_only_once_is_not_run_again(remote: Remote, local: LocalSite) -> None:
    local.mishaps = ["after"]
    with pytest.raises(ConnectionLost):
        await remote.run_once(_COUNT)
    assert _runs(local) == 1


@pytest.mark.parametrize("mishap", ["stale", "no session"])
async def test_a_program_that_is_certain_not_to_have_run_is_begun_once_more(
    remote: Remote, local: LocalSite, mishap: str
) -> None:
    local.mishaps = [mishap]
    assert (await remote.run_once(_COUNT)).status == 0
    assert _runs(local) == 1
    local.mishaps = [mishap, mishap, ""]
    with pytest.raises(NotBegun):
        await remote.run_once(_COUNT)
    assert local.mishaps == [""]


async def test_a_site_that_does_not_answer_is_said_and_not_asked_again(remote: Remote, local: LocalSite) -> None:
    local.mishaps = ["late"]
    with pytest.raises(Unavailable, match="Geneva did not answer within 60 seconds"):
        await remote.run(_COUNT)
    assert _runs(local) == 0
