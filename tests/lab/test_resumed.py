"""A hub that is restarted goes on with what it had accepted: the same job becomes the server."""

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.faults import another_hub, newcomer
from tests.lab.look import closed, delivered, jobs_of

PARTITIONS = {"geneva": "normal", "lugano": "short"}


def _pending(person: Person) -> bool:
    return person.model()["servers"].get("", {}).get("pending") == "spawn"


@pytest.mark.parametrize("site", ["geneva", "lugano"])
def test_a_launch_in_the_queue_becomes_a_server_with_the_same_job(lab: Lab, site: str) -> None:
    with newcomer(lab, "bob") as bob:
        with closed(lab, site, PARTITIONS[site]):
            bob.submit_form({"profile": "stub", "site": site})
            lab.wait("the job waits", lambda: "PENDING" in "".join(jobs_of(lab, "bob", site)), 60)
            (job,) = jobs_of(lab, "bob", site)
            another_hub(lab)
            lab.wait("the hub goes on with the launch", lambda: _pending(bob), 60)
        events = list(bob.progress())
        assert events[-1].ready, events
        assert [each.split()[0] for each in jobs_of(lab, "bob", site)] == [job.split()[0]]
        assert bob.http.get("/user/bob/").status_code == 200
        bob.stop()
        lab.wait("nothing is left", lambda: not jobs_of(lab, "bob", site) and not delivered(lab, "bob", site), 60)
