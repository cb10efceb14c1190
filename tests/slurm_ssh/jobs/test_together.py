"""Several jobs in one exchange: each is sent once, in turn, and no further than to one that is not accepted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh.errors import InDoubt, Refused, SubmissionLost, SubmitRefused, Unavailable
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs import attempt, together
from slurm_ssh.jobs.attempt import Accepted, Prepared
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.folders import DATA
from tests.support.local import LocalSite

SCRIPTS = ("#!/bin/bash\n\necho 'one' \\n\n\n", "#!/bin/bash\n#Größe\ntrue", "#!/bin/bash\nfalse\n")

# Keeps each script that it is given, and answers with its number.
_SBATCH = """#!/bin/sh
cd {folder}
echo x >>submissions
at=$(wc -l <submissions)
cat >script.$at
[ ! -f on.$at ] || . ./on.$at
echo "sbatch: you have $at jobs" >&2
echo $((40 + at))
"""


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    local = LocalSite(tmp_path)
    local.install_slurm()
    (local.slurm / "sbatch").write_text(_SBATCH.format(folder=local.slurm))
    return local


def _remote(local: LocalSite) -> Remote:
    folders = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket_folder": f"{local.home}/{{owner}}/tickets",
        "environment": {"LANG": "C.UTF-8"},
    }
    site = builders.catalogue(sites={"geneva": builders.site(**folders)}).sites["geneva"]
    pool: Any = local
    return Remote(pool, Login("alice", "alice", "geneva"), site)


def _jobs() -> list[Job]:
    launches = [LaunchId(f"{number:012x}") for number in range(len(SCRIPTS))]
    return [replace(builders.job(job_id=""), launch_id=launch, mark=f"job-hub-{launch}") for launch in launches]


async def _prepared(local: LocalSite) -> list[tuple[Job, Prepared]]:
    found = []
    for job, script in zip(_jobs(), SCRIPTS, strict=True):
        delivered = await attempt.place(_remote(local), job, b"ticket of " + job.launch_id.encode())
        found.append((job, Prepared(builders.request(name=job.mark), script, delivered)))
    return found


async def _sent(local: LocalSite) -> list[together.Outcome]:
    return await together.sbatch(_remote(local), await _prepared(local))


def _tickets(local: LocalSite) -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted(local.home.glob("alice/tickets/*"))}


async def test_each_is_sent_as_it_is_with_a_ticket_of_its_own(local: LocalSite) -> None:
    sent = await _sent(local)
    assert sent == [Accepted(str(41 + at), f"you have {at + 1} jobs") for at in range(len(SCRIPTS))]
    assert tuple(local.told(f"script.{at + 1}") for at in range(len(SCRIPTS))) == SCRIPTS
    assert _tickets(local) == {job.launch_id: f"ticket of {job.launch_id}" for job in _jobs()}


async def test_those_behind_one_that_slurm_refuses_are_not_sent(local: LocalSite) -> None:
    local.tell("refused", (DATA / "slurm" / "refused" / "project.txt").read_text())
    local.tell("on.2", "cat refused >&2; exit 1\n")
    first, second, third = await _sent(local)
    assert first == Accepted("41", "you have 1 jobs")
    assert isinstance(second, SubmitRefused)
    assert third is None
    assert local.told("submissions") == "x\nx\n"
    assert _jobs()[1].launch_id not in _tickets(local)


async def test_one_that_slurm_was_too_slow_for_is_in_doubt_alone(local: LocalSite) -> None:
    local.tell("on.2", "echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1\n")
    first, second, third = await _sent(local)
    assert (type(first), type(second), third) == (Accepted, InDoubt, None)


@pytest.mark.parametrize("mishaps", [["stale", "stale"], ["no session", "no session"], ["hung"]])
async def test_what_never_began_was_not_sent(local: LocalSite, mishaps: list[str | int]) -> None:
    prepared = await _prepared(local)
    local.mishaps = mishaps
    with pytest.raises(Unavailable):
        await together.sbatch(_remote(local), prepared)
    assert local.told("submissions") == ""


async def test_all_are_in_doubt_whose_answer_is_lost(local: LocalSite) -> None:
    prepared = await _prepared(local)
    local.mishaps = ["after"]
    with pytest.raises(InDoubt) as caught:
        await together.sbatch(_remote(local), prepared)
    assert isinstance(caught.value.otherwise, SubmissionLost)


async def test_nothing_is_sent_if_the_tickets_cannot_be_placed(local: LocalSite) -> None:
    prepared = await _prepared(local)
    (local.home / "alice").mkdir(exist_ok=True)
    (local.home / "alice" / "tickets").mkdir(mode=0o755)
    with pytest.raises(Refused):
        await together.sbatch(_remote(local), prepared)
    assert local.told("submissions") == ""
    assert _tickets(local) == {}


async def test_of_scripts_that_do_not_come_whole_none_is_sent(local: LocalSite) -> None:
    remote = _remote(local)
    prepared = [each for _, each in await _prepared(local)]
    program, data = together.program(remote.site, "alice", prepared)
    answer = await remote.run_once(program, data[:-1])
    assert answer.status
    assert local.told("submissions") == ""
