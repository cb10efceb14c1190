"""The page of a start in a real browser: in the queue, cancelled, on its way, failed; and without scripts."""

import re

from playwright.sync_api import Page, expect

from lab import Lab
from tests.lab.browser import browser, log_in, without_scripts
from tests.lab.look import jobs_of, logged_in
from tests.lab.test_facts import told


def _drained(lab: Lab, site: str) -> list[str]:
    return [f"update nodename={site}-n[1-2] state={state}" for state in ("drain reason=test", "resume")]


def _streams(page: Page) -> int:
    """Return how many streams of events the page has opened."""
    asked = "performance.getEntriesByType('resource').filter(each => each.name.includes('/progress')).length"
    found: int = page.evaluate(asked)
    return found


def test_a_start_in_the_queue_says_why_and_is_cancelled(lab: Lab) -> None:
    with logged_in(lab, "p22") as person, browser(lab) as page:
        log_in(page, "p22")
        do, undo = _drained(lab, "lugano")
        with told(lab, "lugano-ctl", do, undo):
            person.submit_form({"profile": "stub", "site": "lugano"})
            page.goto("/hub/spawn-pending/p22")
            expect(page.locator("h1")).to_have_text("Starting Default server: waiting for a node")
            why = page.locator("#start-why")
            expect(why).to_contain_text("The nodes that this job could use are down, drained or reserved")
            expect(why).to_contain_text(
                re.compile(r"The hub waits until .*, then cancels the job\..*You can close this page", re.DOTALL)
            )
            expect(page.locator("#start-elsewhere")).to_contain_text("start at Geneva instead (free now)")
            expect(page).to_have_title(re.compile(r"In the queue \(.* min\) · Default server"))
            assert _streams(page) <= 1
            page.click("#cancel-start")
            page.wait_for_url("**/hub/home")
            expect(page.locator("#default-server")).to_contain_text("You cancelled the start.")
            lab.wait("no job is left", lambda: not jobs_of(lab, "p22", "lugano"))


def test_where_it_could_start_at_once_is_one_step_away(lab: Lab) -> None:
    with logged_in(lab, "p22") as person, browser(lab) as page:
        log_in(page, "p22")
        do, undo = _drained(lab, "lugano")
        with told(lab, "lugano-ctl", do, undo):
            person.submit_form({"profile": "stub", "site": "lugano"})
            page.goto("/hub/spawn-pending/p22")
            page.click("#start-elsewhere")
            page.wait_for_url("**/hub/spawn/p22?profile=stub&site=geneva")
            expect(page.locator("[name=profile]").first).to_be_attached()
            lab.wait("no job is left", lambda: not jobs_of(lab, "p22", "lugano"))


def test_without_scripts_the_page_comes_again_by_itself_until_the_server_is_up(lab: Lab) -> None:
    with logged_in(lab, "p22") as person, browser(lab) as first:
        page = without_scripts(first, lab)
        log_in(page, "p22")
        do, undo = _drained(lab, "geneva")
        with told(lab, "geneva-ctl", do, undo):
            person.submit_form({"profile": "stub", "site": "geneva"})
            page.goto("/hub/spawn-pending/p22")
            expect(page.locator("#start-why")).to_contain_text("drained")
            expect(page.locator("#cancel-start")).to_be_visible()
        page.wait_for_url("**/user/p22/**")
        person.stop()


def test_a_failure_is_a_page_of_its_own_and_its_report_can_be_copied(lab: Lab) -> None:
    with logged_in(lab, "p22") as person, browser(lab) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        log_in(page, "p22")
        person.submit_form({"profile": "dies", "site": "geneva"}, "east")
        page.goto("/hub/spawn-pending/p22/east")
        expect(page.locator("h1")).to_have_text("east could not start")
        expect(page.locator("#start-problem")).to_contain_text("(exit status 7)")
        expect(page.locator("pre[aria-labelledby=log-title]")).to_contain_text("no licence for this program")
        report = page.locator("#start-report").text_content() or ""
        assert "profile dies, cluster geneva, job " in report
        for name in ("Try again", "Copy report"):
            expect(page.get_by_role("button", name=name)).to_be_visible()
        expect(page.get_by_role("link", name="Change the choices")).to_be_visible()
        page.get_by_role("button", name="Copy report").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == report
        person.remove("east")
