"""What the admins of a hub see of launches: its metrics, its page, its log."""

import re

import pytest

from lab import Lab
from lab.person import NotStarted, Person
from tests.lab.browser import browser, log_in
from tests.lab.look import logged_in


def _metrics(ruth: Person) -> dict[str, float]:
    """Return the samples of ours by name and labels, as they are written."""
    text = ruth.api("GET", "/hub/metrics").text
    return {
        name: float(value) for name, value in re.findall(r"^jupyterhub_sites_(\S+) (\S+)$", text, re.MULTILINE)
    }


def test_a_launch_that_came_up_is_counted_and_listed(lab: Lab, alice: Person) -> None:
    with logged_in(lab, "ruth") as ruth:
        _see(lab, alice, ruth)


def _see(lab: Lab, alice: Person, ruth: Person) -> None:
    alice.start({"profile": "stub", "site": "geneva"})
    metrics = _metrics(ruth)
    assert metrics['launches_going_on{site="geneva",state="running"}'] >= 1
    assert metrics['queue_seconds_count{site="geneva"}'] >= 1
    assert metrics['stage_seconds_count{site="geneva",stage="starting"}'] >= 1
    assert metrics['tickets{state="valid"}'] >= 2
    lab.wait("geneva has answered", lambda: _metrics(ruth).get('site_up{site="geneva"}') == 1)
    used = 'launches_total{profile="stub",reason="stopped",result="used",site="geneva"}'
    before = metrics.get(used, 0)
    alice.stop()
    lab.wait("its end is counted", lambda: _metrics(ruth).get(used, 0) == before + 1)
    with browser(lab) as page:
        log_in(page, "ruth")
        page.click("text=Launches")
        assert "answered in" in (page.text_content(".page-card") or "")
        page.fill("#words", "alice")
        page.click("main form button")
        page.click("tbody tr:first-child a")
        assert "The script that was sent" in (page.text_content("main") or "")


def test_a_job_that_died_is_one_line_of_the_log_and_one_failure(lab: Lab, alice: Person) -> None:
    log = lab.log("hub", "jupyterhub")
    before = len(log.read_text())
    with pytest.raises(NotStarted):
        alice.start({"profile": "dies", "site": "geneva"})

    lab.wait("the job's end is in the log", lambda: " for alice, ended (FAILED): " in log.read_text()[before:])
    (line,) = [line for line in log.read_text()[before:].splitlines() if "not started" in line]
    assert re.search(r"jupyter-hub-[0-9a-f]{12}, alice: not started: The job at Geneva ended before ", line)
    assert "LaunchFailed" not in log.read_text()[before:]
    assert "Traceback" not in log.read_text()[before:]
    with logged_in(lab, "ruth") as ruth:
        assert _metrics(ruth)['launches_total{profile="dies",reason="failed",result="failed",site="geneva"}'] >= 1
