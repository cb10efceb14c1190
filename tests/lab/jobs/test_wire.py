"""What lies between the service and Slurm breaks: each job is one job, and the other site feels nothing."""

from contextlib import ExitStack

import pytest

from lab import Lab
from lab.quirks import Hold, held
from tests.lab.faults import broken
from tests.lab.jobs.sender import Sender
from tests.lab.jobs.steps import UNTIL_GO, again, counted, go, in_slurm, ran, was_in_doubt
from tests.lab.look import closed

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

SITES = ("geneva", "lugano")
DONE = "COMPLETED"


def test_a_job_that_had_reached_slurm_when_the_connection_was_lost_is_adopted(lab: Lab, alice: Sender) -> None:
    fields, runs = counted(at="lugano")
    with held(lab, "lugano-login", "sbatch", Hold.AFTER) as came:
        job_id = alice.submit(**fields)["job_id"]
        lab.wait("Slurm has the job", lambda: came() == 1)
        with broken(lab, ("cut", "lugano-login")):
            lab.wait("it is in doubt", lambda: was_in_doubt(alice, job_id))
            assert alice.job(job_id)["stage"] == "READY"
        # Its answer never comes.
        assert alice.wait(job_id, "SUCCESSFUL")["native_id"]
    assert ran(lab, runs, "lugano") == 1
    assert in_slurm(lab, job_id, "lugano") == [DONE]


@pytest.mark.long
def test_a_job_that_had_not_reached_slurm_is_sent_again(lab: Lab, alice: Sender) -> None:
    """At geneva the lost attempt comes to Slurm all the same, when nobody expects it any more."""
    sent = [(*counted(at=site), site) for site in SITES]
    with held(lab, "geneva-login1", "sbatch", Hold.BEFORE) as late, ExitStack() as stack:
        refused = stack.enter_context(held(lab, "lugano-login", "sbatch", Hold.REFUSED))
        jobs = [alice.submit(**fields)["job_id"] for fields, _, _ in sent]
        lab.wait("both are being sent", lambda: late() == refused() == 1)
        with broken(lab, ("cut", "geneva-login1")):
            with broken(lab, ("cut", "lugano-login")):
                lab.wait("both are in doubt", lambda: all(was_in_doubt(alice, job_id) for job_id in jobs))
                # Slurm says no there, and nobody hears it.
                stack.close()
            # A minute passes before it is sure that Slurm does not have them.
            lab.wait("both are sent again", lambda: all(alice.job(job_id)["queued"] for job_id in jobs))
            numbers = [alice.wait(job_id, "SUCCESSFUL")["native_id"] for job_id in jobs]
            assert [in_slurm(lab, *job) for job in zip(jobs, SITES, strict=True)] == [[DONE]] * 2
    lab.wait("the late one is over", lambda: in_slurm(lab, jobs[0]) == [DONE] * 2)
    assert [ran(lab, runs, site) for _, runs, site in sent] == [1, 1]
    assert [alice.job(job_id)["native_id"] for job_id in jobs] == numbers


@pytest.mark.long
@pytest.mark.parametrize("fault", [("cut",), ("freeze", "sshd")], ids=["cut", "frozen"])
def test_jobs_go_on_by_another_front_end_or_are_stale(lab: Lab, alice: Sender, fault: tuple[str, ...]) -> None:
    """One front end of each site goes; geneva has another one."""
    running = {site: counted(then=UNTIL_GO, at=site) for site in SITES}
    waiting = {site: counted(at=site) for site in SITES}
    runs = {site: alice.submit(**running[site][0]) for site in SITES}
    for job in runs.values():
        alice.wait(job["job_id"], "RUNNING")
    verb, *daemon = fault
    with closed(lab, "geneva", "normal"), closed(lab, "lugano", "normal"):
        waits = {site: alice.submit(**waiting[site][0])["job_id"] for site in SITES}
        for job_id in waits.values():
            alice.wait(job_id, "QUEUED")
        with broken(lab, (verb, "geneva-login1", *daemon), (verb, "lugano-login", *daemon)):
            if daemon:
                # Connections that were there before go on.
                lab.fault("kill", "hub", "jobs")
                again(lab, alice)
            go(lab, runs["geneva"])
            alice.wait(runs["geneva"]["job_id"], "SUCCESSFUL")

            def is_stale() -> bool:
                assert not alice.job(waits["geneva"])["stale"]
                return bool(alice.job(waits["lugano"])["stale"])

            lab.wait("lugano's jobs are stale", is_stale)
            lost = [alice.job(runs["lugano"]["job_id"]), alice.job(waits["lugano"])]
            assert [(job["stage"], job["stale"]) for job in lost] == [("RUNNING", True), ("QUEUED", True)]
            assert alice.job(waits["geneva"])["stage"] == "QUEUED"
    go(lab, runs["lugano"])
    for job_id in (runs["lugano"]["job_id"], *waits.values()):
        assert not alice.wait(job_id, "SUCCESSFUL")["stale"]
    assert [ran(lab, each[site][1], site) for each in (running, waiting) for site in SITES] == [1] * 4


@pytest.mark.long
def test_nothing_fails_while_slurm_is_frozen(lab: Lab, alice: Sender) -> None:
    """A job ends, one is cancelled, one is sent, and another site goes on."""
    ends, sent, elsewhere = counted(then=UNTIL_GO), counted(), counted(at="lugano")
    ending = alice.submit(**ends[0])
    unwanted = alice.submit(**counted(600)[0])["job_id"]
    for job_id in (ending["job_id"], unwanted):
        alice.wait(job_id, "RUNNING")
    with broken(lab, ("freeze", "geneva-ctl", "slurmctld")):
        go(lab, ending)
        new = alice.submit(**sent[0])["job_id"]
        assert alice.http.post(f"/v1/jobs/{unwanted}/cancel").status_code == 202
        lab.wait("the new one is in doubt", lambda: was_in_doubt(alice, new))
        lab.wait(
            "all are stale", lambda: all(alice.job(each)["stale"] for each in (ending["job_id"], unwanted, new))
        )
        lab.wait("its cancellation is owed", lambda: "as soon as" in alice.job(unwanted)["reason"])
        stages = [alice.job(each)["stage"] for each in (ending["job_id"], unwanted, new)]
        assert stages == ["RUNNING", "RUNNING", "READY"]
        there = alice.submit(**elsewhere[0])["job_id"]
        assert not alice.wait(there, "SUCCESSFUL")["stale"]
    alice.wait(unwanted, "CANCELED")
    for job_id in (ending["job_id"], new):
        alice.wait(job_id, "SUCCESSFUL")
    assert [ran(lab, runs) for _, runs in (ends, sent)] == [1, 1]
    assert in_slurm(lab, new) == [DONE]
