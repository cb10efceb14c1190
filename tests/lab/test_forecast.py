"""When Slurm would start what somebody chooses, on the form and in the queue, in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from lab import Lab
from tests.lab.browser import browser, log_in, pick
from tests.lab.faults import another_hub
from tests.lab.look import FRONT_END, jobs_of
from tests.lab.test_facts import told

_WAITING = 3
# A monitor looks at the queue once a minute, and so does an open form.
_PATIENCE_MS = 200_000


@pytest.fixture
def full(lab: Lab) -> Iterator[datetime]:
    """Have others use all of geneva for an hour, and more of them wait; give when the first nodes are free."""
    front_end = FRONT_END["geneva"]
    job = ["sbatch", "-N1", "-c16", "--mem=3000", "-t60", "-o/dev/null", "--wrap=sleep 3600"]
    try:
        for _ in range(2 + _WAITING):
            lab.run(front_end, job, user="zoe")
        lab.wait("two of them run", lambda: sum("RUNNING" in each for each in jobs_of(lab, "zoe")) == 2)
        ends = ["env", "TZ=UTC", "squeue", "-h", "-t", "R", "-u", "zoe", "-o", "%e"]
        first = min(map(datetime.fromisoformat, lab.run(front_end, ends).stdout.split())).replace(tzinfo=UTC)
        # It looks at once, not only when a minute is over.
        another_hub(lab)
        yield first
    finally:
        lab.run(front_end, ["scancel", "-u", "zoe"])
        lab.wait("geneva is free again", lambda: not [each for each in jobs_of(lab, "zoe") if "CANC" not in each])


@pytest.mark.usefixtures("alice")
def test_the_form_and_then_the_queue_say_what_slurm_expects(lab: Lab, full: datetime) -> None:
    with browser(lab) as page:
        log_in(page, "alice")
        page.goto("/hub/spawn")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        pick(page, "profile", "stub")
        pick(page, "site", "geneva")
        page.fill("#time", "47m")
        line = page.locator("#launch-forecast")
        expect(line).to_contain_text("Slurm expects it to start at about ", timeout=_PATIENCE_MS)
        moment = datetime.fromisoformat(str(line.locator("time").get_attribute("datetime")))
        # Behind the jobs that wait, each for an hour, and in UTC wherever the page is read.
        assert timedelta(0) <= moment - full < timedelta(hours=_WAITING)
        expect(line).to_contain_text(f"{_WAITING} jobs already wait there.", timeout=_PATIENCE_MS)
        page.click("[type=submit]")
        why = page.locator("#start-why")
        expect(why).to_contain_text(f"{_WAITING} jobs are before yours.", timeout=_PATIENCE_MS)
        page.click("#cancel-start")
        page.wait_for_url("**/hub/home*")


def drained(site: str) -> list[str]:
    """Return what is told a controller so that no node takes jobs, and what undoes it."""
    return [f"update nodename={site}-n[1-2] state={state}" for state in ("drain reason=test", "resume")]


def test_a_free_cluster_starts_it_at_once_and_a_refusal_is_said(lab: Lab) -> None:
    # What it knows may be of a full cluster.
    another_hub(lab)
    with browser(lab) as page:
        log_in(page, "alice")
        page.goto("/hub/spawn")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        pick(page, "profile", "stub")
        pick(page, "site", "geneva")
        page.fill("#time", "48m")
        line = page.locator("#launch-forecast")
        expect(line).to_have_text("Slurm would start it at once.", timeout=_PATIENCE_MS)
        card = page.locator(".page-card:has([name=pick-site][value=geneva]) .launch-forecast")
        expect(card).to_have_text("Slurm would start it at once.")
        # Its nodes are large enough, and none is there.
        do, undo = drained("geneva")
        with told(lab, "geneva-ctl", do, undo):
            page.fill("#time", "49m")
            expect(line).to_contain_text("Geneva has no node for this now", timeout=_PATIENCE_MS)
