"""A hub that is restarted goes on with what it had accepted: the same job becomes the server."""

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in
from tests.lab.faults import another_hub, newcomer, wait_for_hub
from tests.lab.look import closed, delivered, jobs_of


def _pending(person: Person) -> bool:
    return person.model()["servers"].get("", {}).get("pending") == "spawn"


@pytest.mark.parametrize("site", ["geneva", "lugano"])
def test_a_launch_in_the_queue_becomes_a_server_with_the_same_job(lab: Lab, site: str) -> None:
    with newcomer(lab, "alice") as alice:
        with closed(lab, site, "normal"):
            alice.submit_form({"profile": "stub", "site": site})
            lab.wait("the job waits", lambda: "PENDING" in "".join(jobs_of(lab, "alice", site)))
            (job,) = jobs_of(lab, "alice", site)
            another_hub(lab)
            lab.wait("the hub goes on with the launch", lambda: _pending(alice))
        events = list(alice.progress())
        assert events[-1].ready, events
        assert [each.split()[0] for each in jobs_of(lab, "alice", site)] == [job.split()[0]]
        assert alice.http.get("/user/alice/").status_code == 200
        alice.stop()
        lab.wait("nothing is left", lambda: not jobs_of(lab, "alice", site) and not delivered(lab, "alice", site))


def test_the_page_that_was_open_goes_on_over_a_hub_that_was_away(lab: Lab) -> None:
    # A page that loads itself again has no body for a moment.
    waits = "document.body?.textContent.includes('waits in the queue')"
    with newcomer(lab, "bob") as bob, browser(lab) as page:
        log_in(page, "bob")
        with closed(lab, "geneva", "normal"):
            bob.submit_form({"profile": "stub", "site": "geneva"})
            page.goto("/hub/spawn-pending/bob")
            page.wait_for_function(waits)
            lab.fault("kill", "hub", "jupyterhub")
            page.wait_for_selector("#hub-away:visible")
            # Until the browser itself has given up.
            page.wait_for_timeout(8000)
            lab.fault("start", "hub", "jupyterhub")
            wait_for_hub(lab)
            page.wait_for_selector("#hub-away", state="hidden")
            page.wait_for_function(waits)
        page.wait_for_url("**/user/bob/**")


def test_the_page_of_a_start_that_failed_before_its_events_were_asked_for_makes_room_for_the_reason(
    lab: Lab,
) -> None:
    with newcomer(lab, "bob") as bob, browser(lab) as page, closed(lab, "geneva", "normal"):
        log_in(page, "bob")
        bob.submit_form({"profile": "stub", "site": "geneva"})
        # Only once: the page would load itself again without end.
        page.route("**/hub/api/users/bob/server/progress*", lambda asked: asked.fulfill(status=400), times=1)
        stopping = {"X-Start": "stopping"}
        page.route("**/hub/home/start*", lambda asked: asked.fulfill(headers=stopping), times=1)
        page.goto("/hub/spawn-pending/bob", wait_until="commit")
        page.wait_for_function("performance.getEntriesByType('navigation')[0].type === 'reload'")
