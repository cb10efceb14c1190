"""The pictures of the pages of batch jobs, in a lab in which nobody has sent any."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from lab import Lab
from tests.lab.jobs.sender import Sender, sender
from tests.lab.look import closed, logged_in
from tests.lab.pictures import page_of, take

_JOBS = "/services/jobs/"
_PROJECTS = (
    ("geneva", "embryos", "Embryo atlas", 360_000, 72_000),
    ("lugano", "proj3", "Thalamus", 36_000, 18_000),
)
_SCRIPT = b"""\
for slice in 1 2 3 4; do echo "slice $slice of 8 is aligned, 0.$((slice * 7 % 10)) px"; done
until [ -e go ]; do sleep 1; done
"""


def take_all(lab: Lab) -> None:
    """Take them as alice, who has logged in, and as ruth."""
    with _open_projects(lab), sender(lab, "alice") as alice, closed(lab, "lugano", "normal"):
        with page_of(lab, "alice") as page:
            _new(page)
            _array(page)
            running = _some_jobs(alice)
            page.goto(_JOBS)
            expect(page.locator("[data-stage=QUEUED]")).to_be_visible()
            take(page, "jobs", everywhere=True)
            _job(page, running)
            page.goto(f"{_JOBS}projects")
            take(page, "jobs-projects")
        with page_of(lab, "ruth") as page:
            page.goto(f"{_JOBS}admin")
            take(page, "jobs-admin")


@contextmanager
def _open_projects(lab: Lab) -> Iterator[None]:
    with logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth:
        for system, name, title, whole, own in _PROJECTS:
            project = {"system": system, "name": name, "title": title, "init_time": whole, "user_time": own}
            ruth.http.post("/v1/admin/projects", json={**project, "is_open": True}).raise_for_status()
        yield


def _new(page: Page) -> None:
    """Take the ways to a new job: the types, the datasets of one, its form with a look at what it would cost."""
    page.goto(f"{_JOBS}new")
    page.wait_for_load_state("networkidle")
    take(page, "jobs-types")
    page.get_by_role("link", name="Choose Count spots").click()
    page.fill("#q", "Embryo")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Choose all that are found").click()
    page.fill("#q", "")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#found")).to_contain_text("Empty slide")
    take(page, "jobs-datasets")
    page.get_by_role("button", name="Go on").click()
    page.fill("#title", "Spots of the new embryos")
    page.get_by_label("One array").check()
    page.select_option("#site", "geneva")
    page.select_option("#project", "embryos")
    page.fill("#time", "10m")
    page.get_by_label("Second channel too").select_option(label="Yes")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.locator("#preview")).to_contain_text("Nothing is sent yet.")
    take(page, "jobs-form")


def _array(page: Page) -> None:
    """Send the form, and take the page of what it makes."""
    page.get_by_role("button", name="Send the job").click()
    page.wait_for_url("**/services/jobs/jobs/*")
    expect(page.locator("#tasks [data-stage=SUCCESSFUL]")).to_have_count(3)
    expect(page.locator("#job-stage")).to_have_text("Done")
    take(page, "jobs-array")


def _some_jobs(alice: Sender) -> str:
    """Send a job that fails, one that waits, and one that goes on; return the id of the last."""
    failing = {"type": "command", "system": "geneva", "project": "embryos"}
    bad = alice.submit(**failing, title="Check the masks", command="echo 'no mask for slice 3' >&2; exit 3")
    alice.wait(bad["job_id"], "FAILED")
    waiting = {"type": "recon", "system": "lugano", "project": "proj3", "choices": {"time": "2h"}}
    alice.wait(alice.submit(**waiting, title="Whole brain, 40 slices")["job_id"], "QUEUED")
    wanted = {"type": "command", "system": "geneva", "project": "embryos", "choices": {"time": "1h", "cores": 2}}
    job = alice.submit(
        **wanted, title="Align the scans", command="sh align.sh", inputs=["align.sh"], start="when-complete"
    )
    alice.http.put(f"/v1/jobs/{job['job_id']}/files/align.sh", content=_SCRIPT).raise_for_status()
    alice.wait(job["job_id"], "RUNNING")
    return str(job["job_id"])


def _job(page: Page, job_id: str) -> None:
    page.goto(f"{_JOBS}jobs/{job_id}")
    page.get_by_role("button", name="Follow it here").click()
    expect(page.locator("#log")).to_contain_text("slice 4 of 8")
    take(page, "jobs-job", everywhere=True)
