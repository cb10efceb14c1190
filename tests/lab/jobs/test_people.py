"""People whom sites do not take are told so in a sentence; those with an odd shell or another name just work."""

from typing import Any

import pytest

from lab import Lab
from tests.lab.jobs.by_hand import someone
from tests.lab.jobs.sender import Sender
from tests.lab.look import delivered, jobs_of

pytestmark = pytest.mark.xdist_group("batch jobs at sites")

MAKES = "pwd; id -un; tr a-z A-Z <in.txt >results/out.txt"
INPUTS = {"inputs": ["in.txt", "results/empty"], "start": "when-complete"}


def refused(theirs: Sender, **fields: Any) -> str:
    """Return what somebody is told of a job that comes to nothing, at once or once it is sent."""
    answer = theirs.http.post("/v1/jobs", json={"type": "command", "command": "true", **fields})
    if answer.status_code != 201:
        assert answer.status_code < 500, answer.text
        return str(answer.json()["detail"])
    done = theirs.wait(answer.json()["job_id"], "FAILED")
    assert (done["failed"], done["native_id"], done["exit_code"]) == (True, None, None)
    return str(done["reason"])


def test_heidi_who_has_no_account_is_told_so_and_has_jobs_elsewhere(lab: Lab) -> None:
    with someone(lab, "heidi") as (_, heidi):
        said = refused(heidi, system="lugano")
        assert "Lugano did not let you in with your ticket. You may have no account there" in said
        job = heidi.submit(type="command", system="geneva", command="echo well")
        heidi.wait(job["job_id"], "SUCCESSFUL")
        assert heidi.file(job["job_id"], "stdout") == b"well\n"


@pytest.mark.parametrize("system", ["geneva", "lugano"])
def test_erin_whose_account_has_expired_is_told_what_the_site_says(lab: Lab, system: str) -> None:
    with someone(lab, "erin") as (_, erin):
        assert "did not let you in and says: Your account has expired" in refused(erin, system=system)


def test_nora_who_has_no_shell_is_told_what_the_site_says(lab: Lab) -> None:
    with someone(lab, "nora") as (_, nora):
        said = refused(nora, system="lugano")
        assert "let you in, but your shell there ended before it ran" in said
        assert "This account is currently not available." in said


def whole_job(theirs: Sender, system: str) -> tuple[dict[str, Any], list[str]]:
    """Send a job with files, follow it to its end and get its results; return it and what it printed."""
    job = theirs.submit(type="command", system=system, command=MAKES, title="a whole job", **INPUTS)
    files = f"/v1/jobs/{job['job_id']}/files"
    for name, data in (("in.txt", b"all is well\n"), ("results/empty", b"")):
        assert theirs.http.put(f"{files}/{name}", content=data).status_code == 201
    done = theirs.wait(job["job_id"], "SUCCESSFUL")
    listed = {each["path"] for each in theirs.http.get(files).raise_for_status().json()["items"]}
    assert {"in.txt", "results", "results/empty", "results/out.txt", "stdout", "stderr"} <= listed
    assert theirs.file(job["job_id"], "results/out.txt") == b"ALL IS WELL\n"
    log = theirs.http.get(f"/v1/jobs/{job['job_id']}/log").raise_for_status()
    assert log.content == theirs.file(job["job_id"], "stdout")
    assert theirs.http.delete(f"{files}/in.txt").status_code == 204
    assert theirs.http.delete(f"/v1/jobs/{job['job_id']}").status_code < 300
    return done, log.text.splitlines()


@pytest.mark.parametrize("system", ["geneva", "lugano"])
def test_frank_whose_shell_is_a_talkative_tcsh_just_works(lab: Lab, system: str) -> None:
    with someone(lab, "frank") as (_, frank):
        done, printed = whole_job(frank, system)
        assert printed == [done["folder"], "frank"]
        assert delivered(lab, "frank", system) == []


def test_judy_whose_name_at_lugano_is_another_one_just_works(lab: Lab) -> None:
    with someone(lab, "judy") as (_, judy):
        done, printed = whole_job(judy, "lugano")
        assert printed == [done["folder"], "jmeier"]
        assert (done["owner"], done["folder"]) == ("judy", f"/scratch/jmeier/jobs/{done['job_id']}")
        cancelled = judy.submit(type="command", system="lugano", command="sleep 300")
        judy.wait(cancelled["job_id"], "RUNNING")
        assert judy.http.post(f"/v1/jobs/{cancelled['job_id']}/cancel").status_code == 202
        judy.wait(cancelled["job_id"], "CANCELED")
        assert not [row for row in jobs_of(lab, "jmeier", "lugano") if "RUNNING" in row]
        assert delivered(lab, "jmeier", "lugano") == []
