import pytest

from slurm_ssh_spawner.launch import silence

_PATH = "/jobs/0123456789ab.log"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "waiting for the hub: <urlopen error [Errno 111] Connection refused>\n",
            "hub at URL: Connection refused.",
        ),
        ("waiting for the hub: [Errno 111] Connection refused\n", "the hub at URL: Connection refused."),
        ("waiting for the hub: timed out\n", "cannot reach the hub at URL: timed out."),
        # As jobs write it that were submitted by a hub of the version before.
        ("waiting for the hub: <urlopen error timed out>\n", "cannot reach the hub at URL: timed out."),
        ("waiting for the hub: HTTP Error 502: Bad Gateway\n", "cannot reach the hub at URL: HTTP Error 502"),
        ("waiting for the hub: a\nwaiting for the hub: b\nmore\n", "cannot reach the hub at URL: b."),
        ("[10:00:01] modules: Loading a\n", "what it reports does not reach the hub at URL."),
        ("something\n", "has not been heard of yet. See the last lines of its log."),
        ("", "has not been heard of yet, and its log, /jobs/0123456789ab.log, is empty or missing."),
    ],
)
def test_what_is_wrong_stands_in_the_log(log: str, said: str) -> None:
    sentence = silence.why(log, "n1", "URL", _PATH)
    assert sentence.startswith("The job runs on n1")
    assert said in sentence


def test_without_its_address_the_hub_is_the_hub() -> None:
    assert "which cannot reach the hub: a." in silence.why("waiting for the hub: a", "n1", "", _PATH)


def test_what_a_job_wrote_is_cut() -> None:
    assert len(silence.why("waiting for the hub: " + "x" * 100_000, "n1", "URL", _PATH)) < 400
    assert "\x1b" not in silence.why("waiting for the hub: \x1b[2J", "n1", "URL", _PATH)


@pytest.mark.parametrize(
    ("log", "unheard"), [("waiting for the hub: a", True), ("x waiting for the hub: a", False)]
)
def test_only_the_starters_own_line_says_that_the_hub_is_away(log: str, unheard: bool) -> None:
    assert silence.is_unheard(log) is unheard
