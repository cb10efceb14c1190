"""Jobs that do not come to their end: why is told in a sentence, by what Slurm or the job itself says of it."""

from typing import Any

import pytest

from lab import Lab
from tests.lab.faults import let_its_time_be_up
from tests.lab.jobs.by_hand import someone, touch, watched_memory
from tests.lab.jobs.sender import Sender
from tests.lab.jobs.steps import UNTIL_GO, command
from tests.lab.jobs.test_running import again, forgetful, is_forgotten
from tests.lab.look import FRONT_END, closed, jobs_of

pytestmark = pytest.mark.xdist_group("batch jobs by hand")

RUNS = f"echo x >>runs; {UNTIL_GO}"


def by_hand(lab: Lab, system: str, *argv: str, user: str | None = None, input: str | None = None) -> str:  # noqa: A002
    """Run a command at a front end and return what it prints."""
    return lab.run(FRONT_END[system], list(argv), user=user, input=input).stdout.strip()


def failed(theirs: Sender, job: dict[str, Any], word: str) -> str:
    """Return why a job failed, once it has, in Slurm's word."""
    done = theirs.wait(job["job_id"], "FAILED")
    assert (done["native_state"], done["failed"]) == (word, True)
    return str(done["reason"])


def test_a_job_that_needs_more_memory_than_it_has_failed_for_that(lab: Lab) -> None:
    hungry = "python3 -c 'import time; x = b\"x\" * (400 << 20); time.sleep(300)'"
    with someone(lab, "p27") as (_, p27), watched_memory(lab, "geneva"):
        job = p27.submit(**command(hungry), choices={"memory": "100M"})
        p27.wait(job["job_id"], "FAILED")
        said = "The job used more memory than its 100M."
        lab.wait("it is said why", lambda: p27.job(job["job_id"])["reason"].startswith(said))


@pytest.mark.long
def test_jobs_that_slurm_has_ended_are_told_apart_also_where_it_has_forgotten_them(lab: Lab) -> None:
    """Two times were up, one job was cancelled, and the service was away; geneva knows no more of theirs.

    What Slurm wrote into their logs tells those apart: their times were so short that both could be up.
    """
    with someone(lab, "p27") as (_, p27), forgetful(lab, "geneva"):
        jobs = [
            p27.submit(**command("sleep 300", system), choices={"time": "1m"})
            for system in ("geneva", "geneva", "lugano")
        ]
        natives = [p27.wait(job["job_id"], "QUEUED", "RUNNING")["native_id"] for job in jobs]
        # On a slow machine a minute is over before all of them are seen to run.
        for native, job in zip(natives, jobs, strict=True):
            lab.run(f"{job['system']}-ctl", ["scontrol", "update", f"jobid={native}", "timelimit=60"])
            p27.wait(job["job_id"], "RUNNING")
        lab.fault("kill", "hub", "jobs")
        try:
            by_hand(lab, "geneva", "scancel", natives[0], user="p27")
            for native, job in zip(natives[1:], jobs[1:], strict=True):
                let_its_time_be_up(lab, native, job["system"])
            ids = [job["job_id"] for job in jobs]
            lab.wait("geneva has forgotten the jobs", lambda: is_forgotten(lab, "geneva", ids))
        finally:
            again(lab, p27)
        cancelled = p27.wait(jobs[0]["job_id"], "CANCELED")
        assert (cancelled["reason"], cancelled["failed"]) == ("The job was cancelled at the site.", False)
        for job in jobs[1:]:
            assert failed(p27, job, "TIMEOUT") == "The job's time limit of 1m was up."
            done = p27.job(job["job_id"])
            assert (done["exit_code"], done["signal"]) == (None, 15)
            assert done["elapsed_s"] >= 1


def test_a_job_for_which_another_one_has_to_go_has_failed_or_begins_again(lab: Lab) -> None:
    choices = {"partition": "scavenge", "cores": 8}
    with someone(lab, "frank") as (_, frank):
        ends, waits = (frank.submit(**command(RUNS, "lugano"), choices=choices) for _ in range(2))
        frank.wait(ends["job_id"], "RUNNING")
        native = frank.wait(waits["job_id"], "RUNNING")["native_id"]
        lab.run("lugano-ctl", ["scontrol", "update", f"jobid={native}", "requeue=1"])
        # It needs all of both nodes, in a partition that comes first.
        other = by_hand(
            lab, "lugano", "sbatch", "--parsable", "-N2", "--exclusive", "--output=/dev/null", "--wrap=sleep 300",
            user="alice",
        )  # fmt: skip
        try:
            assert failed(frank, ends, "PREEMPTED").startswith("Lugano needed the node")
            assert "begins again, in the same folder" in frank.wait(waits["job_id"], "QUEUED")["reason"]
        finally:
            by_hand(lab, "lugano", "scancel", other)
        touch(lab, waits, "go")
        # Slurm itself would let it wait for two minutes.
        lab.run("lugano-ctl", ["scontrol", "update", f"jobid={native}", "starttime=now"])
        lab.wait("it has run again", lambda: frank.job(waits["job_id"])["stage"] == "SUCCESSFUL")
        assert frank.file(waits["job_id"], "runs") == b"x\nx\n"
        assert frank.job(waits["job_id"])["native_id"] == native


def late_twin(lab: Lab, theirs: Sender, job: dict[str, Any]) -> str:
    """Submit a job as if its first submission had been answered late, and return the number of this one."""
    script = theirs.http.get(f"/v1/jobs/{job['job_id']}/script").raise_for_status().text
    name = next(row for row in jobs_of(lab, job["owner"]) if job["job_id"] in row).split()[2]
    argv = ("sbatch", "--parsable", f"--job-name={name}")
    return by_hand(lab, "geneva", *argv, user=job["owner"], input=script)


def test_a_late_twin_of_a_job_that_runs_ends_and_does_nothing(lab: Lab) -> None:
    with someone(lab, "p28") as (_, p28):
        job = p28.submit(**command(RUNS))
        native = p28.wait(job["job_id"], "RUNNING")["native_id"]
        twin = late_twin(lab, p28, job)
        lab.wait("the twin is over", lambda: not is_listed(lab, twin))
        touch(lab, job, "go")
        done = p28.wait(job["job_id"], "SUCCESSFUL")
        assert done["native_id"] == native
        assert p28.file(job["job_id"], "runs") == b"x\n"


def test_a_twin_that_begins_first_is_the_job(lab: Lab) -> None:
    with someone(lab, "p28") as (_, p28):
        with closed(lab, "geneva", "normal"):
            job = p28.submit(**command(RUNS))
            native = p28.wait(job["job_id"], "QUEUED")["native_id"]
            by_hand(lab, "geneva", "scontrol", "hold", native, user="p28")
            twin = late_twin(lab, p28, job)
        lab.wait("the twin is taken over", lambda: p28.job(job["job_id"])["native_id"] == twin)
        lab.wait("the other one is cancelled", lambda: not is_listed(lab, native))
        p28.wait(job["job_id"], "RUNNING")
        touch(lab, job, "go")
        assert p28.wait(job["job_id"], "SUCCESSFUL")["native_id"] == twin
        assert p28.file(job["job_id"], "runs") == b"x\n"


def is_listed(lab: Lab, native: str) -> bool:
    """Return whether a job waits or runs at geneva."""
    return native in by_hand(lab, "geneva", "squeue", "-h", "-o", "%i").split()
