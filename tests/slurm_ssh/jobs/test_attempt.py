"""A job is sent once; what came of it is one of four things, and what is not known is said to be in doubt."""

from pathlib import Path
from typing import Any

import pytest

from kernels.fragment import Fragment
from slurm_ssh import sentences
from slurm_ssh.errors import (
    AnswerTooLong,
    Broken,
    FrontEndRefused,
    InDoubt,
    LaunchError,
    Refused,
    SubmissionLost,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import attempt
from slurm_ssh.jobs.attempt import Accepted, Prepared
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.folders import DATA
from tests.support.local import LocalSite

JOB = builders.job(job_id="")
SAID = "sbatch: error: Batch job submission failed: "


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    local = LocalSite(tmp_path)
    local.install_slurm()
    return local


def _remote(local: LocalSite) -> Remote:
    folders = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket_folder": f"{local.home}/{{owner}}/tickets",
    }
    site = builders.catalogue(sites={"geneva": builders.site(**folders)}).sites["geneva"]
    pool: Any = local
    return Remote(pool, Login("alice", "alice", "geneva"), site)


def _build(_fragment: Fragment) -> JobRequest:
    return builders.request(name=JOB.mark, project="physics")


async def _prepared(local: LocalSite) -> Prepared:
    return await attempt.prepare(_remote(local), JOB, _build, b"ticket")


async def _sent(local: LocalSite) -> Accepted:
    return await attempt.sbatch(_remote(local), JOB, await _prepared(local))


async def _error(local: LocalSite) -> LaunchError:
    with pytest.raises(LaunchError) as caught:
        await _sent(local)
    return caught.value


def _tickets(local: LocalSite) -> list[str]:
    return [path.name for path in local.home.glob("alice/tickets/*")]


def _answers(local: LocalSite, instead: str) -> None:
    """Let sbatch, once it has taken the job, answer by these lines of a shell."""
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text().replace("echo 42", instead))


async def test_a_job_may_be_prepared_again_and_again_and_is_sent_once(local: LocalSite) -> None:
    await _prepared(local)
    await _prepared(local)
    assert local.told("submissions") == ""
    assert await _sent(local) == Accepted("42")
    assert local.told("submissions") == "x\n"


async def test_what_sbatch_advises_is_a_part_of_its_answer(local: LocalSite) -> None:
    _answers(local, "echo 42; echo 'sbatch: you have 3 jobs' >&2")
    assert await _sent(local) == Accepted("42", "you have 3 jobs")


async def test_slurm_says_no(local: LocalSite) -> None:
    local.tell("refusal", (DATA / "slurm" / "refused" / "project.txt").read_text())
    error = await _error(local)
    assert isinstance(error, SubmitRefused)
    assert error.choice == "project"
    assert _tickets(local) == []


@pytest.mark.parametrize("mishaps", [["stale", "stale"], ["no session", "no session"], ["hung"]])
async def test_what_never_began_was_not_sent(local: LocalSite, mishaps: list[str | int]) -> None:
    local.mishaps = mishaps
    assert type(await _error(local)) is Unavailable
    assert local.told("submissions") == ""


async def test_without_a_way_in_nothing_was_sent(local: LocalSite) -> None:
    prepared = await _prepared(local)
    local.refusal = FrontEndRefused("Geneva does not know you.")
    with pytest.raises(FrontEndRefused):
        await attempt.sbatch(_remote(local), JOB, prepared)


_ENCODE = (
    "sbatch: error: If munged is up, restart with --num-threads=10\n"
    'sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory\n'
    "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error\n"
)


@pytest.mark.parametrize(
    "said", [f"{_ENCODE}{SAID}Protocol authentication error\n", f"{SAID}Invalid authentication credential\n"]
)
async def test_whom_slurm_could_not_recognize_it_did_not_hear(local: LocalSite, said: str) -> None:
    local.tell("refusal", said)
    error = await _error(local)
    assert type(error) is Unavailable
    assert "authentication" in error.detail
    assert _tickets(local) == []


async def test_where_slurm_keeps_its_configuration_it_did_not_hear_who_does_not_get_that(local: LocalSite) -> None:
    recorded = (DATA / "slurm/refused/no-configuration.txt").read_text()
    # With one that is told of, and does not answer.
    named = recorded.replace("DNS SRV lookup failed", "Unable to contact slurm controller (connect failure)")
    for said in (recorded, named):
        local.tell("refusal", said)
        error = await _error(local)
        assert type(error) is Unavailable
        assert error.message == sentences.SCHEDULER_SILENT.format(scheduler="Slurm", site="Geneva")
        assert _tickets(local) == []


async def test_a_failed_step_before_sbatch_sends_nothing(local: LocalSite) -> None:
    (local.home / "alice").mkdir()
    (local.home / "alice" / "jobs").write_text("a file")
    assert isinstance(await _error(local), Refused)
    assert local.told("submissions") == ""


@pytest.mark.parametrize("mishap", ["before", "after", "late", "killed", 3])
async def test_an_answer_that_was_lost_leaves_a_doubt(local: LocalSite, mishap: str | int) -> None:
    local.mishaps = [mishap]
    error = await _error(local)
    assert isinstance(error, InDoubt)
    assert isinstance(error.otherwise, SubmissionLost)
    assert error.is_likely
    # It is asked about by whoever keeps the doubt.
    assert local.exchanges == 1


@pytest.mark.parametrize(("mishap", "kind"), [("stuck", Unavailable), ("long", AnswerTooLong)])
async def test_nobody_can_be_sure_of_what_was_left_behind(
    local: LocalSite, mishap: str, kind: type[LaunchError]
) -> None:
    local.mishaps = [mishap]
    error = await _error(local)
    assert isinstance(error, InDoubt)
    assert (type(error.otherwise), error.is_likely) == (kind, False)


@pytest.mark.parametrize(
    "said",
    [
        "Unable to contact slurm controller (connect failure)",
        "Unable to contact slurm controller (receive failure)",
        "Socket timed out on send/recv operation",
        "Zero Bytes were transmitted or received",
        "Message receive failure",
        "Connection reset by peer",
        "Unexpected message received",
    ],
)
async def test_a_controller_that_was_not_heard_may_have_the_job(local: LocalSite, said: str) -> None:
    local.tell("refusal", f"{SAID}{said}\n")
    error = await _error(local)
    assert isinstance(error, InDoubt)
    assert error.meanwhile == sentences.SCHEDULER_SLOW.format(scheduler="Slurm", site="Geneva")
    assert error.otherwise.message == sentences.SCHEDULER_SILENT.format(scheduler="Slurm", site="Geneva")


async def test_an_answer_that_is_not_genuine_leaves_a_doubt(local: LocalSite) -> None:
    unpack = "sbatch: error: slurm_unpack_received_msg: auth_g_verify: RESPONSE_SUBMIT has authentication error\n"
    local.tell("refusal", f"{unpack}{SAID}Protocol authentication error\n")
    assert isinstance(await _error(local), InDoubt)


@pytest.mark.parametrize("answer", ["echo Thank you", "echo 41; echo 42", ":"])
async def test_an_answer_that_cannot_be_read_leaves_a_doubt(local: LocalSite, answer: str) -> None:
    _answers(local, answer)
    error = await _error(local)
    assert isinstance(error, InDoubt)
    assert isinstance(error.otherwise, Broken)


@pytest.mark.parametrize("answer", ["kill -9 $$", "echo 42; exit 1"])
async def test_an_sbatch_that_fails_after_its_work_leaves_a_doubt(local: LocalSite, answer: str) -> None:
    _answers(local, answer)
    error = await _error(local)
    assert isinstance(error, InDoubt)
    assert isinstance(error.otherwise, SubmitRefused)


@pytest.mark.parametrize("mishap", ["after", "stuck"])
async def test_the_ticket_of_a_job_in_doubt_stays_with_it(local: LocalSite, mishap: str) -> None:
    (local.home / "alice" / "tickets").mkdir(parents=True, mode=0o700)
    (local.home / "alice" / "tickets" / f"{builders.LAUNCH_ID}.ccache").touch()
    local.mishaps = [mishap]
    await _error(local)
    assert _tickets(local) == [f"{builders.LAUNCH_ID}.ccache"]


async def test_a_doubt_is_told_apart_from_all_that_was_not_sent() -> None:
    doubt = InDoubt(SubmissionLost("The connection was lost.", "cut"))
    assert not isinstance(doubt, (Refused, Unavailable, Broken))
    assert (doubt.message, doubt.detail, doubt.meanwhile) == ("The connection was lost.", "cut", "")
