"""Jobs at the gateways of the old service, sent by its paths: UNICORE as `pizdaint`, NSG with a tool."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab import Lab, stand_ins
from lab.plan import GATEWAYS
from tests.lab.faults import broken, broken_gateway
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.test_straight_path import FIELDS
from tests.lab.look import logged_in

pytestmark = pytest.mark.xdist_group("batch jobs")

SYSTEMS = ("pizdaint", "nsg")
_KEYS = {"pizdaint": "alps", "nsg": "nsg"}
_PROJECTS = {"pizdaint": "bsp_pizdaint_01", "nsg": "bsp_nsg_01"}
_WHAT: dict[str, dict[str, str]] = {
    "pizdaint": {"command": "unzip job.zip; sh run.sh"},
    "nsg": {"tool": "PY_EXPANSE"},
}
_SLEEPS = {"pizdaint": 87_001, "nsg": 87_002}
"""Seconds by which the programs of two jobs are told from all others."""

_STDOUT = {"pizdaint": "stdout", "nsg": "STDOUT"}


@pytest.fixture(scope="module")
def heidi(lab: Lab) -> Iterator[Sender]:
    """Give heidi, whose projects are those of the old service; they have 20 hours each."""
    with logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth:
        for hpc, name in _PROJECTS.items():
            whole = {"hpc": hpc, "name": name, "init_time": 72_000, "user_time": 72_000}
            ruth.http.post("/admin/projects/", json=whole).raise_for_status()
            ruth.http.put(f"/v1/admin/members/{_KEYS[hpc]}/{name}/user/heidi").raise_for_status()
        with logged_in(lab, "heidi"), sender(lab, "heidi") as heidi:
            yield heidi
        for hpc, name in _PROJECTS.items():
            ruth.http.delete(f"/admin/projects/{hpc}/{name}/").raise_for_status()


def _zip(line: str) -> bytes:
    """Return what runs a line of shell at either of them."""
    python = f"import subprocess, sys\nsys.exit(subprocess.call(['sh', '-c', {line!r}]))\n"
    return Sender.zip({"run.sh": f"{line}\n", "run.py": python})


def _sent(heidi: Sender, system: str, line: str) -> dict[str, Any]:
    payload = {**_WHAT[system], "node_number": "1", "core_number": "2", "runtime": "0.5", "title": "a job title"}
    return heidi.send_zip(f"{system}/{_PROJECTS[system]}/", payload, _zip(line))


def _left(heidi: Sender, system: str) -> int:
    quota = heidi.http.get(f"/quotas/{system}/{_PROJECTS[system]}/").raise_for_status().json()
    return int(quota["time_left"])


def test_jobs_by_the_old_paths_run_and_their_results_come_back(heidi: Sender) -> None:
    jobs = {system: _sent(heidi, system, f"echo at {system}; sleep 2") for system in SYSTEMS}
    for system, job in jobs.items():
        place = f"{system}/{_PROJECTS[system]}/{job['job_id']}/"
        assert set(job) == FIELDS
        assert (job["owner"], job["project_hpc"], job["runtime"]) == ("heidi", system.upper(), 0.5)
        done = heidi.wait(job["job_id"], "SUCCESSFUL")
        assert (done["exit_code"], done["failed"], done["stale"]) == (0, False, False)
        assert heidi.http.get(f"/jobs/{place}").json()["stage"] == "SUCCESSFUL"
        files = {each["filename"]: each for each in heidi.http.get(f"/files/{place}").raise_for_status().json()}
        result = files[_STDOUT[system]]
        assert (
            heidi.http.get(f"/files/{place}{result['fileid']}/").content.splitlines()[-1]
            == f"at {system}".encode()
        )
        log = heidi.http.get(f"/v1/jobs/{job['job_id']}/log", params={"tail": 1})
        assert log.text == f"at {system}\n"
        # What it held is given back but for what it used.
        assert 72_000 - 1800 < _left(heidi, system) < 72_000
        removed = heidi.http.delete(f"/jobs/{place}")
        assert (removed.status_code, removed.json()["stage"]) == (200, "DELETED")


def test_jobs_are_cancelled_and_end_there(lab: Lab, heidi: Sender) -> None:
    jobs = {system: _sent(heidi, system, f"exec sleep {number}") for system, number in _SLEEPS.items()}
    lab.wait("both jobs run", lambda: all(_runs(lab, number) for number in _SLEEPS.values()))
    for system, job in jobs.items():
        answer = heidi.http.delete(f"/jobs/{system}/{_PROJECTS[system]}/{job['job_id']}/")
        assert (answer.status_code, answer.json()["terminal_stage"]) == (202, False)
    for job in jobs.values():
        assert heidi.wait(job["job_id"], "CANCELED")["failed"] is False
    lab.wait("neither job runs", lambda: not any(_runs(lab, number) for number in _SLEEPS.values()))


def _runs(lab: Lab, number: int) -> bool:
    return lab.run(GATEWAYS.name, ["pgrep", "-f", f"sleep {number}"], check=False).returncode == 0


def test_an_outage_and_whoever_answers_meanwhile_cost_no_job(lab: Lab, heidi: Sender) -> None:
    jobs = {
        system: _sent(heidi, system, "until [ -e /tmp/go ]; do sleep 0.2; done; echo over") for system in SYSTEMS
    }
    for job in jobs.values():
        heidi.wait(job["job_id"], "QUEUED", "RUNNING")
    with broken(lab, ("cut", GATEWAYS.name)):
        _are_stale(lab, heidi, jobs)
        lab.run(GATEWAYS.name, ["touch", "/tmp/go"])
    strange = {"certificate": stand_ins.STRANGE_CERTIFICATE}
    with broken_gateway(lab, "unicore", **strange), broken_gateway(lab, "nsg", **strange):
        # A connection that was open before would still be to the right one.
        _are_stale(lab, heidi, jobs)
    for job in jobs.values():
        assert heidi.wait(job["job_id"], "SUCCESSFUL")["exit_code"] == 0


def _are_stale(lab: Lab, heidi: Sender, jobs: dict[str, dict[str, Any]]) -> None:
    def all_are() -> bool:
        return all(heidi.job(job["job_id"])["stale"] for job in jobs.values())

    lab.wait("it is known that the gateways cannot be asked", all_are)
