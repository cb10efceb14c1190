"""Tickets end, people log out and in again: their jobs go on, and the API says what has to wait for a ticket."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import Lab
from tests.lab.jobs.by_hand import end_of_ticket, has_ticket, has_valid_ticket, no_ticket, someone, touch
from tests.lab.jobs.sender import Sender
from tests.lab.jobs.steps import UNTIL_GO, command, parts
from tests.lab.look import FRONT_END, closed, delivered, jobs_of, logged_in

pytestmark = pytest.mark.xdist_group("batch jobs of many")

EXPIRED = "Your Kerberos ticket has expired. Log in again."


def is_needed(theirs: Sender, method: str, path: str, **more: object) -> bool:
    """Return whether an answer is that a ticket is needed, in a sentence."""
    answer = theirs.http.request(method, path, **more)  # type: ignore[arg-type]
    problem = answer.json() if answer.status_code >= 400 else {}
    return (answer.status_code, problem.get("code"), problem.get("detail")) == (409, "ticket_needed", EXPIRED)


def test_jobs_wait_and_run_on_while_their_owner_has_no_ticket(lab: Lab) -> None:
    with someone(lab, "p21") as (_, p21), closed(lab, "geneva", "debug"):
        runs = [p21.submit(**command(UNTIL_GO, system)) for system in ("geneva", "lugano")]
        waits = p21.submit(**command("true"), choices={"partition": "debug"})
        awaits = p21.submit(**command("cat in.txt"), inputs=["in.txt"], start="when-complete")
        for job in runs:
            p21.wait(job["job_id"], "RUNNING")
        p21.wait(waits["job_id"], "QUEUED")
        with no_ticket(lab, "p21"):
            assert p21.http.get("/v1/").json()["ticket"] is None
            assert is_needed(p21, "POST", "/v1/jobs", json=command("true"))
            for job in (awaits, runs[0]):
                assert is_needed(p21, "PUT", f"/v1/jobs/{job['job_id']}/files/in.txt", content=b"all is well\n")
                assert parts(lab, job) == []
            for path in ("files", "files/stdout", "log", "archive.tar"):
                assert is_needed(p21, "GET", f"/v1/jobs/{runs[0]['job_id']}/{path}")
            assert is_needed(p21, "POST", f"/v1/jobs/{waits['job_id']}/hold")
            assert p21.job(awaits["job_id"])["stage"] == "NEW"
            # Geneva's monitor asks about all jobs; at lugano nobody else has one.
            for job in runs:
                touch(lab, job, "go")
            assert p21.wait(runs[0]["job_id"], "SUCCESSFUL")["stale"] is False
            lab.wait("it is said that it may be old", lambda: p21.job(runs[1]["job_id"])["stale"])
            assert p21.job(runs[1]["job_id"])["stage"] == "RUNNING"
            assert p21.http.post(f"/v1/jobs/{waits['job_id']}/cancel").status_code == 202
            owed = "will be cancelled as soon as Geneva can be told"
            lab.wait("the cancellation is owed", lambda: owed in p21.job(waits["job_id"])["reason"])
        p21.wait(waits["job_id"], "CANCELED")
        assert p21.wait(runs[1]["job_id"], "SUCCESSFUL")["stale"] is False
        p21.http.put(f"/v1/jobs/{awaits['job_id']}/files/in.txt", content=b"all is well\n").raise_for_status()
        p21.wait(awaits["job_id"], "SUCCESSFUL")
        assert p21.file(awaits["job_id"], "stdout") == b"all is well\n"


def test_a_file_comes_whole_though_the_ticket_ends_on_its_way(lab: Lab) -> None:
    is_over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"a" * 100_000
        is_over.wait()
        yield b"b" * 100_000

    with someone(lab, "p22") as (_, p22), ThreadPoolExecutor(1) as pool:
        job = p22.submit(**command("cat in.txt"), inputs=["in.txt"], start="when-complete")
        path = f"/v1/jobs/{job['job_id']}/files/in.txt"
        try:
            upload = pool.submit(p22.http.put, path, content=pieces())
            lab.wait("the file is on its way", lambda: bool(parts(lab, job)))
            with no_ticket(lab, "p22"):
                is_over.set()
                assert upload.result().status_code == 201
                # It has all that it waits for, but a ticket.
                awaited = "once you have a ticket again: log in to the hub"
                lab.wait("it waits for a ticket", lambda: awaited in p22.job(job["job_id"])["reason"])
                assert p22.job(job["job_id"])["stage"] in {"STAGINGIN", "READY"}
        finally:
            is_over.set()
        p22.wait(job["job_id"], "SUCCESSFUL")
        assert p22.file(job["job_id"], "stdout") == b"a" * 100_000 + b"b" * 100_000
        assert parts(lab, job) == []


# The first ticket is in the job from its beginning; the second one comes while it runs.
RENEWED = """\
ends() { klist | awk '/krbtgt/ {print $3, $4}'; }
ends >first; touch begun; until [ "$(ends)" != "$(cat first)" ]; do sleep 0.2; done
kvno nfs/storage.lab.test
"""


def test_a_new_login_brings_its_ticket_to_jobs_that_run(lab: Lab) -> None:
    with someone(lab, "p23") as (_, p23):
        jobs = [p23.submit(**command(RENEWED, system)) for system in ("geneva", "lugano")]
        for job in jobs:
            begun = ["test", "-e", f"{job['folder']}/begun"]
            there = FRONT_END[job["system"]]
            lab.wait("the job looks", lambda: not lab.run(there, begun, check=False).returncode)  # noqa: B023
        first = end_of_ticket(lab, "p23")

        def is_later() -> bool:
            # One that was given within the same second ends no later.
            with logged_in(lab, "p23"):
                return end_of_ticket(lab, "p23") > first

        lab.wait("a later ticket is there", is_later)
        for job in jobs:
            p23.wait(job["job_id"], "SUCCESSFUL")
            assert p23.file(job["job_id"], "stdout") == b"nfs/storage.lab.test@LAB.TEST: kvno = 1\n"
            assert delivered(lab, "p23", job["system"]) == []


@pytest.mark.long
def test_after_a_logout_the_ticket_stays_until_the_last_job_is_over(lab: Lab) -> None:
    with someone(lab, "p24") as (person, p24):
        jobs = [p24.submit(**command(UNTIL_GO, system)) for system in ("geneva", "lugano")]
        for job in jobs:
            p24.wait(job["job_id"], "RUNNING")
        person.http.get("/hub/logout")
        assert person.http.get("/hub/home").url.path == "/hub/login"
        for job in jobs:
            assert has_valid_ticket(lab, "p24")
            touch(lab, job, "go")
            # Lugano is asked with that ticket.
            p24.wait(job["job_id"], "SUCCESSFUL")
        lab.wait("the ticket is gone", lambda: not has_ticket(lab, "p24"))
        answer = p24.http.post("/v1/jobs", json=command("true"))
        assert (answer.status_code, answer.json()["code"]) == (409, "ticket_needed")
    assert not [row for site in ("geneva", "lugano") for row in jobs_of(lab, "p24", site) if "RUNNING" in row]
