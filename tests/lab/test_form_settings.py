"""What somebody keeps of the options form, and the job script that it shows, against what Slurm gets."""

import re

from playwright.sync_api import expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in, pick
from tests.lab.look import FRONT_END, jobs_of


def _script_of_the_job(lab: Lab, job: str) -> str:
    """Return what Slurm keeps as the script of a job."""
    ask = ["scontrol", "write", "batch_script", job, "-"]
    return lab.run(FRONT_END["geneva"], ask, user="alice").stdout


def test_settings_that_were_kept_start_the_job_whose_script_was_shown(lab: Lab, alice: Person) -> None:
    with browser(lab) as page:
        log_in(page, "alice")
        page.goto("/hub/spawn")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        pick(page, "profile", "neuro")
        pick(page, "site", "geneva")
        page.get_by_label("Memory", exact=True).fill("300")
        page.get_by_label("Unit").select_option("MB")
        page.get_by_text("Save these settings").click()
        page.get_by_label("Save as").fill("small one")
        page.get_by_label("Save as").press("Enter")
        expect(page.locator("#presets-said")).to_contain_text("Saved as small one.")
        page.get_by_role("link", name="small one").click()
        expect(page.locator("#launch-note")).to_contain_text("Filled in from your settings small one.")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        assert jobs_of(lab, "alice") == []
        page.get_by_text("Show the job script").click()
        expect(page.locator("#script-text")).to_contain_text("#SBATCH --mem=300M")
        shown = str(page.locator("#script-text").text_content())
        page.get_by_role("button", name="Remove: small one").click()
        expect(page.locator("#presets-said")).to_have_text("small one is removed.")
        page.click("#spawn_form [type=submit]")
        page.wait_for_url("**/user/alice/**")
    (job,) = jobs_of(lab, "alice")
    assert alice.model()["servers"][""]["user_options"]["memory"] == "300 MB"
    sent = _script_of_the_job(lab, job.split()[0])
    assert _normal(sent) == _normal(shown)


def _normal(script: str) -> list[str]:
    """Return the lines of a script, whatever the id of its launch is, and the order of its variables."""
    found = re.search(r"--job-name=jupyter-[a-z0-9_-]+-([0-9a-f]{12})", script)
    assert found
    return sorted(script.replace(found[1], "0" * 12).strip().splitlines())
