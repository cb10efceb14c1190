"""Many datasets as one array at real sites: each task has its own end and charge, whatever befalls others."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import Lab
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import again, go
from tests.lab.look import FRONT_END, logged_in
from tests.lab.test_catalogue_edits import edited

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

COUNT = 40
FAILS, RUNS, WAITS, LAST = 3, 5, COUNT - 2, COUNT - 1
"""Tasks: the one that fails; one that is cancelled while it runs, and one while it waits; the last of them."""

_HAS = 1_000_000
_PROGRAM = f"""\
echo $SLURM_ARRAY_JOB_ID >>ran.$JOB_TASK
until [ -e go ]; do sleep 0.2; done
echo "works on $1"
case $1 in */cell{FAILS}) exit 7 ;; esac
"""


@pytest.fixture(scope="module")
def cells(lab: Lab, alice: Sender) -> Iterator[list[str]]:
    """Have a type that runs on each of these datasets."""
    listed = [
        {"id": f"c{at}", "name": f"cell {at}", "type": "cell", "location": f"/x/cell{at}"} for at in range(COUNT)
    ]

    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        tree["datasets"]["cells"] = {"list": listed}
        tree["job_types"]["cells"] = {
            "name": "Cells",
            "run": ["/bin/sh", "-c", _PROGRAM, "sh", "{dataset}"],
            "datasets": {"types": ["cell"], "modes": ["array"]},
            "resources": {"memory": {"default": "50M", "max": "1G"}, "time": {"default": "30m", "max": "1h"}},
        }
        return yaml.safe_dump(tree, sort_keys=False)

    def is_known() -> bool:
        return alice.http.get("/v1/types/cells").status_code == 200

    with edited(lab, edit):
        lab.wait("the type is known", is_known)
        yield [f"cells:c{at}" for at in range(COUNT)]


@pytest.fixture
def project(lab: Lab) -> Iterator[tuple[Sender, str]]:
    """Have a project at lugano that everybody may use; give an admin, and its path."""
    with logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth:
        new = {"system": "lugano", "name": "cells", "charge": "wall", "is_open": True, "account": "proj3"}
        answer = ruth.http.post("/v1/admin/projects", json={**new, "init_time": _HAS, "user_time": _HAS})
        assert answer.status_code == 201, answer.text
        yield ruth, "/v1/admin/projects/lugano/cells"
        ruth.http.delete("/v1/admin/projects/lugano/cells").raise_for_status()


def _send(
    alice: Sender, site: str, datasets: list[str], **more: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Send them as an array; return it and its tasks."""
    sent = alice.submit(type="cells", system=site, mode="array", datasets=datasets, **more)
    (array,) = sent["jobs"]
    assert (sent["errors"], array["kind"]) == ([], "array")
    return array, _tasks(alice, array)


def _tasks(alice: Sender, array: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {"parent": array["job_id"], "limit": str(COUNT)}
    found = alice.http.get("/v1/jobs", params=asked).raise_for_status().json()["items"]
    assert len(found) == len({each["task"] for each in found})
    return sorted(found, key=lambda each: int(each["task"]))


def _cancel(alice: Sender, job: dict[str, Any]) -> None:
    alice.http.post(f"/v1/jobs/{job['job_id']}/cancel").raise_for_status()


def test_each_task_has_its_own_end_and_charge(
    lab: Lab, alice: Sender, cells: list[str], project: tuple[Sender, str]
) -> None:
    ruth, path = project
    array, tasks = _send(alice, "lugano", cells, project="cells")
    number = alice.wait(array["job_id"], "RUNNING")["native_id"]
    alice.wait(tasks[RUNS]["job_id"], "RUNNING")
    # There is room for 32 at once.
    alice.wait(tasks[WAITS]["job_id"], "QUEUED")
    for at in (RUNS, WAITS):
        _cancel(alice, tasks[at])
        alice.wait(tasks[at]["job_id"], "CANCELED")
    assert alice.wait(tasks[LAST]["job_id"], "QUEUED")["native_id"] == f"{number}_{LAST}"
    assert alice.wait(tasks[0]["job_id"], "RUNNING")["native_id"] == f"{number}_0"
    lab.fault("kill", "hub", "jobs")
    go(lab, array)
    again(lab, alice)
    done = alice.wait(array["job_id"], "FAILED")
    assert done["native_id"] == number
    assert f"{COUNT - 3} were successful, 1 failed, 2 were cancelled" in done["reason"]
    tasks = _tasks(alice, array)
    wanted = {FAILS: "FAILED", RUNS: "CANCELED", WAITS: "CANCELED"}
    assert {at: each["stage"] for at, each in enumerate(tasks) if each["stage"] != "SUCCESSFUL"} == wanted
    assert (tasks[FAILS]["exit_code"], tasks[0]["exit_code"]) == (7, 0)
    assert {each["reason"] for each in tasks if each["stage"] == "CANCELED"} == {"The job was cancelled."}
    log = alice.http.get(f"/v1/jobs/{tasks[7]['job_id']}/log").raise_for_status()
    assert log.text == "works on /x/cell7\n"
    asked = ["sh", "-c", f"cd {array['folder']} && tail -n +1 ran.*"]
    said = lab.run(FRONT_END["lugano"], asked, user="alice").stdout
    assert said.split().count(number) == COUNT - 1
    _balances(lab, ruth, path, number, tasks)


def _balances(lab: Lab, ruth: Sender, path: str, number: str, tasks: list[dict[str, Any]]) -> None:
    """See that what was charged is what the accounting has of each task."""
    asked = ["sacct", "-n", "-P", "-X", "-j", number, "-o", "JobID,ElapsedRaw"]
    said = (line.split("|") for line in lab.run("lugano-ctl", asked).stdout.splitlines())
    seconds = {native_id: int(elapsed) for native_id, elapsed in said}
    entries = ruth.http.get(f"{path}/ledger", params={"limit": "200"}).raise_for_status().json()["items"]
    of_jobs = [each for each in entries if each["job_id"]]
    charged = {each["job_id"]: -each["seconds"] for each in of_jobs if each["kind"] == "charge"}
    # What has not run for a whole second costs nothing.
    ran = {each["job_id"]: seconds.get(each["native_id"], 0) for each in tasks}
    assert charged == {job_id: used for job_id, used in ran.items() if used}
    assert tasks[WAITS]["job_id"] not in charged
    assert sum(each["seconds"] for each in of_jobs if each["kind"] != "charge") == 0
    has = ruth.http.get(path).raise_for_status().json()["time_left"]
    assert has == _HAS - sum(seconds.values())


def test_all_are_cancelled_with_the_array(lab: Lab, alice: Sender, cells: list[str]) -> None:
    array, tasks = _send(alice, "geneva", cells)
    alice.wait(tasks[0]["job_id"], "RUNNING")
    alice.wait(tasks[LAST]["job_id"], "QUEUED")
    _cancel(alice, array)
    assert alice.wait(array["job_id"], "CANCELED")["reason"]
    assert {each["reason"] for each in _tasks(alice, array)} == {"The job was cancelled."}
    listed = lab.run(FRONT_END["geneva"], ["squeue", "-h", "-o", "%j"]).stdout
    assert array["job_id"] not in listed


def test_what_is_cancelled_at_the_site_before_it_began_is_so(lab: Lab, alice: Sender, cells: list[str]) -> None:
    array, tasks = _send(alice, "geneva", cells)
    alice.wait(tasks[0]["job_id"], "RUNNING")
    waits = alice.wait(tasks[LAST]["job_id"], "QUEUED")
    lab.run(FRONT_END["geneva"], ["scancel", waits["native_id"]], user="alice")
    assert "at the site" in alice.wait(waits["job_id"], "CANCELED")["reason"]
    go(lab, array)
    alice.wait(array["job_id"], "FAILED")
    stages = [each["stage"] for each in _tasks(alice, array)]
    assert (stages.count("CANCELED"), stages[FAILS], stages.count("SUCCESSFUL")) == (1, "FAILED", COUNT - 2)
