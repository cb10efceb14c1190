"""Interactive job types in the lab: a notebook on a node that knows the chosen datasets, by API and page."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import Lab
from lab.folders import TREE
from lab.hosts import PATIENCE_SECONDS
from lab.person import Person
from tests.lab.browser import browser
from tests.lab.jobs.sender import Sender, sender
from tests.lab.look import FRONT_END, jobs_of, logged_in

pytestmark = pytest.mark.xdist_group("batch jobs")

_NAMES = ("mouse 1", "mouse-2", "fly")
_LOOKS = """
import json, os, socket, subprocess
for each in json.load(open(os.environ["DATASETS"])):
    listed = subprocess.run(["ls", each["location"]], capture_output=True, text=True)
    print(each["id"], listed.returncode, listed.stdout.split())
print(socket.gethostname())
"""


@pytest.fixture
def scans(lab: Lab) -> Iterator[list[str]]:
    """Give the ids of alice's scans at geneva: folders with a file each."""
    folder = "/scratch/alice/scans"
    for name in _NAMES:
        lab.run(FRONT_END["geneva"], ["mkdir", "-p", f"{folder}/{name}"], user="alice")
        lab.run(FRONT_END["geneva"], ["touch", f"{folder}/{name}/slices"], user="alice")
    yield [f"scans:geneva/{name}" for name in _NAMES]
    lab.run(FRONT_END["geneva"], ["rm", "-rf", folder], user="alice")


@pytest.fixture
def starter(lab: Lab) -> Iterator[tuple[Person, Sender]]:
    """Give alice, who is logged in, with a token that may start servers; her named servers go."""
    with (
        logged_in(lab, "alice") as alice,
        sender(lab, "alice", "start:servers!user", "read:servers!user") as token,
    ):
        yield alice, token
        for name in [name for name in alice.model()["servers"] if name]:
            alice.remove(name)


def test_a_notebook_on_a_node_knows_the_chosen_datasets(
    lab: Lab, starter: tuple[Person, Sender], scans: list[str]
) -> None:
    alice, token = starter
    asked = {"type": "look", "datasets": scans[:2], "choices": {"time": "20m"}}
    # One request that comes twice starts one server.
    answers = [token.http.post("/v1/servers", json=asked, headers={"Idempotency-Key": "look"}) for _ in range(2)]
    for got in answers:
        assert got.status_code == 201, got.text
        assert got.json()["url"] == "/hub/spawn-pending/alice/look"
    lab.wait("the server is ready", lambda: alice.model()["servers"].get("look", {}).get("ready"))
    *listed, node = alice.run(_LOOKS, "look").splitlines()
    assert listed == [f"{scan} 0 ['slices']" for scan in scans[:2]]
    assert node.startswith("geneva-n")
    # A batch job of before may still be completing.
    assert len([job for job in jobs_of(lab, "alice") if "RUNNING jupyter-" in job]) == 1


def test_what_cannot_be_had_is_said_and_no_server_starts(
    lab: Lab, starter: tuple[Person, Sender], alice: Sender, scans: list[str]
) -> None:
    person, token = starter
    asked = {"type": "look", "datasets": scans[:1]}
    # Her other token is for batch jobs alone.
    got = alice.http.post("/v1/servers", json=asked)
    assert (got.status_code, got.json()["code"]) == (403, "scope_missing")
    got = token.http.post("/v1/servers", json={**asked, "datasets": [scans[0], "scans:geneva/gone"]})
    assert (got.status_code, got.json()["field"]) == (422, "datasets")
    got = token.http.post("/v1/jobs", json=asked)
    assert (got.status_code, got.json()["code"]) == (422, "interactive")
    assert [name for name in person.model()["servers"] if name] == []


def test_the_page_leads_to_the_server_that_starts(lab: Lab, starter: tuple[Person, Sender]) -> None:
    alice, _ = starter
    with browser(lab) as page:
        page.goto("/services/jobs/new?type=notebook")
        page.wait_for_url("**/hub/login**")
        page.fill("[name=username]", "alice")
        page.fill("[name=password]", "alice-pw")
        page.click("[type=submit]")
        page.wait_for_url("**/services/jobs/new**")
        expect(page.locator("#starts-server")).to_be_visible()
        page.select_option("#site", "geneva")
        page.get_by_role("button", name="Start the server").click()
        page.wait_for_url("**/user/alice/notebook/**")
        # The same once more leads to the same.
        page.goto("/services/jobs/new?type=notebook")
        page.select_option("#site", "geneva")
        page.get_by_role("button", name="Start the server").click()
        page.wait_for_url("**/user/alice/notebook/**")
    assert [name for name in alice.model()["servers"] if name] == ["notebook"]


def test_ijp_starts_a_server_and_passes_words_to_a_program(
    lab: Lab, starter: tuple[Person, Sender], scans: list[str], tmp_path: Path
) -> None:
    alice, _ = starter
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environ["PYTHONPATH"] = str(TREE / "job_client")

    def ijp(*words: str, typed: str = "") -> str:
        command = [sys.executable, "-c", "from hubjobs.cli.ijp import main; main()", *words]
        ran = subprocess.run(
            command,
            env=environ,
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    ijp("login", "--hub", lab.url, "db", "username", "alice", "password", "-", typed="alice-pw\n")
    assert {"look is interactive", "ingest is batch"} <= set(ijp("jobtype").splitlines())
    assert ijp("submit", "-d", scans[2], "look") == f"{lab.url}/hub/spawn-pending/alice/look\n"
    number = ijp("submit", "--on", "geneva", "ingest", "--slices", "2", "--out", "results").strip()
    assert re.fullmatch(r"[0-9]+\.127\.0\.0\.1", number)
    lab.wait("it is over", lambda: f"{number}, C" in ijp("status").splitlines())
    assert ijp("output", number).endswith("slice 2 of 2\n")
    ijp("delete", number)
    lab.wait("the server is ready", lambda: alice.model()["servers"].get("look", {}).get("ready"))
