"""A notebook and its Spark cluster end together, whichever of the two ends, and however.

Where the server is not the point it is a stub, and where the number of workers is not there is one.
"""

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.faults import bring_back, broken, let_its_time_be_up
from tests.lab.look import closed
from tests.lab.spark import NODES, clean, has_workers, job_id, names, notebook_node


@pytest.fixture
def alice(lab: Lab) -> Iterator[Person]:
    with clean(lab) as person:
        yield person


def start(lab: Lab, alice: Person, profile: str = "spark-stub", workers: int = 1, **choices: str) -> None:
    """Start alice's notebook with Spark at geneva, and wait for the workers."""
    alice.start({"profile": profile, "site": "geneva", **choices})
    has_workers(lab, workers)


def cancel(lab: Lab, prefix: str, *options: str) -> None:
    """Cancel alice's job at geneva whose name begins so, as she does."""
    lab.run("geneva-login1", ["scancel", *options, job_id(lab, prefix)], user="alice")


KILL = ("--signal=KILL", "--full")
"""Options with which Slurm gives a job no time to say or do anything."""


class TestWhileItRuns:
    def test_a_cancelled_notebook_ends_the_cluster(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        cancel(lab, "jupyter")
        lab.wait("both are over", lambda: names(lab) == [])

    def test_a_killed_notebook_ends_the_cluster_also_without_a_hub(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        with broken(lab, ("kill", "hub", "jupyterhub")):
            cancel(lab, "jupyter", *KILL)
            lab.wait("both are over", lambda: names(lab) == [])
        lab.wait("the hub answers again", lambda: alice.http.get("/hub/api/").status_code == 200)

    def test_a_killed_cluster_ends_the_notebook(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        cancel(lab, "spark_cluster", *KILL)
        lab.wait("both are over", lambda: names(lab) == [])

    @pytest.mark.long
    def test_a_node_that_fails_ends_both(self, lab: Lab, alice: Person) -> None:
        start(lab, alice, "spark", workers=2)
        (other,) = [node for node in NODES["geneva"] if node != notebook_node(lab)]
        with broken(lab, ("cut", other)):
            lab.wait("both are over", lambda: names(lab) == [])
        bring_back(lab, other)

    @pytest.mark.long
    def test_the_time_limit_ends_both(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        let_its_time_be_up(lab, job_id(lab, "jupyter"))
        lab.wait("both are over", lambda: names(lab) == [])


class TestWhileItWaits:
    def test_a_stop_ends_the_cluster(self, lab: Lab, alice: Person) -> None:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark-stub", "site": "geneva"})
            alice.stop()
            lab.wait("both are over", lambda: names(lab) == [])

    def test_a_killed_notebook_ends_the_cluster(self, lab: Lab, alice: Person) -> None:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark-stub", "site": "geneva"})
            cancel(lab, "jupyter", *KILL)
            lab.wait("both are over", lambda: names(lab) == [])
