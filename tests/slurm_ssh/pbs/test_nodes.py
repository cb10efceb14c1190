"""Which nodes a queue of PBS has, and what they have free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.facts import Capacity, Nodes
from slurm_ssh.pbs import nodes
from tests.support import builders, golden, shells

_MEMORY = "state=free|resources_available.mem=8gb"
_EMPTY = f"{_MEMORY}|resources_available.ncpus=8"


def _alike(*said: str) -> tuple[nodes.Alike, ...]:
    return nodes.parse("".join(f"      2 |{each}\n" for each in said))


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("state=free", Capacity(8, 8192, (("", 2),))),
        ("state=free|resources_assigned.ncpus=3|resources_assigned.mem=1024mb", Capacity(5, 7168, (("", 2),))),
        ("state=free|resources_assigned.ngpus=2", Capacity(8, 8192)),
        ("state=free|resources_assigned.ncpus=9", Capacity(0, 8192, (("", 2),))),
        ("state=free|sharing=default_excl", Capacity(8, 8192, (("", 2),))),
        ("state=free|sharing=force_exclhost|resources_assigned.ncpus=1", Capacity(0, 0)),
        ("state=job-busy|resources_assigned.ncpus=8", Capacity(0, 0)),
        ("state=job-exclusive", Capacity(0, 0)),
        ("state=busy", None),
        ("state=offline", None),
        ("state=job-busy,offline", None),
        ("state=down", None),
        ("state=state-unknown,down", None),
        ("state=resv-exclusive", None),
        ("state=sleep", None),
        ("state=<various>", None),
        ("state=", None),
    ],
)
def test_what_is_free_on_a_host_hangs_on_its_state(said: str, free: Capacity | None) -> None:
    has = "resources_available.mem=8388608kb|resources_available.ncpus=8|resources_available.ngpus=2"
    (found,) = nodes.of_queue("workq", "", {}, _alike(f"{said}|{has}"))
    assert found == Nodes(2, Capacity(8, 8192, (("", 2),)), free)


@pytest.mark.parametrize(
    ("queue", "partition", "chunk", "cores"),
    [
        ("workq", "", {}, [1, 2, 3, 6]),
        ("own", "", {}, [4]),
        ("workq", "p1", {}, [5]),
        ("workq", "", {"ncpus": "1", "Qlist": "big"}, [2, 6]),
        ("workq", "", {"Qlist": "small"}, [3, 6]),
        ("workq", "", {"infiniband": "True"}, []),
    ],
)
def test_a_queue_has_the_hosts_on_which_its_jobs_may_run(
    queue: str, partition: str, chunk: dict[str, str], cores: list[int]
) -> None:
    hosts = _alike(
        f"{_MEMORY}|resources_available.ncpus=1",
        f"{_MEMORY}|resources_available.ncpus=2|resources_available.Qlist=big",
        f"{_MEMORY}|resources_available.ncpus=3|resources_available.Qlist=small,tiny",
        f"{_MEMORY}|resources_available.ncpus=4|queue=own",
        f"{_MEMORY}|resources_available.ncpus=5|partition=p1",
        # Of a host whose vnodes differ, nobody knows it.
        f"{_MEMORY}|resources_available.ncpus=6|resources_available.Qlist=<various>|queue=<various>",
    )
    found = nodes.of_queue(queue, partition, chunk, hosts)
    assert sorted(each.whole.cores for each in found) == cores


def test_what_is_no_host_is_passed_over_and_what_comes_first_counts() -> None:
    assert nodes.parse("\nWelcome\n  x |state=free\n 1 |queue=a\n 99999999 |state=free\n") == ()
    (found,) = _alike(f"{_EMPTY}|comment=x|state=down|resources_available.ncpus=900")
    assert nodes.of_queue("workq", "", {}, (found,))[0].free == Capacity(8, 8192)


@pytest.mark.parametrize(
    "said",
    [
        "state=state-unknown,down",
        "state=free|resources_available.ncpus=8",
        "state=free|resources_available.mem=8kw|resources_available.ncpus=8",
        "state=free|resources_available.mem=8gb|resources_available.ncpus=-3",
    ],
)
def test_nobody_is_refused_for_a_host_that_does_not_say_what_it_has(said: str) -> None:
    assert nodes.of_queue("workq", "", {}, _alike(said)) == ()


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    nodes.of_queue("workq", "", {"Qlist": "a"}, nodes.parse(f"  1 |{text}\n{text}"))


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_every_shell_reads_the_question(shell: str) -> None:
    site = builders.catalogue(sites={"geneva": golden.pbs_site()}).sites["geneva"]
    assert shells.run([shell, "-n", "-c", nodes.question(site)]).stderr == b""
