import pytest

from slurm_ssh import sentences
from slurm_ssh.slurm import refusals
from tests.support.folders import DATA


def _recorded(name: str) -> str:
    return (DATA / "slurm" / "refused" / f"{name}.txt").read_text(encoding="utf-8")


_NO_NODE = "no node there has what you asked for. Ask for less, or choose another partition."


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("partition", "the partition debug does not exist there. Choose another partition."),
        ("reservation", "you may not use this reservation now. Choose another one, or none."),
        ("gpus", _NO_NODE),
        ("memory", _NO_NODE),
        ("project", "you may not charge the project physics there. Choose another project or partition."),
        (
            "no-auks",
            "its Slurm lacks the plug-in of auks. "
            "This is a configuration error; please contact the administrators.",
        ),
        (
            "not-a-script",
            "This does not look like a batch script.  The first "
            "line must start with #! followed by the path to an interpreter. For instance: #!/bin/sh.",
        ),
        (
            "unknown-option",
            "unrecognized option '--nosuchoption' Try \"sbatch --help\" for more information.",
        ),
    ],
)
def test_a_refusal_is_said_in_words(recorded: str, said: str) -> None:
    stderr = _recorded(recorded)
    assert refusals.refusal("Geneva", stderr, "physics", "debug") == f"Geneva did not accept the job: {said}"
    assert not refusals.is_unreachable(stderr)


_OWN_WORDS = (
    "sbatch: error: Jobs longer than 100 minutes need a ticket.\n"
    "sbatch: error: See https://help.test/tickets\n"
    "sbatch: error: Batch job submission failed: "
)


def test_what_the_site_itself_says_is_what_the_person_reads() -> None:
    said = refusals.refusal("Geneva", f"{_OWN_WORDS}Unspecified error\n", None, None)
    assert said == (
        "Geneva did not accept the job: Jobs longer than 100 minutes need a ticket. See https://help.test/tickets."
    )
    said = refusals.refusal("Geneva", _OWN_WORDS.splitlines()[2] + "Unspecified error\n", None, None)
    assert said == "Geneva did not accept the job: Batch job submission failed: Unspecified error."


def test_the_sites_words_also_follow_a_refusal_that_we_know() -> None:
    stderr = f"{_OWN_WORDS}Invalid account or account/partition combination specified\n"
    assert refusals.refusal("Geneva", stderr, "physics", None) == (
        "Geneva did not accept the job: you may not charge the project physics there. "
        "Choose another project or partition. "
        "Geneva says: Jobs longer than 100 minutes need a ticket. See https://help.test/tickets."
    )


def test_the_sites_words_may_be_like_those_of_slurm() -> None:
    stderr = (
        f"sbatch: error: invalid partition for two GPUs; use big\n{_OWN_WORDS.splitlines()[2]}Unspecified error\n"
    )
    said = refusals.refusal("Geneva", stderr, None, "gpu")
    assert said == "Geneva did not accept the job: invalid partition for two GPUs; use big."


def test_a_code_of_slurm_is_not_repeated() -> None:
    generic = f"{_OWN_WORDS.splitlines()[2]}Job violates accounting/QOS policy (job submit limit)\n"
    said = refusals.refusal("Geneva", f"sbatch: error: AssocMaxSubmitJobLimit\n{generic}", None, None)
    assert said == sentences.TOO_MANY_JOBS.format(site="Geneva")
    assert refusals.refusal("Geneva", generic, None, None) == sentences.LIMIT_REACHED.format(site="Geneva")


def test_the_sites_words_are_cut_and_printable() -> None:
    said = refusals.refusal("Geneva", "sbatch: error: \x1b[2J\n" + "sbatch: error: y\n" * 10_000, None, None)
    assert said.isprintable()
    assert len(said) < 600


def test_a_refusal_of_what_was_not_chosen_names_none() -> None:
    said = refusals.refusal("Geneva", _recorded("project"), None, "debug")
    assert said == sentences.NO_DEFAULT_PROJECT.format(site="Geneva")
    said = refusals.refusal("Geneva", _recorded("partition"), "physics", None)
    assert said == sentences.NO_DEFAULT_PARTITION.format(site="Geneva")


@pytest.mark.parametrize(
    ("words", "sentence", "of_default"),
    [
        ("Requested time limit is invalid", sentences.TIME_TOO_LONG, sentences.TIME_TOO_LONG_FOR_DEFAULT),
        (
            "User's group not permitted to use this partition",
            sentences.PARTITION_FORBIDDEN,
            sentences.DEFAULT_PARTITION_FORBIDDEN,
        ),
    ],
)
def test_the_default_partition_has_no_name_in_a_refusal(words: str, sentence: str, of_default: str) -> None:
    stderr = f"sbatch: error: Batch job submission failed: {words}\n"
    named = refusals.refusal("Geneva", stderr, None, "debug")
    assert named == sentence.format(site="Geneva", partition="debug")
    assert refusals.refusal("Geneva", stderr, "physics", None) == of_default.format(site="Geneva")


def test_braces_in_a_name_are_kept() -> None:
    assert "{x}" in refusals.refusal("{y}", _recorded("project"), "{x}", None)


def test_advice_is_said_on_one_line() -> None:
    assert refusals.advice("sbatch: you have 3 jobs\n\n  lua: use less \n") == "you have 3 jobs lua: use less"
    assert refusals.advice("\n") == ""
    assert len(refusals.advice("x" * 10_000)) == 500


def test_an_unknown_refusal_is_passed_on_but_not_at_any_length() -> None:
    said = refusals.refusal("Geneva", "note\nsbatch: error: Too tired\nbye\n", None, None)
    assert said == "Geneva did not accept the job: Too tired."
    assert refusals.refusal("Geneva", "sbatch: error: " + "x" * 10_000, None, None).count("x") == 500
    said = refusals.refusal("Geneva", " \n", None, None)
    assert said == "Geneva did not accept the job and gave no reason. Contact the support of Geneva."


def test_a_silent_controller_is_not_a_refusal() -> None:
    assert refusals.is_unreachable(_recorded("controller-down"))
    assert not refusals.is_unasked(_recorded("controller-down"))


def test_who_gets_no_configuration_from_slurm_has_not_asked_it() -> None:
    said = _recorded("no-configuration")
    assert refusals.is_unreachable(said)
    assert refusals.is_unasked(said)


@pytest.mark.parametrize(
    ("recorded", "choice"),
    [
        ("partition", "partition"),
        ("project", "project"),
        ("reservation", "reservation"),
        ("memory", ""),
        ("not-a-script", ""),
    ],
)
def test_a_refusal_names_the_choice_that_it_is_about(recorded: str, choice: str) -> None:
    assert refusals.choice(_recorded(recorded)) == choice
