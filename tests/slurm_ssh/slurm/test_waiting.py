import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.slurm import nodes, waiting
from tests.support import builders, shells
from tests.support.local import LocalSite

_ROWS = """\
      2 normal              |Priority
     40 normal,gpu          |Resources
      3 normal              |Dependency
      7 gpu                 |JobHeldUser
      1 normal              |BeginTime
      1 gpu                 |ReqNodeNotAvail, Unavail
      1 CLUSTER: big
      1
"""


def _parsed(rows: str) -> object:
    return waiting.parse(f"{rows}{waiting.END}\n")


def test_what_waits_for_its_turn_is_counted_by_partition() -> None:
    assert _parsed(_ROWS) == {"normal": 42, "gpu": 41}


@pytest.mark.parametrize("text", ["", _ROWS])
def test_of_a_list_that_is_not_whole_nothing_is_known(text: str) -> None:
    assert waiting.parse(text) is None


@given(st.text())
def test_whatever_is_said_is_a_count_or_nothing(text: str) -> None:
    assert all(count > 0 for count in (waiting.parse(f"{text}\n{waiting.END}\n") or {}).values())


@pytest.mark.parametrize(
    ("queue", "known"),
    [
        ("normal  |Priority\nnormal  |Priority\n", {"normal": 2}),
        ("", {}),
        (None, None),
    ],
)
def test_they_are_counted_there_and_no_failure_is_one_of_the_rest(
    local: LocalSite, queue: str | None, known: object
) -> None:
    local.tell("queue", queue) if queue is not None else local.tell("silent", "")
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=str(local.slurm))}).sites["geneva"]
    answer = shells.run(["sh", "-c", f"true && {waiting.question(site)}"])
    assert (answer.status, answer.stderr) == (0, b"")
    said = answer.stdout.decode().partition(f"{waiting.BEGIN}\n")[2]
    assert waiting.parse(said) == known


def test_only_who_sees_everybodys_jobs_is_asked_for_them() -> None:
    site = builders.catalogue().sites["geneva"]
    assert "squeue" not in nodes.snapshot(site)
    assert nodes.snapshot(site, with_waiting=True).endswith(f" && {waiting.question(site)}")
