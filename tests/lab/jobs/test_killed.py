"""The service, or the hub, is killed in the middle of something: nothing is lost, nothing half, nothing twice."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from lab import Lab
from lab.folders import HUB_PYTHON
from lab.hosts import PATIENCE_SECONDS
from lab.quirks import Hold, held
from tests.lab.faults import broken, wait_for_hub
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import again, counted, half_sent, in_slurm, parts, ran, was_in_doubt

pytestmark = pytest.mark.xdist_group("batch jobs run")

DATABASE = "/var/lib/jupyterhub-jobs/jobs.sqlite"
CONTENT = bytes(range(256)) * 4096
_LOCK = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("begin immediate")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(lab: Lab) -> Iterator[None]:
    """Let nobody else write into the service's database for the length of a block."""
    command = lab.command("hub", ["/usr/bin/python3", "-c", _LOCK, DATABASE], "jupyterhub")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout
        assert locker.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            locker.communicate()


def test_a_job_that_a_killed_service_had_not_written_down_never_was(lab: Lab, alice: Sender) -> None:
    fields, runs = counted()
    request: dict[str, Any] = {
        "json": {**fields, "title": "never written"},
        "headers": {"Idempotency-Key": runs},
    }
    is_sent = threading.Event()

    def note(what: str, _: object) -> None:
        if what == "http11.send_request_body.complete":
            is_sent.set()

    def post() -> int:
        return alice.http.post("/v1/jobs", **request, extensions={"trace": note}).status_code

    with ThreadPoolExecutor(1) as pool, locked(lab):
        answer = pool.submit(post)
        assert is_sent.wait(PATIENCE_SECONDS)
        # Behind it comes another request, which waits for nobody who writes.
        assert alice.http.get("/v1/jobs").status_code == 200
        assert not answer.done()
        lab.fault("kill", "hub", "jobs")
        assert answer.result() == 503
    again(lab, alice)
    assert "never written" not in alice.http.get("/v1/jobs").raise_for_status().text
    repeated = alice.http.post("/v1/jobs", **request)
    assert repeated.status_code == 201
    alice.wait(repeated.json()["job_id"], "SUCCESSFUL")
    assert ran(lab, runs) == 1


def test_what_a_killed_service_was_about_is_settled_by_the_next_one(lab: Lab, alice: Sender) -> None:
    """A job is being sent, Slurm has one whose answer has not come, and of a third one an input comes."""
    (sent, sent_runs), (taken, taken_runs) = counted(), counted(at="lugano")
    wants = {"type": "command", "system": "geneva", "command": "wc -c <data", "inputs": ["data"], "start": "later"}
    new = alice.submit(**wants)
    with (
        held(lab, "geneva-login1", "sbatch", Hold.BEFORE) as here,
        held(lab, "geneva-login2", "sbatch", Hold.BEFORE) as there,
        held(lab, "lugano-login", "sbatch", Hold.AFTER) as reached,
    ):
        with half_sent(lab, alice, new, "data", CONTENT) as upload:
            first, second = alice.submit(**sent)["job_id"], alice.submit(**taken)["job_id"]
            lab.wait("both are being sent", lambda: here() + there() == reached() == 1)
            lab.fault("kill", "hub", "jobs")
            assert upload.go_on() != 201
        again(lab, alice)
        alice.wait(second, "SUCCESSFUL")
        lab.wait("the other one is in doubt", lambda: was_in_doubt(alice, first))
        assert alice.job(first)["stage"] == "READY"
    alice.wait(first, "SUCCESSFUL")
    assert was_in_doubt(alice, second)
    assert [ran(lab, sent_runs), ran(lab, taken_runs, "lugano")] == [1, 1]
    assert [in_slurm(lab, first), in_slurm(lab, second, "lugano")] == [["COMPLETED"], ["COMPLETED"]]

    lab.wait("nothing is left of half a file", lambda: not parts(lab, new))
    assert alice.job(new["job_id"])["stage"] == "NEW"
    assert alice.http.get(f"/v1/jobs/{new['job_id']}/files").raise_for_status().json()["items"] == []
    alice.http.put(f"/v1/jobs/{new['job_id']}/files/data", content=CONTENT).raise_for_status()
    alice.http.post(f"/v1/jobs/{new['job_id']}/start").raise_for_status()
    alice.wait(new["job_id"], "SUCCESSFUL")
    assert alice.file(new["job_id"], "stdout") == b"%d\n" % len(CONTENT)


def test_jobs_files_and_logs_go_on_while_the_hub_is_away(lab: Lab, alice: Sender) -> None:
    command = "echo before; until [ -e go ]; do sleep 0.1; done; echo after"
    job = alice.submit(type="command", system="geneva", command=command)
    job_id = job["job_id"]
    alice.wait(job_id, "RUNNING")
    followed = alice.http.stream("GET", f"/v1/jobs/{job_id}/log", params={"follow": True})
    with sender(lab, "alice") as newcomer, followed as log, half_sent(lab, alice, job, "go", CONTENT) as upload:
        lines = log.iter_lines()
        assert next(lines) == "before"
        with broken(lab, ("kill", "hub", "jupyterhub")):
            refused = newcomer.http.get("/v1/")
            assert (refused.status_code, refused.json()["code"]) == (503, "hub_unavailable")
            assert upload.go_on() == 201
            assert next(lines) == "after"
            alice.wait(job_id, "SUCCESSFUL")
            assert list(lines) == []
            sent = alice.submit(**counted()[0])["job_id"]
            alice.wait(sent, "SUCCESSFUL")
        wait_for_hub(lab)
        lab.wait("the new token is good", lambda: newcomer.http.get("/v1/").status_code == 200)
    assert alice.file(job_id, "go") == CONTENT


def test_a_second_service_does_not_start_beside_the_first(lab: Lab, alice: Sender) -> None:
    job_id = alice.submit(**counted(3)[0])["job_id"]
    own = "/run/jupyterhub-jobs-second"
    lab.run("hub", ["install", "-d", "-m", "700", "-o", "jupyterhub", own])
    try:
        for folder, says in (
            ("/run/jupyterhub-jobs", "Another jupyterhub-jobs uses"),
            (own, "Another service uses the database"),
        ):
            serve = [str(HUB_PYTHON.with_name("jupyterhub-jobs")), "serve", "--run-folder", folder]
            second = lab.run(
                "hub",
                ["timeout", f"{PATIENCE_SECONDS}", *serve, "--listen", "127.0.0.1:8099"],
                "jupyterhub",
                check=False,
            )
            assert second.returncode == 1
            assert says in second.stderr
    finally:
        lab.run("hub", ["rm", "-r", own])
    alice.wait(job_id, "SUCCESSFUL")
