"""A batch job from its submission to its result, with real parts: hub, proxy, service, sshd, Slurm."""

import pytest

from lab import Lab
from tests.lab.faults import broken, wait_for_hub
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import UNTIL_GO, command, go
from tests.lab.look import jobs_of, logged_in

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

PAYLOAD = {
    "command": "unzip job.zip; sh run.sh",
    "node_number": "1",
    "core_number": "2",
    "runtime": "0.1",
    "title": "a job title",
}
FIELDS = {
    *("end_date", "failed", "id", "init_date", "job_id", "owner", "project", "project_hpc", "project_name"),
    *("runtime", "stage", "terminal_stage", "title"),
}
"""Those of a job by the old paths, all of them."""

LONG = {"type": "command", "system": "geneva", "command": "echo up >up; sleep 300"}


def test_a_zip_sent_by_the_old_path_runs_and_its_result_comes_back(lab: Lab, alice: Sender, zipped: bytes) -> None:
    job = alice.send_zip("geneva/", PAYLOAD, zipped)
    assert set(job) == FIELDS
    assert (job["owner"], job["project_hpc"], job["title"]) == ("alice", "GENEVA", "a job title")
    done = alice.wait(job["job_id"], "SUCCESSFUL")
    assert (done["exit_code"], done["failed"], done["cores"]) == (0, False, 2)
    assert alice.stages(job["job_id"])[-1] == "SUCCESSFUL"
    listed = alice.http.get(f"/files/geneva/{job['project_name']}/{job['job_id']}/").raise_for_status().json()
    assert {"job.zip", "run.sh", "out.txt", "stdout"} <= {each["filename"] for each in listed}
    (result,) = [each for each in listed if each["filename"] == "out.txt"]
    fetched = alice.http.get(f"/files/geneva/{job['project_name']}/{job['job_id']}/{result['fileid']}/")
    assert fetched.content == b"ALL IS WELL\n"
    assert alice.file(job["job_id"], "stdout").endswith(f"from {done['native_id']}\n".encode())


def test_a_program_runs_at_lugano_on_a_project_of_its_accounting(alice: Sender) -> None:
    choices = {"param.seed": 7, "param.slices": 2}
    job = alice.submit(type="recon", system="lugano", project="proj3", choices=choices)
    assert (job["system"], job["project"], job["type"]) == ("lugano", "proj3", "recon")
    assert alice.wait(job["job_id"], "SUCCESSFUL")["exit_code"] == 0
    assert b"seed 7\nslices 2\n" in alice.file(job["job_id"], "results/summary.txt")
    log = alice.http.get(f"/v1/jobs/{job['job_id']}/log", params={"tail": 1})
    assert log.text == "slice 2 of 2\n"


def test_a_job_is_nobody_elses_and_admins_see_it(lab: Lab, alice: Sender) -> None:
    job_id = alice.submit(type="recon", system="geneva")["job_id"]
    with logged_in(lab, "bob"), sender(lab, "bob") as bob:
        for path in ("", "/events", "/script", "/files", "/log", "/archive.tar"):
            assert bob.http.get(f"/v1/jobs/{job_id}{path}").status_code == 404, path
        assert bob.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 404
        assert bob.http.get("/v1/jobs").json()["items"] == []
    with logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth:
        assert job_id in {job["job_id"] for job in ruth.http.get("/admin/jobs/alice/").raise_for_status().json()}
    alice.wait(job_id, "SUCCESSFUL")


def test_a_job_that_is_cancelled_while_it_runs_ends_at_its_site(lab: Lab, alice: Sender) -> None:
    job_id = alice.submit(**LONG)["job_id"]
    alice.wait(job_id, "RUNNING")
    assert alice.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert alice.wait(job_id, "CANCELED")["failed"] is False
    assert alice.stages(job_id)[-2:] == ["RUNNING", "CANCELED"]
    assert not [row for row in jobs_of(lab, "alice") if job_id in row and "RUNNING" in row]


def test_a_request_that_is_repeated_is_one_job(alice: Sender) -> None:
    fields = {"type": "command", "system": "geneva", "command": "echo once", "title": "once"}
    answers = [alice.http.post("/v1/jobs", json=fields, headers={"Idempotency-Key": "the same"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    (job_id,) = {answer.json()["job_id"] for answer in answers}
    alice.wait(job_id, "SUCCESSFUL")
    assert alice.file(job_id, "stdout") == b"once\n"


@pytest.mark.parametrize("daemon", ["jobs", "jupyterhub"])
def test_jobs_go_on_while_the_service_or_the_hub_is_killed_and_started(
    lab: Lab, alice: Sender, daemon: str
) -> None:
    job = alice.submit(**command(f"{UNTIL_GO}; echo done"))
    job_id = job["job_id"]
    alice.wait(job_id, "QUEUED", "RUNNING")
    with broken(lab, ("kill", "hub", daemon)):
        pass
    # Without it nobody else could log in, though the service answers.
    wait_for_hub(lab)
    lab.wait("the service answers", lambda: alice.http.get(f"/v1/jobs/{job_id}").status_code == 200)
    go(lab, job)
    alice.wait(job_id, "SUCCESSFUL")
    assert alice.file(job_id, "stdout") == b"done\n"
