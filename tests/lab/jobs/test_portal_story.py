"""Somebody who has never seen a shell: three scans and a type of the portal, by pages alone, to the results."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from lab import Lab
from tests.lab.browser import browser, open_page
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import go
from tests.lab.look import FRONT_END, logged_in
from tests.lab.test_catalogue_edits import edited

pytestmark = pytest.mark.xdist_group("batch jobs")

_JOBS = "/services/jobs/"
_PROGRAM = "/scratch/alice/slices"
_XML = "/etc/jupyterhub/job_types/slices.xml"
_TYPE = f"""\
<jobType acceptsDatasets="true">
  <name>Slices</name>
  <executable>{_PROGRAM}</executable>
  <type>batch</type>
  <multiple>false</multiple>
  <datasetTypes>scan</datasetTypes>
  <jobOptions>
    <name>Quality</name>
    <type>integer</type>
    <programParameter>--quality</programParameter>
    <defaultValue>5</defaultValue>
    <minValue>1</minValue>
    <maxValue>10</maxValue>
  </jobOptions>
  <jobOptions>
    <name>Second channel</name>
    <type>boolean</type>
    <programParameter>--second</programParameter>
    <condition>channels &gt; 1</condition>
  </jobOptions>
</jobType>
"""
_SHELL = """\
#!/bin/sh
echo "begun: $*"
until [ -e go ]; do sleep 0.2; done
echo "over: $*" | tee "result.$JOB_TASK"
"""


@pytest.fixture
def portal(lab: Lab, alice: Sender) -> Iterator[Sender]:
    """Have a type of the portal's, four scans of which three have two channels, and a project with a quota."""
    scans = [
        {
            "id": f"s{at}",
            "name": f"Scan {at}",
            "type": "scan",
            "location": f"/x/{at}",
            "parameters": {"channels": count},
        }
        for at, count in enumerate((2, 2, 3, 1))
    ]

    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        tree["datasets"]["scans"] = {"list": scans}
        return yaml.safe_dump(tree, sort_keys=False)

    lab.run(
        FRONT_END["geneva"], ["sh", "-c", f"cat >{_PROGRAM} && chmod +x {_PROGRAM}"], user="alice", input=_SHELL
    )
    lab.run("hub", ["sh", "-c", f"cat >{_XML}"], input=_TYPE)
    with edited(lab, edit), logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth:
        lab.wait("the type is known", lambda: alice.http.get("/v1/types/slices").status_code == 200)
        new = {"system": "geneva", "name": "scans", "is_open": True, "init_time": 36_000, "user_time": 36_000}
        ruth.http.post("/v1/admin/projects", json=new).raise_for_status()
        yield alice
        ruth.http.delete("/v1/admin/projects/geneva/scans").raise_for_status()
    lab.run("hub", ["rm", _XML])


def test_alice_has_three_scans_worked_on_by_one_form(lab: Lab, portal: Sender) -> None:
    with browser(lab) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        open_page(page, "alice", f"{_JOBS}new")
        page.get_by_role("link", name="Choose Slices").click()
        _chooses_scans(page)
        array = _sends(page)
        (first, *_) = _tasks(page)
        _follows(lab, portal, page, array)
        _has_the_result(page, array, first)
        page.goto(f"{_JOBS}jobs/{array}")
        page.get_by_role("button", name="Send again").click()
        page.wait_for_url(lambda url: "/jobs/jobs/" in url and array not in url)
        again = page.url.rpartition("/")[2]
        go(lab, portal.job(again))
        expect(page.locator("#job-stage")).to_have_text("Done")
        expect(page.locator("#task-counts")).to_have_text("Done: 3")
        assert said == []


def _chooses_scans(page: Page) -> None:
    page.get_by_role("button", name="Choose all that are found").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Quality", exact=True)).to_be_visible()
    # Of the fourth it does not hold.
    expect(page.get_by_label("Second channel")).to_have_count(0)
    page.get_by_role("button", name="Choose datasets").click()
    page.locator("#chosen").get_by_label("Scan 3").uncheck()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#datasets")).to_contain_text("3 datasets are chosen")


def _sends(page: Page) -> str:
    """Send the form; return the id of the array."""
    page.fill("#title", "three scans")
    page.get_by_label("One array").check()
    page.select_option("#site", "geneva")
    page.select_option("#project", "scans")
    page.fill("#time", "10m")
    page.get_by_label("Second channel").select_option(label="Yes")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.locator("#preview")).to_contain_text(
        "10 min each, 30 min in all, of 10 h that you have left in scans."
    )
    page.get_by_role("button", name="Send the job").click()
    page.wait_for_url("**/services/jobs/jobs/*")
    return page.url.rpartition("/")[2]


def _tasks(page: Page) -> list[str]:
    """Return the ids of the tasks, all of which run."""
    expect(page.locator("#tasks [data-stage=RUNNING]")).to_have_count(3)
    found = page.locator("#tasks tr[data-job]")
    return [str(found.nth(at).get_attribute("data-job")) for at in range(3)]


def _follows(lab: Lab, portal: Sender, page: Page, array: str) -> None:
    """Follow the log of the second task from before its end to that."""
    page.get_by_role("link", name="Scan 1", exact=True).click()
    page.get_by_role("button", name="Follow it here").click()
    expect(page.locator("#log")).to_contain_text("begun: --datasetIds=scans:s1 --quality 5 --second")
    go(lab, portal.job(array))
    expect(page.locator("#log")).to_contain_text("over: --datasetIds=scans:s1 --quality 5 --second")
    expect(page.locator("#follow-said")).to_have_text("That is all.")
    page.get_by_role("link", name="Task 1 of this array").click()
    expect(page.locator("#job-stage")).to_have_text("Done")
    expect(page.locator("#tasks [data-stage=SUCCESSFUL]")).to_have_count(3)


def _has_the_result(page: Page, array: str, first: str) -> None:
    page.get_by_role("link", name="Files", exact=True).click()
    with page.expect_download() as had:
        page.get_by_role("link", name="result.2").click()
    assert Path(had.value.path()).read_text() == "over: --datasetIds=scans:s2 --quality 5 --second\n"
    # In the list they are one row.
    page.goto(_JOBS)
    expect(page.locator(f"[data-job='{array}']")).to_contain_text("3 tasks")
    expect(page.locator(f"[data-job='{first}']")).to_have_count(0)
