import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.jobs import ending, folders
from slurm_ssh.jobs.ending import Explained, explain
from slurm_ssh.scheduler import Ending
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.local import LocalSite

_JOB = builders.job(job_id="42")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Ending("TIMEOUT", minutes=120), "The job's time limit of 2h was up."),
        (Ending("TIMEOUT"), "The job's time limit was up."),
        (Ending("OUT_OF_MEMORY", memory="4G"), "The job used more memory than its 4G. "),
        (Ending("NODE_FAIL", nodes="n1"), "The node n1 failed."),
        (Ending("BOOT_FAIL"), "A node of the job failed."),
        (Ending("PREEMPTED"), "Geneva needed the node for a job that goes before (preemption)."),
        (Ending("CANCELLED"), "The job was cancelled at Geneva; Slurm does not say by whom."),
        (Ending("COMPLETED"), "The job's program ended by itself."),
        (Ending("FAILED", status=3), "The job's program failed (exit status 3)."),
        (Ending("FAILED", status=255), "The job's program failed (exit status 255)."),
        (Ending("FAILED", status=137), "The job's program was killed (SIGKILL). "),
        (Ending("FAILED", signal=9), "The job's program was killed (SIGKILL). "),
        (Ending("FAILED", status=143), "The job's program was ended by a signal (SIGTERM)."),
        (Ending("DEADLINE"), "Slurm at Geneva calls the job DEADLINE and says no more."),
        (Ending("FAILED"), "Slurm at Geneva does not say why the job ended."),
        (Ending(), "Slurm at Geneva does not say why the job ended."),
    ],
)
def test_every_end_is_a_sentence(ended: Ending, said: str) -> None:
    assert ending.why("Geneva", ended, "", "").startswith(said)


def test_who_cancelled_a_job_is_named() -> None:
    assert ending.why("Geneva", Ending("CANCELLED"), "root", "") == "The job was cancelled at Geneva by root."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "*** JOB 42 ON n1 CANCELLED AT 2026-11-26T10:00:00 DUE TO TIME LIMIT ***",
            "The job's time limit was up.",
        ),
        ("*** JOB 42 ON n1 CANCELLED AT 2026-11-26T10:00:00 DUE TO NODE FAILURE ***", "A node of the job failed."),
        ("*** JOB 42 ON n1 CANCELLED AT 2026-11-26T10:00:00 DUE TO PREEMPTION ***", "Geneva needed the node"),
        ("*** JOB 42 ON n1 CANCELLED AT 2026-11-26T10:00:00 ***", "The job was cancelled at Geneva; "),
        ("Detected 1 oom_kill event in StepId=42.batch.", "The job used more memory than it had."),
        (
            "StepId=42.batch exceeded memory limit (326 > 52), being killed",
            "The job used more memory than it had.",
        ),
        ("Exceeded job memory limit", "The job used more memory than it had."),
        ("something else", "Slurm at Geneva does not say why the job ended."),
    ],
)
def test_what_slurm_has_forgotten_stands_in_the_log(line: str, said: str) -> None:
    for who in ("slurmstepd", "slurmstepd-n1.site-2"):
        assert ending.why("Geneva", Ending(), "", f"a\n{who}: error: {line}\n").startswith(said)
    assert ending.why("Geneva", Ending(), "", f"a slurmstepd: error: {line}\n").endswith("why the job ended.")


def test_a_program_that_was_killed_for_its_memory_is_told_so() -> None:
    log = "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=42.batch."
    assert ending.why("Geneva", Ending("FAILED", status=137, memory="1G"), "", log).startswith(
        "The job used more memory than its 1G."
    )


@pytest.mark.parametrize("line", ["OSError: [Errno 28] No space left on device", "tee: x: Disk quota exceeded"])
def test_a_full_home_directory_is_told(line: str) -> None:
    said = ending.why("Geneva", Ending("FAILED", status=1), "", f"{line}\n")
    assert said.startswith("There was no space left to write to. Delete files in your home directory at Geneva")
    assert ending.why("Geneva", Ending("TIMEOUT"), "", f"{line}\n") == "The job's time limit was up."


@pytest.fixture
def remote(local: LocalSite, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setattr(ending, "_LOOK_SECONDS", 0.01)
    here = {"slurm_path": str(local.slurm), "job_folder": f"{local.home}/jobs"}
    pool: Any = local
    return Remote(pool, Login("alice", "alice", "geneva"), builders.launch().site.model_copy(update=here))


def _log(remote: Remote, text: str) -> None:
    path = Path(folders.log_path(remote.site, "alice", _JOB.launch_id))
    path.parent.mkdir()
    path.write_text(text)


def _cancelled(local: LocalSite, *, by: str = "", word: str = "CANCELLED") -> None:
    local.tell("job", f"JobId=42 JobName={_JOB.mark} JobState={word} ExitCode=0:15 TimeLimit=02:00:00\n")
    if by:
        local.tell("accounting", f"42|{_JOB.mark}|{by}|0:15|120|n1\n")


async def test_the_accounting_says_who_cancelled_a_job(remote: Remote, local: LocalSite) -> None:
    _cancelled(local, by=f"CANCELLED by {os.getuid()}")
    _log(remote, "one\n\x1b[1mtwo\x1b[0m\n")
    me = pwd.getpwuid(os.getuid()).pw_name
    assert await explain(remote, _JOB, "CANCELLED") == Explained(
        f"The job was cancelled at Geneva by {me}.", "one\ntwo"
    )


async def test_a_uid_without_a_name_is_a_name(remote: Remote, local: LocalSite) -> None:
    _cancelled(local, by="CANCELLED by 4242424242")
    assert "by 4242424242." in (await explain(remote, _JOB, "CANCELLED")).sentence


async def test_an_accounting_that_is_late_is_asked_some_more_times(remote: Remote, local: LocalSite) -> None:
    _cancelled(local, by="RUNNING")
    said = (await explain(remote, _JOB, "CANCELLED")).sentence
    assert said == "The job was cancelled at Geneva; Slurm does not say by whom."
    assert local.told("lookups") == "x\n" * 3


async def test_a_slurm_that_is_silent_for_a_moment_is_asked_again(remote: Remote, local: LocalSite) -> None:
    local.tell("late", f"42|{_JOB.mark}|TIMEOUT|0:0|120|n1\n")
    assert (await explain(remote, _JOB, "TIMEOUT")).sentence == "The job's time limit of 2h was up."
    assert local.told("lookups") == "x\n" * 2


async def test_without_accounting_the_controller_is_asked_once(remote: Remote, local: LocalSite) -> None:
    _cancelled(local)
    assert "does not say by whom" in (await explain(remote, _JOB, "CANCELLED")).sentence
    assert local.told("lookups") == "x\n"


async def test_a_job_that_slurm_has_forgotten_keeps_the_word_of_its_last_look(remote: Remote) -> None:
    assert (await explain(remote, _JOB, "TIMEOUT")).sentence == "The job's time limit was up."
    assert (await explain(remote, _JOB, "")).sentence == "Slurm at Geneva does not say why the job ended."


async def test_a_site_that_cannot_be_asked_leaves_the_word(remote: Remote, local: LocalSite) -> None:
    local.refusal = SiteUnreachable("Geneva cannot be reached.")
    explained = await explain(remote, _JOB, "NODE_FAIL")
    assert explained == Explained("A node of the job failed.", problem="Geneva cannot be reached.")


async def test_an_accounting_that_is_late_holds_up_nobody_who_needs_it_not(
    remote: Remote, local: LocalSite
) -> None:
    _cancelled(local, by="RUNNING", word="TIMEOUT")
    assert (await explain(remote, _JOB, "TIMEOUT")).sentence == "The job's time limit of 2h was up."
    assert local.told("lookups") == "x\n"


async def test_an_accounting_that_stays_late_does_not_call_a_job_running(remote: Remote, local: LocalSite) -> None:
    local.tell("accounting", f"42|{_JOB.mark}|RUNNING|0:0|120|n1\n")
    assert (await explain(remote, _JOB, "")).sentence == "Slurm at Geneva does not say why the job ended."
    assert (await explain(remote, _JOB, "NODE_FAIL")).sentence == "The node n1 failed."
