"""Disks that are full, and folders that their owners have removed: told in words, and nothing half is left."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import Lab
from tests.lab.jobs.by_hand import small_disk, someone
from tests.lab.jobs.sender import Sender
from tests.lab.jobs.steps import command, parts
from tests.lab.look import FRONT_END

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

AWAITS = {**command("wc -c <in.dat", "lugano"), "inputs": ["in.dat"], "start": "when-complete"}
FULL = "No space left on device"
REMOVED = "The folder of this job was removed at the site."


def is_full(theirs: Sender, path: str, size: int) -> None:
    """See that a file is refused with the site's words."""
    answer = theirs.http.put(path, content=b"x" * size)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (507, "no_space"), problem
    assert FULL in problem["detail"]
    assert "or ask for more space, then send it again." in f"{problem['detail']} {problem.get('hint')}"


def test_a_file_for_which_there_is_no_space_leaves_nothing_and_can_be_sent_again(lab: Lab) -> None:
    with someone(lab, "p25") as (_, p25):
        job = p25.submit(**AWAITS)
        path = f"/v1/jobs/{job['job_id']}/files/in.dat"
        with small_disk(lab, "p25", 64) as folder:
            is_full(p25, path, 1_000_000)
            assert parts(lab, job) == []
            assert p25.job(job["job_id"])["stage"] == "NEW"
            files = p25.http.get(f"/v1/jobs/{job['job_id']}/files").raise_for_status().json()
            assert files["items"] == []
            # Without a byte left, not even the job's own folder can be made.
            lab.run(FRONT_END["lugano"], ["sh", "-c", f"cat /dev/zero >{folder}/all"], user="p25", check=False)
            other = p25.submit(**AWAITS)
            is_full(p25, f"/v1/jobs/{other['job_id']}/files/in.dat", 10)
            assert p25.job(other["job_id"])["stage"] == "NEW"
        for each in (job, other):
            answer = p25.http.put(f"/v1/jobs/{each['job_id']}/files/in.dat", content=b"x" * 1_000_000)
            assert answer.status_code == 201, answer.text
            p25.wait(each["job_id"], "SUCCESSFUL")
            assert p25.file(each["job_id"], "stdout") == b"1000000\n"


def test_files_that_come_at_once_come_all(lab: Lab) -> None:
    names = [f"in/{at}" for at in range(8)]
    with someone(lab, "p25") as (_, p25), ThreadPoolExecutor(len(names)) as pool:
        fields = {**command("cat in/*", "lugano"), "inputs": names, "start": "when-complete"}
        job = p25.submit(**fields)
        files = f"/v1/jobs/{job['job_id']}/files"
        answers = pool.map(lambda name: p25.http.put(f"{files}/{name}", content=f"{name}\n".encode()), names)
        assert [answer.status_code for answer in answers] == [201] * len(names)
        p25.wait(job["job_id"], "SUCCESSFUL")
        assert p25.file(job["job_id"], "stdout").decode().split() == names


@pytest.mark.parametrize("system", ["geneva", "lugano"])
def test_a_folder_that_its_owner_has_removed_is_said_to_be(lab: Lab, system: str) -> None:
    with someone(lab, "p26") as (_, p26):
        done, runs = p26.submit(**command("true", system)), p26.submit(**command("sleep 300", system))
        p26.wait(done["job_id"], "SUCCESSFUL")
        p26.wait(runs["job_id"], "RUNNING")
        for job in (done, runs):
            lab.run(FRONT_END[system], ["rm", "-r", job["folder"]], user="p26")
            for path in ("files", "files/stdout", "log", "archive.tar"):
                answer = p26.http.get(f"/v1/jobs/{job['job_id']}/{path}")
                assert (answer.status_code, answer.json()["detail"]) == (404, REMOVED), path
            put = p26.http.put(f"/v1/jobs/{job['job_id']}/files/in.txt", content=b"x")
            assert (put.status_code, put.json()["detail"]) == (404, REMOVED)
            assert not p26.http.get(f"/v1/jobs/{job['job_id']}").json()["failed"]
        # What was done stays done, and what runs goes on.
        assert [p26.job(job["job_id"])["stage"] for job in (done, runs)] == ["SUCCESSFUL", "RUNNING"]
        assert p26.http.post(f"/v1/jobs/{runs['job_id']}/cancel").status_code == 202
        p26.wait(runs["job_id"], "CANCELED")
        for job in (done, runs):
            assert p26.http.delete(f"/v1/jobs/{job['job_id']}").status_code in {200, 202, 204}
