"""`python -m tests.lab.screenshots`: take the pictures that README and docs show, in a lab of its own."""

from playwright.sync_api import Page, expect

from lab import Lab
from lab.folders import TREE
from lab.person import NotStarted, Person
from tests.lab import job_pictures
from tests.lab.browser import pick
from tests.lab.look import logged_in
from tests.lab.pictures import PICTURES, page_of, take
from tests.lab.test_facts import told

_DRAINED = [f"update nodename=lugano-n[1-2] state={state}" for state in ("drain reason=repair", "resume")]


def main() -> None:
    """Write all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    with Lab(state=TREE / ".lab-screenshots", port=0) as lab, logged_in(lab, "alice") as alice:
        with page_of(lab, "alice") as page:
            _form(page)
            _servers(lab, alice, page)
            _in_jupyterlab(page)
        with page_of(lab, "ruth") as page:
            page.goto("/hub/launches")
            take(page, "launches")
        job_pictures.take_all(lab)


def _form(page: Page) -> None:
    page.goto("/hub/spawn/alice/analysis")
    pick(page, "profile", "jupyterlab")
    pick(page, "site", "geneva")
    # What is free comes after the page.
    expect(page.locator("#launch-summary")).to_contain_text("Geneva")
    page.wait_for_load_state("networkidle")
    take(page, "form", everywhere=True)


def _servers(lab: Lab, alice: Person, page: Page) -> None:
    """Take Home with a server in each condition, and the pages of a start that waits and of one that failed."""
    alice.start({"profile": "jupyterlab", "site": "geneva", "time": "1h"}, "analysis")
    try:
        alice.start({"profile": "dies", "site": "geneva"}, "licence")
    except NotStarted:
        page.goto("/hub/spawn-pending/alice/licence")
        expect(page.locator("h1")).to_have_text("licence could not start")
        take(page, "failure")
    with told(lab, "lugano-ctl", *_DRAINED):
        alice.submit_form({"profile": "jupyterlab", "site": "lugano"}, "model")
        page.goto("/hub/spawn-pending/alice/model")
        expect(page.locator("#start-why")).to_contain_text("drained")
        take(page, "progress")
        page.goto("/hub/home")
        expect(page.locator("[data-state=waiting]")).to_be_visible()
        expect(page.locator("[data-state=running] progress")).to_be_visible()
        take(page, "home", everywhere=True)


def _in_jupyterlab(page: Page) -> None:
    page.goto("/user/alice/analysis/lab")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("left")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    take(page, "jupyterlab")


if __name__ == "__main__":
    main()
