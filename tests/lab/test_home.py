"""Home and the pages of a server that is not there, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from lab.person import NotStarted, Person
from tests.lab.browser import browser, log_in, without_scripts
from tests.lab.look import logged_in

pytestmark = pytest.mark.xdist_group("home")
"""One person's servers for all tests of this file that only look."""


@pytest.fixture(scope="module")
def person(lab: Lab) -> Iterator[Person]:
    """Give somebody with a server that runs, one that waits, and one that could not start."""
    with logged_in(lab, "p21") as person:
        nodes = ["scontrol", "update", "nodename=lugano-n[1-2]"]
        lab.run("lugano-ctl", [*nodes, "state=drain", "reason=test"])
        person.start({"profile": "stub", "site": "geneva", "time": "10m"})
        person.submit_form({"profile": "stub", "site": "lugano", "partition": "normal"}, "south")
        with pytest.raises(NotStarted):
            person.start({"profile": "dies", "site": "geneva"}, "east")
        yield person
        person.stop()
        person.remove("south")
        person.remove("east")
        lab.run("lugano-ctl", [*nodes, "state=resume"])


@pytest.fixture
def home(lab: Lab, person: Person) -> Iterator[Page]:
    """Give their Home."""
    with browser(lab) as page:
        log_in(page, person.name)
        yield page


def test_cards_say_what_runs_waits_and_failed_until_when_and_why(home: Page) -> None:
    runs, waits, failed = (
        home.locator("#default-server"),
        home.locator("#server-south"),
        home.locator("#server-east"),
    )
    expect(runs).to_contain_text("Default server running")
    expect(runs).to_contain_text("Stub server on Geneva, node geneva-n")
    expect(runs).to_contain_text("min left of 10 min (ends ")
    expect(runs.locator("progress")).to_have_class("meter little")
    expect(waits).to_contain_text("south waiting in the queue for")
    expect(waits).to_contain_text("The hub waits until ")
    expect(failed).to_contain_text("east could not start")
    expect(failed.locator(".why")).to_contain_text("(exit status 7)")
    failed.locator("[id$=':log'] summary").click()
    expect(failed.locator("pre")).to_contain_text("no licence for this program")
    # In the reader's zone and language, by the script.
    assert "UTC" not in (runs.text_content() or "")
    expect(home.get_by_role("region", name="Clusters")).to_contain_text("login p21")


def test_it_is_the_same_without_scripts_in_the_dark_and_on_a_phone(lab: Lab, home: Page, person: Person) -> None:
    home.set_viewport_size({"width": 375, "height": 700})
    for theme in ("light", "dark"):
        home.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
        assert home.evaluate("document.documentElement.scrollWidth") == 375
    plain = without_scripts(home, lab)
    log_in(plain, person.name)
    expect(plain.locator("#default-server")).to_contain_text("UTC)")
    expect(plain.locator("#noscript")).to_be_hidden()
    plain.get_by_role("link", name="Show progress: south").click()
    plain.wait_for_url("**/hub/spawn-pending/p21/south")


def test_the_page_that_is_open_changes_by_itself_and_keeps_the_place_of_the_keyboard(
    home: Page, person: Person
) -> None:
    with home.expect_response("**/hub/home/servers"):
        home.get_by_role("button", name="Cancel: south").focus()
    person.remove("east")
    expect(home.locator("#server-east")).to_have_count(0)
    expect(home.get_by_role("button", name="Cancel: south")).to_be_focused()


def test_a_server_in_use_is_stopped_only_when_its_owner_is_sure(home: Page, person: Person) -> None:
    home.get_by_role("button", name="Stop: Default server").press("Enter")
    expect(home.get_by_role("heading", name="Stop your default server?")).to_be_visible()
    expect(home.locator("main")).to_contain_text("It was used ")
    home.get_by_role("link", name="Keep it running").press("Enter")
    home.wait_for_url("**/hub/home")
    assert person.model()["server"]
    home.get_by_role("button", name="Stop: Default server").press("Enter")
    home.get_by_role("button", name="Stop").press("Enter")
    home.wait_for_url("**/hub/home")
    expect(home.locator("#default-server .why")).to_contain_text("You stopped it.")
    home.get_by_role("button", name="Start again: Default server").press("Enter")
    home.wait_for_url("**/user/p21/**")
