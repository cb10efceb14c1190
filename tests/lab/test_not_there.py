"""What stands at the address of a server that is gone, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in, without_scripts
from tests.lab.look import FRONT_END, jobs_of, logged_in


@pytest.fixture
def person(lab: Lab) -> Iterator[Person]:
    """Give somebody with a server that runs at geneva."""
    with logged_in(lab, "p22") as person:
        person.start({"profile": "stub", "site": "geneva"})
        yield person
        person.stop()


def _cancel(lab: Lab) -> None:
    (job,) = jobs_of(lab, "p22")
    lab.run(FRONT_END["geneva"], ["scancel", job.split()[0]], user="p22")


def _is_told(page: Page) -> None:
    """See the page say why, whichever it was at first: the proxy knows of the end later than the node."""
    heading = page.get_by_role("heading", name="Default server is not running")
    expect(heading).to_be_visible()
    expect(page.locator("#default-server .why")).to_contain_text("The job was cancelled at Geneva")


def test_who_comes_to_a_server_that_has_just_ended_is_told_why_and_starts_it_again_there(
    lab: Lab, person: Person
) -> None:
    with browser(lab) as page:
        log_in(page, person.name)
        _cancel(lab)
        # While a job is completing, its program may still answer.
        lab.wait("its job is gone", lambda: not jobs_of(lab, "p22"))
        page.goto("/user/p22/lab")
        _is_told(page)
        page.set_viewport_size({"width": 375, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        plain = without_scripts(page, lab)
        log_in(plain, person.name)
        plain.goto("/user/p22/lab")
        _is_told(plain)
        page.get_by_role("button", name="Start again: Default server").press("Enter")
        page.wait_for_url(re.compile("//[^/]+/user/p22/lab"))


def test_a_page_that_there_is_not_and_a_session_that_is_over_lead_on(lab: Lab, person: Person) -> None:
    with browser(lab) as page:
        log_in(page, person.name)
        page.goto("/hub/nowhere")
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
        page.goto("/hub/spawn/p22/south")
        page.context.clear_cookies()
        page.evaluate("document.querySelector('form[action*=spawn]').submit()")
        expect(page.get_by_role("heading", name="You were logged out")).to_be_visible()
        page.get_by_role("link", name="Log in").click()
        assert "next=%2Fhub%2Fspawn%2Fp22%2Fsouth" in page.url
