"""Batch jobs in a browser, in front of the lab's hub: sent by a form, seen to run, read, sent again."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from tests.lab.browser import browser, open_page, without_scripts

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

_JOBS = "/services/jobs/"


def test_alice_sends_a_job_by_its_form_and_has_its_result(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("all is well\n")
    with browser(lab) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        open_page(page, "alice", _JOBS)
        page.goto("/hub/home")
        page.get_by_role("button", name="Services").click()
        page.get_by_role("link", name="jobs", exact=True).click()
        page.get_by_role("link", name="New job").first.click()
        page.get_by_role("link", name="Choose Command").click()
        page.fill("#title", "by a form")
        page.fill(
            "#command", "echo begun; until [ -e go ]; do sleep 0.2; done; tr a-z A-Z <in.txt >out.txt; echo over"
        )
        page.select_option("#site", "geneva")
        page.fill("#time", "10m")
        page.get_by_role("button", name="Look at it first").click()
        expect(page.locator("#preview")).to_contain_text("Nothing is sent yet.")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="Send the job").click()
        page.wait_for_url("**/services/jobs/jobs/*")
        job_id = page.url.rpartition("/")[2]
        # The page is not loaded again.
        expect(page.locator("#job-stage")).to_have_text("Runs")
        page.get_by_role("button", name="Follow it here").click()
        expect(page.locator("#log")).to_contain_text("begun")
        lab.run("geneva-login2", ["touch", f"/scratch/alice/jobs/{job_id}/go"], user="alice")
        expect(page.locator("#log")).to_contain_text("over")
        expect(page.locator("#job-stage")).to_have_text("Done")
        page.get_by_role("link", name="Files", exact=True).click()
        with page.expect_download() as had:
            page.get_by_role("link", name="out.txt").click()
        assert Path(had.value.path()).read_text() == "ALL IS WELL\n"
        page.goto(f"{_JOBS}jobs/{job_id}")
        page.get_by_role("button", name="Send again").click()
        page.wait_for_url(lambda url: "/jobs/jobs/" in url and job_id not in url)
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#job-stage")).to_have_text("Cancelled")
        assert said == []
        _ivan_finds_nothing(lab, page, job_id)


def _ivan_finds_nothing(lab: Lab, page: Page, job_id: str) -> None:
    """Open alice's bookmark as somebody else, without scripts."""
    plain = without_scripts(page, lab)
    open_page(plain, "ivan", f"{_JOBS}jobs/{job_id}")
    expect(plain.locator("main")).to_contain_text(re.compile(f"no job {job_id}"))


def test_bob_without_a_project_reads_why_not(lab: Lab) -> None:
    with browser(lab) as page:
        open_page(page, "bob", f"{_JOBS}new")
        expect(page.locator("#types section", has_text="Command").first).to_contain_text(
            re.compile("Lugano: you have no project there")
        )
        page.get_by_role("link", name="Choose Command").click()
        expect(page.locator("#site option[value=lugano]")).to_be_disabled()
        expect(page.locator("#closed")).to_contain_text("you have no project there")
