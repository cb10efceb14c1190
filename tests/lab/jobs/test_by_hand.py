"""What admins and owners do around the service: holds by hand, an edited catalogue, jobs that Slurm hides."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from job_service.running.sightings import ABSENT
from lab import Lab
from tests.lab.jobs.by_hand import configured, someone, touch
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import UNTIL_GO, command
from tests.lab.look import FRONT_END, closed, logged_in
from tests.lab.test_catalogue_edits import edited

pytestmark = pytest.mark.xdist_group("batch jobs by hand")


def test_a_job_is_held_and_suspended_by_hand_and_let_go_again(lab: Lab) -> None:
    def scontrol(what: str, user: str | None = None) -> None:
        lab.run(FRONT_END["geneva"], ["scontrol", what, native], user=user)

    with someone(lab, "p27") as (_, p27):
        with closed(lab, "geneva", "normal"):
            job = p27.submit(**command(UNTIL_GO))
            native = p27.wait(job["job_id"], "QUEUED")["native_id"]
            scontrol("hold", "p27")
            assert "until it is released" in p27.wait(job["job_id"], "HELD")["reason"]
            scontrol("release", "p27")
            p27.wait(job["job_id"], "QUEUED")
            scontrol("hold")
            assert "held by Geneva" in p27.wait(job["job_id"], "HELD")["reason"]
            scontrol("release")
            p27.wait(job["job_id"], "QUEUED")
        p27.wait(job["job_id"], "RUNNING")
        scontrol("suspend")
        assert "suspended" in p27.wait(job["job_id"], "HELD")["reason"]
        scontrol("resume")
        p27.wait(job["job_id"], "RUNNING")
        touch(lab, job, "go")
        p27.wait(job["job_id"], "SUCCESSFUL")
        assert "FAILED" not in p27.stages(job["job_id"])


def without_commands(text: str) -> str:
    """Return the catalogue without the type `command`."""
    tree = yaml.safe_load(text)
    del tree["job_types"]["command"]
    return str(yaml.safe_dump(tree, sort_keys=False))


def test_jobs_of_a_type_that_is_offered_no_more_go_on_and_new_ones_are_refused(lab: Lab) -> None:
    with someone(lab, "p28") as (_, p28):
        runs = p28.submit(**command(f"{UNTIL_GO}; echo well"))
        awaits = p28.submit(**command("true"), inputs=["in.txt"], start="when-complete")
        p28.wait(runs["job_id"], "RUNNING")
        with closed(lab, "geneva", "debug"):
            waits = p28.submit(**command("echo waited"), choices={"partition": "debug"})
            p28.wait(waits["job_id"], "QUEUED")
            with edited(lab, without_commands):
                lab.wait("it is offered no more", lambda: p28.http.get("/v1/types/command").status_code == 404)
                answer = p28.http.post("/v1/jobs", json=command("true"))
                assert (answer.status_code, answer.json()["field"]) == (422, "type")
                again = p28.http.post(f"/v1/jobs/{runs['job_id']}/resubmit")
                assert (again.status_code, again.json()["field"]) == (422, "type")
                # Those that Slurm has are Slurm's, also to be held and cancelled; their files are there.
                assert [p28.job(job["job_id"])["stage"] for job in (runs, waits)] == ["RUNNING", "QUEUED"]
                assert p28.http.post(f"/v1/jobs/{waits['job_id']}/hold").status_code == 202
                p28.wait(waits["job_id"], "HELD")
                assert p28.http.post(f"/v1/jobs/{waits['job_id']}/release").status_code == 202
                p28.http.put(f"/v1/jobs/{runs['job_id']}/files/go", content=b"").raise_for_status()
                p28.wait(runs["job_id"], "SUCCESSFUL")
                assert p28.file(runs["job_id"], "stdout") == b"well\n"
                # Of the one that was not sent yet there is nothing to send any more.
                p28.http.put(f"/v1/jobs/{awaits['job_id']}/files/in.txt", content=b"").raise_for_status()
                assert "is not offered any more" in p28.wait(awaits["job_id"], "FAILED")["reason"]
        p28.wait(waits["job_id"], "SUCCESSFUL")
        assert p28.file(waits["job_id"], "stdout") == b"waited\n"


def asked(ruth: Sender, system: str) -> tuple[str, datetime]:
    """Return who was asked last about the jobs at a system, and when."""
    found: list[dict[str, Any]] = ruth.http.get("/v1/admin/systems").raise_for_status().json()["items"]
    stand = next(each for each in found if each["key"] == system)
    return stand["observer"], datetime.fromisoformat(stand["asked"])


@pytest.mark.long
def test_jobs_that_slurm_hides_from_who_asks_are_asked_about_by_their_owners(lab: Lab) -> None:
    """Geneva's monitor has seen the first, and sees none any more; at lugano two people see but their own.

    That a job runs, and how it ends, can be heard from its owner's own question alone.
    """
    with (
        someone(lab, "p27") as (_, p27),
        someone(lab, "p28") as (_, p28),
        logged_in(lab, "ruth"),
        sender(lab, "ruth", "custom:jobs:admin") as ruth,
    ):
        seen = p27.submit(**command(UNTIL_GO))
        p27.wait(seen["job_id"], "RUNNING")
        with configured(lab, "geneva", "PrivateData=jobs"), configured(lab, "lugano", "PrivateData=jobs"):
            hidden = [each.submit(**command(UNTIL_GO, "lugano")) for each in (p27, p28)]
            jobs = [(p27, seen), (p27, p27.submit(**command(UNTIL_GO))), (p27, hidden[0]), (p28, hidden[1])]
            for owner, job in jobs:
                owner.wait(job["job_id"], "RUNNING")
            # So long that the first is not only hidden, but missed by who has seen it.
            until = datetime.now().astimezone() + ABSENT + timedelta(seconds=15)
            for system in ("geneva", "lugano"):
                lab.wait(f"{system} was asked often", lambda system=system: asked(ruth, system)[1] > until)  # type: ignore[misc]
            assert asked(ruth, "geneva")[0] == "jmonitor@LAB.TEST"
            for owner, job in jobs:
                now = owner.job(job["job_id"])
                assert (now["stage"], now["stale"]) == ("RUNNING", False)
                touch(lab, job, "go")
            for owner, job in jobs:
                done = owner.wait(job["job_id"], "SUCCESSFUL")
                assert (done["exit_code"], done["native_state"]) == (0, "COMPLETED")
                assert owner.stages(job["job_id"])[-2:] == ["RUNNING", "SUCCESSFUL"]
