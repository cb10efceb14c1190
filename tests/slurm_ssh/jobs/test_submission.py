from pathlib import Path
from typing import Any

import pytest

from kernels.fragment import Fragment
from profiles.offer.launch import NotebookLaunch
from slurm_ssh import sentences
from slurm_ssh.errors import (
    AnswerTooLong,
    Broken,
    FrontEndRefused,
    LaunchError,
    Refused,
    SiteUnreachable,
    SubmissionAbsent,
    SubmissionLost,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh.job import mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import steps, submission
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.script import ServerProcess
from tests.support import builders
from tests.support.folders import DATA
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID
MARK = mark("jupyter", "hub", ID)
_PROJECT_REFUSED = (DATA / "slurm" / "refused" / "project.txt").read_text()
SECRETS = {"JUPYTERHUB_API_TOKEN": "5ec4e7 'x' \\", "SECOND": ""}


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    local = LocalSite(tmp_path)
    local.install_slurm()
    return local


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_LOOK_AGAIN_SECONDS", 0)


def _launch(local: LocalSite, **site: Any) -> NotebookLaunch:
    folders = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket_folder": f"{local.home}/{{owner}}/tickets",
    }
    return builders.launch(builders.catalogue(sites={"geneva": builders.site(**{**folders, **site})}))


async def _submit(
    local: LocalSite,
    launch: NotebookLaunch | None = None,
    process: ServerProcess | None = None,
    ticket: bytes = b"ticket",
) -> tuple[str, list[str]]:
    said: list[str] = []
    asked = launch or _launch(local)
    pool: Any = local
    remote = Remote(pool, Login("alice", "alice", "geneva"), asked.site)
    server = process or builders.process(secrets=SECRETS)

    def build(fragment: Fragment) -> JobRequest:
        return script.build(asked, ID, MARK, server, (fragment,))

    _, job_id = await submission.submit(remote, builders.job(job_id=""), build, ticket, said.append)
    return job_id, said


async def _error(local: LocalSite, family: type[LaunchError], **more: Any) -> LaunchError:
    with pytest.raises(family) as caught:
        await _submit(local, **more)
    return caught.value


async def test_a_launch_is_submitted_with_folder_ticket_and_script(local: LocalSite) -> None:
    assert await _submit(local) == ("42", [])
    assert (local.home / "alice" / "jobs").is_dir()
    assert (local.home / "alice" / "tickets" / f"{ID}.ccache").read_bytes() == b"ticket"
    assert local.told("sbatch.stdin").startswith(f"#!/bin/bash\n#SBATCH --job-name={MARK}\n")
    assert local.told("sbatch.stdin").endswith("\nEND_OF_STARTER\nexit $?\n}\nlaunch\n")


async def test_a_submission_is_one_exchange(local: LocalSite) -> None:
    await _submit(local)
    assert local.exchanges == 1


@pytest.mark.parametrize("shell", ["bash", "tcsh"])
@pytest.mark.parametrize("length", [0, 20_000])
async def test_a_submission_is_the_same_for_every_login_shell(local: LocalSite, shell: str, length: int) -> None:
    local.shell = shell
    push = ["/bin/sh", "-c", f"cat > {local.home}/pushed", "x" * length]
    launch = _launch(local, ticket={"delivery": "command", "command": {"push": push}})
    assert await _submit(local, launch) == ("42", [])
    assert (local.home / "pushed").read_bytes() == b"ticket"
    assert local.told("sbatch.stdin").endswith("\nlaunch\n")
    assert f"JUPYTERHUB_API_TOKEN={SECRETS['JUPYTERHUB_API_TOKEN']}" in local.told("sbatch.environ").splitlines()


@pytest.mark.parametrize("push", ["exit 0", "head -c 1 >/dev/null", "echo said; echo much >&2; printf unended"])
async def test_a_sites_program_for_tickets_has_no_say_in_what_comes_after_it(local: LocalSite, push: str) -> None:
    ticket = {"delivery": "command", "command": {"push": ["/bin/sh", "-c", push]}}
    launch = _launch(local, ticket=ticket)
    assert await _submit(local, launch, ticket=b"exit 1\n" * 40_000) == ("42", [])
    assert local.told("sbatch.stdin").startswith(f"#!/bin/bash\n#SBATCH --job-name={MARK}\n")


async def test_a_ticket_that_cannot_be_placed_is_no_submission(local: LocalSite) -> None:
    error = await _error(local, Refused, launch=_launch(local, ticket_folder="/proc/{owner}"))
    assert error.message.startswith("Your ticket could not be put into /proc/alice at Geneva: ")
    assert local.told("submissions") == ""
    # The second one removes what may have been put there.
    assert local.exchanges == 2


async def test_a_ticket_of_a_submission_that_was_cut_off_is_removed(local: LocalSite) -> None:
    tickets = local.home / "alice" / "tickets"
    find = local.slurm / "squeue"
    find.write_text(f"#!/bin/sh\n[ -f {tickets}/{ID}.ccache ] && touch {local.home}/was-there\n")
    # All of the ticket, and not all of the secrets.
    local.mishaps = [len(b"ticket") + 3]
    await _error(local, SubmissionAbsent)
    assert local.told("submissions") == ""
    assert (local.home / "was-there").exists()
    assert list(tickets.iterdir()) == []


async def test_what_hangs_before_sbatch_is_no_submission(local: LocalSite) -> None:
    tickets = local.home / "alice" / "tickets"
    tickets.mkdir(parents=True, mode=0o700)
    (tickets / f"{ID}.ccache").touch()
    local.mishaps = ["stuck"]
    error = await _error(local, Unavailable)
    assert type(error) is Unavailable
    assert error.message == "Geneva did not answer within 60 seconds."
    assert local.exchanges == 2
    assert list(tickets.iterdir()) == []


async def test_a_program_that_was_killed_is_told_as_such(local: LocalSite) -> None:
    local.mishaps = ["killed"]
    error = await _error(local, SubmissionAbsent)
    assert error.message == sentences.COMMAND_KILLED.format(site="Geneva")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
async def test_a_start_up_file_may_take_stderr_away(local: LocalSite, closed: str) -> None:
    local.environ["BASH_ENV"] = str(local.home / "rc")
    (local.home / "rc").write_text(f"exec {closed}\n")
    local.shell = "bash"
    assert await _submit(local) == ("42", [])


async def test_sbatch_runs_in_the_folder_of_the_login(local: LocalSite) -> None:
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text().replace("cd ", f"pwd > {local.slurm}/sbatch.cwd; cd ", 1))
    await _submit(local)
    assert local.told("sbatch.cwd") == "/\n"


async def test_secrets_reach_sbatch_in_its_environment_only(local: LocalSite) -> None:
    await _submit(local)
    seen = local.told("sbatch.environ").splitlines()
    assert f"JUPYTERHUB_API_TOKEN={SECRETS['JUPYTERHUB_API_TOKEN']}" in seen
    assert "SECOND=" in seen
    assert "5ec4e7" not in local.told("sbatch.arguments") + local.told("sbatch.stdin")
    assert local.told("sbatch.arguments").splitlines() == ["--parsable", "--export=ALL"]


async def test_the_job_gets_its_owner_its_secrets_and_nothing_else(local: LocalSite) -> None:
    await _submit(local)
    seen = {line.split("=", 1)[0] for line in local.told("sbatch.environ").splitlines()}
    own = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert seen - own == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", steps.UMASK, *SECRETS}


async def test_the_probe_of_the_home_leaves_nothing(local: LocalSite) -> None:
    await _submit(local)
    assert sorted(path.name for path in local.home.iterdir()) == ["alice", "slurm"]


async def test_a_refusal_of_slurm_is_said_in_words(local: LocalSite) -> None:
    local.tell("refusal", "sbatch: error: invalid partition specified: normal\n")
    error = await _error(local, SubmitRefused)
    assert error.message == sentences.NO_SUCH_PARTITION.format(site="Geneva", partition="normal")
    assert error.detail == "sbatch: error: invalid partition specified: normal"


async def test_a_refused_project_is_named(local: LocalSite) -> None:
    local.tell("refusal", _PROJECT_REFUSED)
    error = await _error(local, SubmitRefused)
    assert error.message == sentences.PROJECT_REFUSED.format(site="Geneva", project="physics")


async def test_a_refused_job_leaves_no_ticket(local: LocalSite) -> None:
    local.tell("refusal", _PROJECT_REFUSED)
    await _error(local, SubmitRefused)
    assert not list((local.home / "alice" / "tickets").iterdir())


_SILENT = "sbatch: error: Batch job submission failed: Unable to contact slurm controller\n"


@pytest.mark.parametrize("queue", ["silent", "answers"])
async def test_a_silent_controller_is_worth_another_try(local: LocalSite, queue: str) -> None:
    local.tell("refusal", _SILENT)
    local.tell(queue, "")
    assert (await _error(local, Unavailable)).message == "Slurm at Geneva does not answer."
    assert local.told("submissions") == "x\n"


async def test_a_job_that_a_slow_controller_took_all_the_same_is_found(local: LocalSite) -> None:
    local.tell("refusal", _SILENT)
    local.tell("queue", f"43|PENDING|n/a|alice|Priority|{MARK}\n")
    assert await _submit(local) == ("43", ["Slurm at Geneva is slow to answer; still trying."])


async def test_a_submission_that_came_to_nothing_leaves_no_ticket(local: LocalSite) -> None:
    local.tell("refusal", _SILENT)
    await _error(local, Unavailable)
    assert not list((local.home / "alice" / "tickets").iterdir())


async def test_a_ticket_that_cannot_be_removed_does_not_hide_why_nothing_was_submitted(local: LocalSite) -> None:
    local.tell("refusal", "sbatch: error: Too tired\n")
    local.mishaps = ["", "before", "before"]
    assert "Too tired" in (await _error(local, SubmitRefused)).message


async def test_what_sbatch_advises_is_passed_on(local: LocalSite) -> None:
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text() + "echo 'sbatch: you have 3 jobs' >&2\n")
    assert await _submit(local) == ("42", ["Geneva says: you have 3 jobs"])


async def test_an_answer_that_is_no_number_is_for_the_admin(local: LocalSite) -> None:
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text().replace("echo 42", "echo Submitted."))
    assert "Submitted." in (await _error(local, Broken)).detail
    assert local.told("submissions") == "x\n"


async def test_a_job_that_a_wrapper_of_sbatch_announces_in_words_of_its_own_is_found(local: LocalSite) -> None:
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text().replace("echo 42", "echo Number 43 is yours; echo 12"))
    local.tell("queue", f"43|PENDING|n/a|alice|Priority|{MARK}\n")
    assert (await _submit(local))[0] == "12"
    stub.write_text(stub.read_text().replace("echo 12", "echo Thank you"))
    assert (await _submit(local))[0] == "43"


async def test_a_job_whose_number_was_lost_is_found_by_its_mark(local: LocalSite) -> None:
    local.tell("queue", f"41|RUNNING|n1|alice|None|other\n43|PENDING|n/a|alice|Priority|{MARK}\n")
    local.mishaps = ["after"]
    assert (await _submit(local))[0] == "43"
    assert local.told("submissions") == "x\n"


async def test_a_site_that_cannot_be_reached_for_a_while_is_asked_again_for_a_lost_job(local: LocalSite) -> None:
    local.tell("queue", f"43|PENDING|n/a|alice|Priority|{MARK}\n")
    local.mishaps = ["after", *["before"] * 6, "late"]
    assert (await _submit(local))[0] == "43"


@pytest.mark.parametrize(
    ("mishap", "said"), [("after", "was lost while"), ("late", "did not answer within 60 sec")]
)
async def test_a_job_that_nobody_could_ask_about_may_be_there(local: LocalSite, mishap: str, said: str) -> None:
    local.tell("silent", "")
    local.mishaps = [mishap]
    error = await _error(local, SubmissionLost)
    assert said in error.message


@pytest.mark.parametrize(
    "refusal",
    [
        SiteUnreachable("Geneva cannot be reached."),
        Unavailable("The login servers of Geneva do not answer."),
        FrontEndRefused("Geneva does not know you."),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
async def test_without_a_connection_there_is_no_job_to_look_for(local: LocalSite, refusal: LaunchError) -> None:
    local.refusal = refusal
    assert await _error(local, type(refusal)) is refusal
    assert local.exchanges == 0


async def test_a_connection_that_was_lost_long_before_costs_another_one_and_no_look(local: LocalSite) -> None:
    local.mishaps = ["stale"]
    assert await _submit(local) == ("42", [])
    assert local.exchanges == 2
    assert local.told("submissions") == "x\n"


async def test_a_login_that_hangs_has_no_job_to_look_for(local: LocalSite) -> None:
    local.mishaps = ["hung"]
    error = await _error(local, Unavailable)
    assert error.message == "Geneva did not answer within 60 seconds."
    assert not isinstance(error, SubmissionLost)
    assert local.exchanges == 1


async def test_connections_that_are_lost_before_the_program_begins_submit_nothing(local: LocalSite) -> None:
    local.mishaps = ["stale", "stale"]
    error = await _error(local, Unavailable)
    assert error.message == sentences.CONNECTION_LOST.format(site="Geneva")
    assert not isinstance(error, SubmissionLost)
    assert local.exchanges == 2


_SECRET_LINES = len("".join(f"{value}\n" for value in SECRETS.values()))


@pytest.mark.parametrize("arrived", [0, 3, len(b"ticket"), len(b"ticket") + 5, len(b"ticket") + _SECRET_LINES - 1])
async def test_a_submission_that_is_cut_off_before_its_script_is_none_and_leaves_no_ticket(
    local: LocalSite, arrived: int
) -> None:
    local.mishaps = [arrived]
    await _error(local, SubmissionAbsent)
    assert local.told("submissions") == ""
    assert not list(local.home.glob("alice/tickets/*"))


async def test_an_answer_that_is_too_long_leaves_no_ticket(local: LocalSite) -> None:
    local.mishaps = ["long"]
    assert "more text than" in (await _error(local, AnswerTooLong)).message
    assert not list((local.home / "alice" / "tickets").iterdir())


async def test_an_answer_that_is_lost_after_a_refusal_leaves_no_ticket(local: LocalSite) -> None:
    local.tell("refusal", _PROJECT_REFUSED)
    local.mishaps = ["after"]
    await _error(local, SubmissionAbsent)
    assert local.told("submissions") == "x\n"
    assert not list((local.home / "alice" / "tickets").iterdir())


async def test_the_search_for_a_lost_job_ends(local: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_FIND_SECONDS", 0)
    local.mishaps = ["after"]
    await _error(local, SubmissionLost)


async def test_a_submission_that_did_not_arrive_is_not_tried_twice(local: LocalSite) -> None:
    local.mishaps = ["before"]
    error = await _error(local, Unavailable)
    assert error.message == "The connection to Geneva was lost while the job was submitted."
    assert local.told("submissions") == ""


async def test_a_job_of_somebody_else_with_the_same_mark_is_not_ours(local: LocalSite) -> None:
    local.tell("queue", f"43|PENDING|n/a|bob|Priority|{MARK}\n")
    local.mishaps = ["late"]
    await _error(local, Unavailable)


async def test_an_unreadable_queue_does_not_find_a_lost_job(local: LocalSite) -> None:
    local.tell("queue", "maintenance until Monday\n")
    local.mishaps = ["after"]
    await _error(local, Unavailable)


async def test_a_home_that_cannot_be_written_is_said(local: LocalSite) -> None:
    local.home = Path("/proc/self/nowhere")
    error = await _error(local, Refused)
    assert error.message.startswith("Your home directory at Geneva cannot be written to (")
    assert local.told("submissions") == ""


async def test_a_job_folder_that_cannot_be_made_is_said(local: LocalSite) -> None:
    error = await _error(local, Refused, launch=_launch(local, job_folder="/proc/{owner}"))
    assert error.message.startswith("The folder /proc/alice at Geneva cannot be made (")


async def test_a_variable_that_no_script_can_hold_is_for_the_admin(local: LocalSite) -> None:
    error = await _error(local, Broken, process=builders.process(environ={"A B": "x"}))
    assert "'A B'" in error.detail
    assert local.told("submissions") == ""


async def test_a_session_that_was_refused_is_no_lost_submission(local: LocalSite) -> None:
    local.mishaps = ["no session", "no session"]
    error = await _error(local, Unavailable)
    assert error.message == sentences.SESSION_REFUSED.format(site="Geneva")
    assert not isinstance(error, SubmissionLost)
    assert not local.told("sbatch.stdin")


async def test_a_job_is_found_whose_sbatch_was_killed_before_it_could_say_its_number(local: LocalSite) -> None:
    stub = local.slurm / "sbatch"
    stub.write_text(stub.read_text().replace("echo 42", "kill -9 $$"))
    local.tell("queue", f"43|PENDING|n/a|alice|Priority|{MARK}\n")
    assert (await _submit(local))[0] == "43"
