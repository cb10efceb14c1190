"""What is sent to submit, kept in tests/data/golden/submission, and what its answers mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh import private_folder, sentences
from slurm_ssh.delivery import CopyDelivery, Delivered
from slurm_ssh.jobs import steps
from slurm_ssh.jobs.steps import Step
from slurm_ssh.ssh.transport import Completed
from tests.support import builders, golden, shells

SITE = builders.catalogue().sites["geneva"]


@pytest.mark.parametrize("name", golden.PROGRAMS)
def test_a_program_is_as_it_was_read_and_accepted(name: str) -> None:
    """If the change is meant: `python -m tests.support.golden`, and read the difference."""
    assert golden.submission(name)[0] == golden.program_path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", golden.PROGRAMS)
def test_every_shell_and_shellcheck_accept_a_program(name: str) -> None:
    # Words are split, and variables emptied, on purpose.
    for command in (
        ["dash", "-n"],
        ["bash", "-n"],
        ["shellcheck", "-s", "sh", "-e", "SC1007,SC2016,SC2046,SC2086"],
    ):
        answer = shells.run([*command, str(golden.program_path(name))])
        assert (answer.status, answer.stdout, answer.stderr) == (0, b"", b"")


@pytest.mark.parametrize(("name", "ticket"), [("none", b""), ("auks", b""), ("copy", golden.TICKET)])
def test_ticket_secrets_and_script_are_data_in_this_order(name: str, ticket: bytes) -> None:
    program, data = golden.submission(name)
    assert data.startswith(ticket + b"5ec4e7\n\n#!/bin/bash\n#SBATCH")
    assert data.endswith(b"\nexit\n")
    assert "5ec4e7" not in program


def test_a_program_for_one_secret_more_is_one_line_longer() -> None:
    texts = [
        steps.program(SITE, "alice", builders.request(secrets=secrets), "", Delivered())[0]
        for secrets in ({}, {"TOKEN": "x"})
    ]
    assert texts[1] == texts[0].replace("unset", "IFS= read -r TOKEN || exit\nexport TOKEN\nunset", 1)


_OUT = "\n== folder\n\n== ticket\npushed\n\n== sbatch\n42\n"
_ERR = "w\n\n== folder\n\n== ticket\nx\n\n== sbatch\nsbatch: you have 3 jobs\n"


@pytest.mark.parametrize(
    ("stdout", "stderr", "step", "said"),
    [
        ("", "full", Step.HOME, ("", "full")),
        ("\n== folder\n", "w\n\n== folder\nopen", Step.FOLDER, ("", "open")),
        (_OUT.partition("\n== sbatch")[0], "\n== ticket\nno", Step.TICKET, ("pushed\n", "no")),
        (_OUT, _ERR, Step.SBATCH, ("42\n", "sbatch: you have 3 jobs\n")),
        ("\n== folder\n\n== sbatch\n42", "", Step.SBATCH, ("42", "")),
        (f"{_OUT}\n== sbatch\n43", "", Step.SBATCH, ("42\n\n== sbatch\n43", "")),
    ],
)
def test_an_answer_is_that_of_the_last_step(stdout: str, stderr: str, step: Step, said: tuple[str, str]) -> None:
    assert steps.parse(Completed(3, stdout, stderr)) == (step, Completed(3, *said))


_PARTS = st.lists(
    st.sampled_from(["\n", "== sbatch", "\n== folder\n", "\n== ticket\n", "\n== sbatch\n", "4", "é"])
)


@given(_PARTS, _PARTS)
def test_any_answer_is_that_of_a_step(stdout: list[str], stderr: list[str]) -> None:
    step, said = steps.parse(Completed(0, "".join(stdout), "".join(stderr)))
    assert step in Step
    assert "".join(stdout).endswith(said.stdout)
    assert "".join(stderr).endswith(said.stderr)


def _said(step: Step, status: int, stderr: str = "") -> str:
    return steps.error(SITE, "alice", Delivered(), step, Completed(status, "", stderr)).message


_TEXT = "sh: 4: cannot create /home/alice/x: "
_FOLDER = {"site": "Geneva", "folder": "/scratch/alice/jupyter"}


@pytest.mark.parametrize(
    ("step", "status", "stderr", "message"),
    [
        (Step.HOME, 1, f"{_TEXT}Disk quota exceeded\n", sentences.HOME_FULL.format(site="Geneva")),
        (Step.HOME, 1, "head: write error: No space left on device", sentences.HOME_FULL.format(site="Geneva")),
        (Step.HOME, 2, "a\nb\n", sentences.HOME_NOT_WRITABLE.format(site="Geneva", reason="b")),
        (Step.HOME, 2, "", sentences.HOME_NOT_WRITABLE.format(site="Geneva", reason="exit status 2")),
        (Step.FOLDER, 1, "No space left on device", sentences.FOLDER_FULL.format(**_FOLDER)),
        (Step.FOLDER, 1, "no", sentences.FOLDER_NOT_WRITABLE.format(**_FOLDER, reason="no")),
        # These statuses are only the folder's.
        (Step.HOME, 10, "no", sentences.HOME_NOT_WRITABLE.format(site="Geneva", reason="no")),
    ],
)
def test_what_keeps_a_step_from_being_done_is_said(step: Step, status: int, stderr: str, message: str) -> None:
    assert _said(step, status, stderr) == message


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (private_folder.FOREIGN, sentences.FOLDER_FOREIGN),
        (private_folder.OPEN, sentences.FOLDER_OPEN),
        (private_folder.REPLACEABLE, sentences.FOLDER_REPLACEABLE),
    ],
)
def test_a_folder_that_is_not_private_is_named(status: int, sentence: str) -> None:
    assert _said(Step.FOLDER, status, "look\n/scratch\n") == sentence.format(site="Geneva", folder="/scratch")


async def test_of_a_ticket_the_delivery_says_what_is_wrong() -> None:
    delivered = await CopyDelivery("Geneva", "/t/{owner}").place(golden._nobody, "alice", builders.LAUNCH_ID, b"x")
    said = Completed(private_folder.OPEN, "", "/t/alice")
    error = steps.error(SITE, "alice", delivered, Step.TICKET, said)
    assert error.message == sentences.TICKET_FOLDER_OPEN.format(site="Geneva", folder="/t/alice")
