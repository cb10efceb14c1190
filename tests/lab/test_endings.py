"""Why servers ended: from Slurm, through the hub, to people's pages and programs."""

from typing import Any

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in
from tests.lab.look import FRONT_END, jobs_of


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
    lab.wait("the hub says why", lambda: _last(alice)["end_reason"] == said, 90)
    with browser(lab) as page:
        log_in(page, "alice")
        assert said in page.text_content(".launch-notice").replace("\n", " ")


def test_a_job_whose_node_is_down_is_told_so(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub", "site": "geneva"})
    node = _last(alice)["node"]
    update = ["scontrol", "update", f"nodename={node}"]
    lab.run("geneva-ctl", [*update, "state=down", "reason=test"])
    try:
        lab.wait("the hub says why", lambda: _last(alice)["end_reason"] == f"The node {node} failed.", 90)
    finally:
        lab.run("geneva-ctl", [*update, "state=resume"])
    assert "starting" in _last(alice)["end_log"]
