"""JupyterLab shows its job: where it runs, until when, why it has ended; and starts it again."""

import re

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in
from tests.lab.faults import let_its_time_be_up
from tests.lab.look import jobs_of

_BAR, _DIALOG = "#jp-main-statusbar", ".jp-Dialog"
# Slurm's limit is what it was changed to.
_TIME_WAS_UP = re.compile(r"time limit of \d+m was up\.")
_MINUTES = {"profile": "jupyterlab", "site": "lugano", "time": "10m"}


def _says_where(page: Page) -> None:
    expect(page.locator(_BAR)).to_contain_text(re.compile(r"Lugano · lugano-n\d"))
    expect(page).to_have_title("south · Lugano")


@pytest.mark.long
def test_the_end_of_a_job_is_told_with_its_reason_and_it_starts_again(lab: Lab, alice: Person) -> None:
    alice.start(_MINUTES, "south")
    with browser(lab) as page:
        log_in(page, "alice")
        page.goto("/user/alice/south/lab")
        _says_where(page)
        expect(page.locator(_BAR)).to_contain_text(re.compile(r"\b\d+ min left"))
        (job,) = [job for job in jobs_of(lab, "alice", "lugano") if "RUNNING" in job]
        let_its_time_be_up(lab, job.split()[0], "lugano")
        dialog = page.locator(_DIALOG)
        expect(dialog).to_contain_text("Your server south at Lugano ended at")
        expect(dialog).to_contain_text(_TIME_WAS_UP)
        expect(page.locator(_BAR)).to_contain_text("This server has ended")
        for address in ("/hub/home", "/user/alice/south/lab"):
            assert _TIME_WAS_UP.search(alice.http.get(address, headers={"accept": "text/html"}).text)
        dialog.locator("button", has_text="Start again").click()
        page.wait_for_url("**/hub/spawn/alice/south?**")
        assert page.input_value("[name=time]") == "10m"
        page.click("form [type=submit]")
        page.wait_for_url("**/user/alice/south/lab**")
        _says_where(page)


def test_an_older_jupyterlab_is_left_alone(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "old", "site": "lugano"}, "south")
    with browser(lab) as page:
        log_in(page, "alice")
        page.goto("/user/alice/south/lab")
        page.wait_for_selector(".jp-Launcher")
        expect(page.locator(_BAR)).not_to_contain_text("lugano-n")
        expect(page).to_have_title(re.compile("^JupyterLab"))
