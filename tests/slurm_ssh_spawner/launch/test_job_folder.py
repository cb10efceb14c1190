"""The job folder: log, configuration and programs of a person's jobs lie there, and nobody else gets at them."""

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh import sentences
from slurm_ssh.errors import Refused
from slurm_ssh.jobs import steps, submission
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.launch import script
from tests.support import builders, loopback
from tests.support.local import LocalSite
from tests.support.whole_job import WAIT_SECONDS, WholeJob, stub

_SOMEBODY = 65534
_IS_ROOT = os.geteuid() == 0


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    local = LocalSite(tmp_path / "home")
    local.home.mkdir(mode=0o700)
    local.install_slurm()
    return local


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where everybody makes their folders, as on many sites."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


async def _submit(local: LocalSite, folder: str) -> str:
    site = builders.site(slurm_path=str(local.slurm), ticket={"delivery": "none"})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}))
    # Also one that a catalogue may not name.
    launch = replace(launch, site=launch.site.model_copy(update={"job_folder": folder}))
    pool: Any = local
    _, job_id = await submission.submit(
        Remote(pool, Login("alice", "alice", "geneva"), launch.site),
        builders.job(job_id=""),
        lambda fragment: script.build(launch, builders.LAUNCH_ID, "m", builders.process(), (fragment,)),
        b"",
        lambda _: None,
    )
    return job_id


async def _refusal(local: LocalSite, folder: str) -> str:
    before = local.told("submissions")
    with pytest.raises(Refused) as refused:
        await _submit(local, folder)
    assert local.told("submissions") == before
    return refused.value.message


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _says(sentence: str, folder: Path) -> str:
    return sentence.format(site="Geneva", folder=folder)


async def test_it_is_made_private_with_all_above_it(local: LocalSite, scratch: Path) -> None:
    assert await _submit(local, f"{scratch}/{{owner}}/its jobs") == "42"
    assert [_mode(scratch / name) for name in ("alice", "alice/its jobs")] == [0o700, 0o700]


@pytest.mark.parametrize("mode", [0o755, 0o711, 0o770, 0o1777])
async def test_one_that_others_may_enter_is_refused(local: LocalSite, scratch: Path, mode: int) -> None:
    folder = scratch / "alice" / "jupyter"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert await _refusal(local, f"{scratch}/{{owner}}/jupyter") == _says(sentences.FOLDER_OPEN, folder)


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
async def test_one_below_a_folder_that_others_write_to_is_refused(
    local: LocalSite, scratch: Path, mode: int
) -> None:
    (scratch / "alice").mkdir()
    (scratch / "alice").chmod(mode)
    said = await _refusal(local, f"{scratch}/{{owner}}/jupyter")
    assert said == _says(sentences.FOLDER_REPLACEABLE, scratch / "alice")


@pytest.mark.skipif(not _IS_ROOT, reason="another owner")
@pytest.mark.parametrize("whose", ["alice", "alice/jupyter"])
async def test_one_that_somebody_else_has_made_first_is_refused(
    local: LocalSite, scratch: Path, whose: str
) -> None:
    (scratch / "alice" / "jupyter").mkdir(parents=True, mode=0o700)
    (scratch / "alice" / "jupyter").chmod(0o700)
    os.chown(scratch / whose, _SOMEBODY, _SOMEBODY)
    assert await _refusal(local, f"{scratch}/{{owner}}/jupyter") == _says(
        sentences.FOLDER_FOREIGN, scratch / whose
    )


async def test_a_link_in_its_place_is_refused(local: LocalSite, scratch: Path) -> None:
    (scratch / "alice").mkdir(mode=0o755)
    (scratch / "elsewhere").mkdir(mode=0o700)
    (scratch / "alice" / "jupyter").symlink_to(scratch / "elsewhere")
    said = await _refusal(local, f"{scratch}/{{owner}}/jupyter")
    assert said == _says(sentences.FOLDER_FOREIGN, scratch / "alice" / "jupyter")


async def test_an_admins_link_on_the_way_is_followed_and_what_it_leads_to_is_looked_at(
    local: LocalSite, scratch: Path, tmp_path: Path
) -> None:
    real = tmp_path / "lustre" / "scratch"
    real.mkdir(parents=True)
    (tmp_path / "lustre" / "here").symlink_to("./scratch")
    (scratch / "fast").symlink_to(tmp_path / "lustre" / ".." / "lustre" / "here")
    assert await _submit(local, f"{scratch}/fast/{{owner}}/jupyter") == "42"
    assert _mode(real / "alice" / "jupyter") == 0o700
    (tmp_path / "lustre").chmod(0o777)
    said = await _refusal(local, f"{scratch}/fast/{{owner}}/jupyter")
    assert said == _says(sentences.FOLDER_REPLACEABLE, tmp_path / "lustre")


@pytest.mark.skipif(not _IS_ROOT, reason="another owner")
async def test_somebody_elses_link_on_the_way_is_not_followed(
    local: LocalSite, scratch: Path, tmp_path: Path
) -> None:
    (tmp_path / "alice").mkdir(mode=0o700)
    (scratch / "alice").symlink_to(tmp_path / "alice")
    os.chown(scratch / "alice", _SOMEBODY, _SOMEBODY, follow_symlinks=False)
    said = await _refusal(local, f"{scratch}/{{owner}}/jupyter")
    assert said == _says(sentences.FOLDER_FOREIGN, scratch / "alice")


async def test_links_without_end_are_an_error_and_no_loop(local: LocalSite, scratch: Path) -> None:
    (scratch / "alice").symlink_to("alice")
    assert "cannot be made" in await _refusal(local, f"{scratch}/{{owner}}/jupyter")


async def test_one_that_is_everybodys_is_made_by_nobody(local: LocalSite, scratch: Path) -> None:
    assert "cannot be made" in await _refusal(local, f"{scratch}/jupyter")
    assert not (scratch / "jupyter").exists()


async def test_slurm_makes_the_log_for_its_owner_alone_and_the_job_has_the_logins_umask(
    local: LocalSite, scratch: Path, tmp_path: Path
) -> None:
    sbatch = local.slurm / "sbatch"
    sbatch.write_text(sbatch.read_text().replace("echo 42", "umask > sbatch.umask; echo 42"))
    await _submit(local, f"{scratch}/{{owner}}/jupyter")
    assert local.told("sbatch.umask").strip() == "0077"
    (umask,) = [line for line in local.told("sbatch.environ").splitlines() if line.startswith(steps.UMASK)]
    assert int(umask.split("=")[1], 8) == _own_umask()
    with loopback.listening(loopback.Hub()) as hub:
        (tmp_path / "job").mkdir(mode=0o700)
        job = WholeJob(tmp_path / "job", hub)
        text = job.text(stub("serve", "fail", "0"))
        ran = job.start(text, **{steps.UMASK: "0027"})
        assert ran.wait(WAIT_SECONDS) == 0, job.said
        assert _mode(job.home / "environ.json") == 0o640
        assert steps.UMASK not in job.environ


def _own_umask() -> int:
    umask = os.umask(0o22)
    os.umask(umask)
    return umask
