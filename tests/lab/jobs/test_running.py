"""What becomes of batch jobs at real sites, whatever breaks: each runs once, and its end is told as it was."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from lab import Lab
from tests.lab.faults import bring_back, broken
from tests.lab.jobs.sender import Sender
from tests.lab.jobs.steps import UNTIL_GO, again, counted, go, ran
from tests.lab.look import FRONT_END, jobs_of

pytestmark = pytest.mark.xdist_group("batch jobs run")


@contextmanager
def forgetful(lab: Lab, *sites: str) -> Iterator[None]:
    """Let sites forget jobs soon after their end, for the length of a block."""

    def remember(seconds: int) -> None:
        for site in sites:
            change = f"s/^MinJobAge=.*/MinJobAge={seconds}/"
            lab.run(f"{site}-ctl", ["sed", "-i", change, "/etc/slurm/slurm.conf"])
            lab.run(f"{site}-ctl", ["scontrol", "reconfigure"])

    remember(2)
    try:
        yield
    finally:
        remember(300)


@pytest.mark.parametrize(
    ("then", "code", "says"), [("exit 7", 7, "exit status 7"), ("kill -9 $$", 137, "SIGKILL")]
)
def test_a_failure_is_told_with_its_code(alice: Sender, then: str, code: int, says: str) -> None:
    job_id = alice.submit(**counted(then=then)[0])["job_id"]
    done = alice.wait(job_id, "FAILED")
    assert (done["exit_code"], done["failed"]) == (code, True)
    assert says in done["reason"]


def test_a_job_is_held_released_and_cancelled_by_hand(lab: Lab, alice: Sender) -> None:
    fields = counted(300)[0]
    # All of both nodes, so that the next one waits.
    first = alice.submit(**{**fields, "choices": {"nodes": 2}})
    alice.wait(first["job_id"], "RUNNING")
    lab.run(FRONT_END["geneva"], ["scontrol", "update", "NodeName=ALL", "State=DRAIN", "Reason=test"])
    try:
        second = alice.submit(**fields)
        alice.wait(second["job_id"], "QUEUED")
        assert alice.http.post(f"/v1/jobs/{second['job_id']}/hold").status_code < 300
        assert "released" in alice.wait(second["job_id"], "HELD")["reason"]
        assert alice.http.post(f"/v1/jobs/{second['job_id']}/release").status_code < 300
        alice.wait(second["job_id"], "QUEUED")
        for job_id in (first["job_id"], second["job_id"]):
            native = alice.job(job_id)["native_id"]
            lab.run(FRONT_END["geneva"], ["scancel", native], user="alice")
            assert "at the site" in alice.wait(job_id, "CANCELED")["reason"]
    finally:
        lab.run(FRONT_END["geneva"], ["scontrol", "update", "NodeName=ALL", "State=RESUME"])


def test_jobs_outlive_a_service_that_is_killed(lab: Lab, alice: Sender) -> None:
    sent = [counted(2) for _ in range(8)]
    jobs = [alice.submit(**fields)["job_id"] for fields, _ in sent]
    # Some are sent by now, some are on their way, and some wait.
    lab.fault("kill", "hub", "jobs")
    again(lab, alice)
    for job_id in jobs:
        alice.wait(job_id, "SUCCESSFUL")
    assert [ran(lab, runs) for _, runs in sent] == [1] * len(sent)
    assert not [row for row in jobs_of(lab, "alice") if "PENDING" in row or "RUNNING" in row]


def is_forgotten(lab: Lab, site: str, jobs: list[str]) -> bool:
    listed = lab.run(FRONT_END[site], ["squeue", "-h", "-t", "all", "-o", "%j"]).stdout
    return not any(job_id in listed for job_id in jobs)


@pytest.mark.long
def test_jobs_that_slurm_has_forgotten_ended_as_they_did(lab: Lab, alice: Sender) -> None:
    """Geneva has no accounting, so there the jobs themselves have written it down."""
    places = [(then, site) for site in ("geneva", "lugano") for then in ("true", "exit 7")]
    sent = [(*counted(then=f"{UNTIL_GO}; sleep 2; {then}", at=site), site) for then, site in places]
    began = time.monotonic()
    with forgetful(lab, "geneva", "lugano"):
        accepted = [alice.submit(**fields) for fields, _, _ in sent]
        jobs = [job["job_id"] for job in accepted]
        for job_id in jobs:
            alice.wait(job_id, "RUNNING")
        lab.fault("kill", "hub", "jobs")
        for job in accepted:
            go(lab, job)
        for site in ("geneva", "lugano"):
            lab.wait(f"{site} has forgotten the jobs", partial(is_forgotten, lab, site, jobs))
        longest = time.monotonic() - began
        again(lab, alice)
        for job_id, (then, _) in zip(jobs, places, strict=True):
            stage, code = ("SUCCESSFUL", 0) if then == "true" else ("FAILED", 7)
            done = alice.wait(job_id, stage)
            assert done["exit_code"] == code
            assert 2 <= done["elapsed_s"] <= longest
    assert [ran(lab, runs, site) for _, runs, site in sent] == [1] * 4


@pytest.mark.long
def test_a_job_that_is_put_back_begins_again_in_its_folder(lab: Lab, alice: Sender) -> None:
    fields, runs = counted(then=UNTIL_GO)
    job = alice.submit(**fields)
    job_id = job["job_id"]
    native = alice.wait(job_id, "RUNNING")["native_id"]
    lab.run("geneva-ctl", ["scontrol", "update", f"jobid={native}", "requeue=1"])
    lab.run("geneva-ctl", ["scontrol", "requeue", native])
    assert "begins again" in alice.wait(job_id, "QUEUED")["reason"]
    go(lab, job)
    # Slurm itself lets it wait for two minutes.
    lab.run("geneva-ctl", ["scontrol", "update", f"jobid={native}", "starttime=now"])
    # A site where nothing happens is asked so seldom that its short second run need not be seen.
    lab.wait("it has run again", lambda: alice.job(job_id)["stage"] == "SUCCESSFUL")
    assert alice.job(job_id)["native_id"] == native
    assert ran(lab, runs) == 2


@pytest.mark.long
def test_a_job_whose_node_is_lost_has_failed_with_the_node(lab: Lab, alice: Sender) -> None:
    job_id = alice.submit(**counted(600)[0])["job_id"]
    native = alice.wait(job_id, "RUNNING")["native_id"]
    node = lab.run(FRONT_END["geneva"], ["squeue", "-h", "-j", native, "-o", "%N"]).stdout.strip()
    try:
        with broken(lab, ("cut", node)):
            lab.wait("Slurm has given the node up", lambda: alice.job(job_id)["stage"] == "FAILED")
    finally:
        bring_back(lab, node)
    done = alice.job(job_id)
    assert done["native_state"] == "NODE_FAIL"
    assert node in done["reason"]
