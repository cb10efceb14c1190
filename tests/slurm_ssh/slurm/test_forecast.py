from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.scheduler import Forecast, UnreadableAnswer
from slurm_ssh.slurm import forecast, refusals
from slurm_ssh.ssh.transport import Completed
from tests.support import builders
from tests.support.folders import DATA

_SITE = builders.catalogue().sites["geneva"]
_BEGINS = datetime(2026, 11, 27, 2, 2, 31, tzinfo=UTC)


def _recorded(name: str) -> str:
    return (DATA / "slurm" / "test-only" / f"{name}-22.05.txt").read_text(encoding="utf-8")


def _read(stderr: str, status: int = 0, stdout: str = "") -> Forecast:
    request = builders.request(project="physics", partition="nosuch", reservation="nix")
    return forecast.parse(_SITE, request, Completed(status, stdout, stderr))


def test_the_moment_is_in_utc_whatever_zone_the_sites_environment_says() -> None:
    program = forecast.question(_SITE, ("--auks=done",), ("SLURM_SPANK_AUKS",))
    settings, sbatch = program.splitlines()
    assert settings == (
        "unset KRB5CCNAME SLURM_SPANK_AUKS; "
        "TZ=UTC SLURM_TIME_FORMAT=standard LC_ALL=C; export TZ SLURM_TIME_FORMAT LC_ALL"
    )
    assert sbatch == "/usr/bin/sbatch --parsable --export=ALL --auks=done --test-only"


def test_what_slurm_says_of_a_start_is_read() -> None:
    assert _read(_recorded("expected")) == Forecast(_BEGINS)


@pytest.mark.parametrize(
    "line",
    [
        "sbatch: Job 9 to start at 2026-11-27T02:02:31 using 16 processors on n1",
        "sbatch: Job 9 to start at 2026-11-27T02:02:31 on cluster big using 1 processors on nodes n1",
        "Job 9 to start at 2026-11-27T02:02:31 using 16 processors on nodes n1 in partition a\n  Preempts: 3,4",
        "sbatch: The quota is used up.\nsbatch: Job 9 to start at 2026-11-27T02:02:31 using 1 processors on n",
    ],
)
def test_so_it_is_in_its_other_words_and_among_a_sites_own(line: str) -> None:
    assert _read(line) == _read("", stdout=line) == Forecast(_BEGINS)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "maintenance until Monday",
        "sbatch: Job 9 to start at Unknown using 16 processors on nodes n1 in partition a",
        "sbatch: Job 9 to start at 2026-13-27T02:02:31 using 16 processors on nodes n1 in partition a",
        "sbatch: Job 9 to start at 2026--1-27T02:02:3 using 16 processors on nodes n1 in partition a",
        "I say: Job 9 to start at 2026-11-27T02:02:31 using 16 processors on nodes n1 in partition a",
        "".join(f"Job 9 to start at 2026-11-2{day}T02:02:31 using 1 processors on n\n" for day in (7, 8)),
    ],
)
def test_anything_else_is_no_moment(line: str) -> None:
    with pytest.raises(UnreadableAnswer):
        _read(line)


@given(st.text(), st.text(), st.integers(0, 255))
def test_whatever_is_said_is_read_or_unreadable(stdout: str, stderr: str, status: int) -> None:
    try:
        found = _read(stderr, status, stdout)
    except UnreadableAnswer:
        assert status == 0
    else:
        assert found.refused.isprintable()
        assert bool(found.refused) is (status != 0)
        assert len(found.refused) < 1000


@pytest.mark.parametrize("name", ["partition", "reservation"])
def test_a_refusal_is_said_as_that_of_a_start(name: str) -> None:
    of_a_start = (DATA / "slurm" / "refused" / f"{name}.txt").read_text(encoding="utf-8")
    said = refusals.refusal("Geneva", of_a_start, "physics", "nosuch")
    assert _read(_recorded(name), 1) == Forecast(refused=said)
    assert said.startswith("Geneva did not accept the job: ")


def test_what_would_wait_for_nodes_that_are_away_is_not_said_to_be_refused() -> None:
    assert _read(_recorded("no-node"), 1).refused == (
        "Geneva has no node for this now: none is large enough, or those that are large enough are down, drained "
        "or reserved."
    )


def test_a_controller_that_does_not_answer_is_no_refusal() -> None:
    assert refusals.is_unreachable(_recorded("controller-down"))
