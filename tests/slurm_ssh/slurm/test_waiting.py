import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.facts import Queue
from slurm_ssh.slurm import nodes, waiting
from tests.support import builders, shells
from tests.support.local import LocalSite

_ROWS = """\
CLUSTER: big
normal          |6|Resources               |jupyter-
normal          |3|Dependency              |jupyter-
normal,gpu      |9|Priority                |other
normal          |5|Priority                |jupyter-
gpu             |8|ReqNodeNotAvail, Unavail|jupyter-
normal          |7_[1-9]|Priority          |jupyter-
normal          |2|BeginTime               |a|b
normal          |4|JobHeldAdmin            |jupyter-
"""


def _asked(local: LocalSite) -> Queue | None:
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=str(local.slurm))}).sites["geneva"]
    answer = shells.run(["sh", "-c", f"true && {waiting.question(site)}"])
    assert (answer.status, answer.stderr) == (0, b"")
    return waiting.parse(answer.stdout.decode().partition(f"{waiting.BEGIN}\n")[2])


def test_what_waits_for_its_turn_is_counted_by_partition_and_before_jobs_of_a_hub(local: LocalSite) -> None:
    local.tell("queue", _ROWS)
    assert _asked(local) == Queue(waiting={"normal": 4, "gpu": 2}, before={"6": 0, "3": 1, "5": 2, "8": 1, "4": 4})


def test_a_queue_may_be_empty(local: LocalSite) -> None:
    assert _asked(local) == Queue({}, {})


def test_of_a_queue_that_slurm_does_not_tell_nothing_is_known(local: LocalSite) -> None:
    local.tell("silent", "")
    assert _asked(local) is None


@pytest.mark.parametrize("name", ["a\nnormal|6|x|jupyter-", "a\n||jupyt"])
def test_a_jobs_name_says_nothing_of_other_jobs(local: LocalSite, name: str) -> None:
    # squeue cuts it to eight characters.
    local.tell("queue", f"normal|6|Priority|jupyter-\nnormal|9|Priority|{name[:8]}\n")
    assert _asked(local) == Queue({"normal": 2}, {"6": 0})


@given(st.text())
def test_whatever_is_said_is_read_or_not_known(text: str) -> None:
    found = waiting.parse(f"{text}\n{waiting.END}\n")
    assert found is not None
    assert waiting.parse(text) is None or waiting.END in text


def test_only_who_sees_everybodys_jobs_is_asked_for_them() -> None:
    site = builders.catalogue().sites["geneva"]
    assert "squeue" not in nodes.snapshot(site)
    assert nodes.snapshot(site, with_waiting=True).endswith(f" && {waiting.question(site)}")
