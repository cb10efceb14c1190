"""Why servers ended, or did not come up: from Slurm, through the hub, to people's pages and programs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from lab import Lab
from lab.person import NotStarted, Person
from tests.lab.browser import browser, log_in
from tests.lab.faults import another_hub, bring_back
from tests.lab.look import FRONT_END, jobs_of
from tests.lab.test_catalogue_edits import edited


def _last(person: Person) -> dict[str, Any]:
    """Return how her last launch stands."""
    (launch,) = person.api("GET", "/hub/api/launches?limit=1").json()["launches"]
    return dict(launch)


@pytest.mark.parametrize(
    ("site", "canceller", "said"),
    [
        ("geneva", "alice", "The job was cancelled at Geneva; Slurm does not say by whom."),
        ("lugano", "alice", "The job was cancelled at Lugano by alice."),
        ("lugano", None, "The job was cancelled at Lugano by root."),
    ],
)
def test_who_cancelled_a_job_is_told_as_far_as_slurm_knows_it(
    lab: Lab, alice: Person, site: str, canceller: str | None, said: str
) -> None:
    alice.start({"profile": "stub", "site": site})
    (job,) = jobs_of(lab, "alice", site)
    lab.run(FRONT_END[site], ["scancel", job.split()[0]], user=canceller)
    lab.wait("the hub says why", lambda: _last(alice)["end_reason"] == said)
    with browser(lab) as page:
        log_in(page, "alice")
        assert said in (page.text_content("#default-server .why") or "").replace("\n", " ")


def test_a_job_whose_node_is_down_is_told_so(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub", "site": "geneva"})
    node = _last(alice)["node"]
    update = ["scontrol", "update", f"nodename={node}"]
    lab.run("geneva-ctl", [*update, "state=down", "reason=test"])
    try:
        lab.wait("the hub says why", lambda: _last(alice)["end_reason"] == f"The node {node} failed.")
    finally:
        bring_back(lab, node)
    assert "NODE FAILURE" in _last(alice)["end_log"]


@contextmanager
def _edited(lab: Lab, edit: Callable[[str], str]) -> Iterator[None]:
    """Let the catalogue be another one for the length of a block; the hub has read the old one again after it."""
    with edited(lab, edit):
        yield
    another_hub(lab)


def _geneva(**changed: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        tree["sites"]["geneva"] |= changed
        return yaml.safe_dump(tree, sort_keys=False)

    return edit


def test_a_job_that_cannot_reach_the_hub_says_so_while_it_tries(lab: Lab, alice: Person) -> None:
    with _edited(lab, _geneva(hub_url="http://hub.lab.test:9999")):
        alice.http.get("/hub/spawn")  # The hub reads the catalogue before it shows a form.
        alice.submit_form({"profile": "stub", "site": "geneva"})
        said = "cannot reach the hub at http://hub.lab.test:9999: Connection refused."
        assert any(said in event.message for event in alice.progress())
        log = lab.log("hub", "jupyterhub").read_text()
        assert "(Connection refused). See hub_url of geneva in the catalogue" in log
        alice.stop()


def test_a_node_that_the_hub_does_not_find_is_told_at_once(lab: Lab, alice: Person) -> None:
    with _edited(lab, _geneva(node_address="{node}.wrong.test")):
        alice.http.get("/hub/spawn")
        with pytest.raises(NotStarted, match=r"The hub does not find the address of geneva-n[12] at Geneva"):
            alice.start({"profile": "stub", "site": "geneva"})
        log = lab.log("hub", "jupyterhub").read_text()
        assert "See node_address of geneva in the catalogue" in log
        assert "does not find the address" in _last(alice)["end_reason"]
