"""Heidi, who has no account at lugano, runs there what its admins allow, as the account that it has for that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from lab import Lab
from lab.people import RUN_AS
from tests.lab.jobs.by_hand import has_ticket, someone
from tests.lab.jobs.sender import Sender, sender
from tests.lab.look import FRONT_END, delivered, jobs_of, logged_in
from tests.lab.test_catalogue_edits import edited

pytestmark = pytest.mark.xdist_group("batch jobs")

_HAS = 36_000
_PROJECT = "/v1/admin/projects/lugano/visitors"
_KEYTAB = "/etc/jupyterhub/run-as.keytab"
_SHOWS = 'id -un; klist | grep "^Default principal"; klist -s; echo $?; cat "$1"; sleep "$2"'


def _with_visits(text: str) -> str:
    tree = yaml.safe_load(text)
    account = {"principal": f"{RUN_AS.name}@LAB.TEST", "keytab": _KEYTAB, "login": RUN_AS.name}
    tree["sites"]["lugano"]["jobs"]["run_as"] = account
    tree["job_types"]["visit"] = {
        "name": "Visit",
        "run": ["bash", "-c", _SHOWS, "visit", "in.txt", "{param.seconds}"],
        "identity": "service",
        "parameters": {"seconds": {"title": "Seconds", "min": 0, "max": 600, "default": 0}},
        "resources": {"time": {"default": "10m"}},
        "sites": ["lugano"],
    }
    return yaml.safe_dump(tree, sort_keys=False)


@pytest.fixture
def ruth(lab: Lab) -> Iterator[Sender]:
    """Give an admin, while lugano has its account, a type that runs as it, and a project of heidi's and bob's."""
    with logged_in(lab, "ruth"), sender(lab, "ruth", "custom:jobs:admin") as ruth, edited(lab, _with_visits):
        new: dict[str, Any] = {"system": "lugano", "name": "visitors", "identity": "service"}
        new |= {"init_time": _HAS, "user_time": _HAS}

        def is_made() -> bool:
            # The catalogue is read again soon.
            return ruth.http.post("/v1/admin/projects", json=new).status_code == 201

        lab.wait("the project can be made", is_made)
        for name in ("heidi", "bob"):
            ruth.http.put(f"/v1/admin/members/lugano/visitors/user/{name}").raise_for_status()
        with someone(lab, "heidi") as (_, heidi):
            # What is free there is known as the account sees it, once that has a ticket.
            lab.wait("the account has looked", lambda: _place(heidi)["state"] in {"free", "busy"})
        yield ruth
        ruth.http.delete(_PROJECT).raise_for_status()


@contextmanager
def _visit(theirs: Sender, seconds: int, said: str) -> Iterator[dict[str, Any]]:
    """Give a job with an input, which is removed when nothing is left to see of it."""
    choices = {"param.seconds": str(seconds)}
    job = theirs.submit(type="visit", choices=choices, inputs=["in.txt"], start="when-complete")
    theirs.http.put(f"/v1/jobs/{job['job_id']}/files/in.txt", content=said.encode()).raise_for_status()
    yield job
    theirs.http.delete(f"/v1/jobs/{job['job_id']}").raise_for_status()
    folder = ["test", "-e", job["folder"]]
    gone = f"the folder of {job['job_id']} is gone"
    theirs.lab.wait(gone, lambda: theirs.lab.run("lugano-ctl", folder, check=False).returncode == 1)


def _left(theirs: Sender) -> int:
    found = theirs.http.get("/v1/projects/lugano/visitors").raise_for_status().json()
    return int(found["quota"]["time_left_s"])


def test_the_keytab_is_the_services_alone(lab: Lab) -> None:
    assert lab.run("hub", ["stat", "-c", "%a %U", _KEYTAB]).stdout == "400 jupyterhub\n"


def test_heidi_runs_a_job_at_lugano_and_reads_its_result_and_only_she_pays(lab: Lab, ruth: Sender) -> None:
    with someone(lab, "heidi") as (person, heidi), someone(lab, "bob") as (_, bob):
        # It is so for her, whom the site itself does not let in.
        assert (_place(heidi)["system"], _place(heidi)["identity"]) == ("lugano", "service")
        assert _place(heidi)["state"] in {"free", "busy"}
        before = _left(bob)
        # Her own ticket has no part in it: with none at all everything goes on.
        person.http.get("/hub/logout")
        lab.wait("her ticket is gone", lambda: not has_ticket(lab, "heidi"))
        with _visit(heidi, 2, "all is well\n") as job:
            assert (job["owner"], job["project"]) == ("heidi", "visitors")
            assert job["folder"] == f"/scratch/svcjobs/jobs/{job['job_id']}"
            assert not has_ticket(lab, "heidi")
            heidi.wait(job["job_id"], "SUCCESSFUL")
            printed = heidi.file(job["job_id"], "stdout").decode().splitlines()
            assert printed == ["svcjobs", "Default principal: svcjobs@LAB.TEST", "0", "all is well"]
            assert bob.http.get(f"/v1/jobs/{job['job_id']}").status_code == 404
            assert bob.http.get(f"/v1/jobs/{job['job_id']}/files/stdout").status_code == 404
        # What it held, ten minutes, is given back but for what it used.
        assert _HAS - 600 < _left(heidi) < _HAS
        assert _left(bob) == before == _HAS
        whose = {each["user"] for each in ruth.http.get(f"{_PROJECT}/ledger").json()["items"] if each["job_id"]}
        assert whose == {"heidi"}
        assert delivered(lab, "svcjobs", "lugano") == []
    assert " as svcjobs for @lugano/heidi" in _connections(lab)
    assert " for heidi" not in _connections(lab)


def test_she_holds_and_cancels_it_and_what_runs_as_people_is_refused(lab: Lab, ruth: Sender) -> None:
    with someone(lab, "heidi") as (_, heidi), _visit(heidi, 600, "well\n") as job:
        heidi.wait(job["job_id"], "RUNNING")
        running = [row.split()[2] for row in jobs_of(lab, "svcjobs", "lugano") if "RUNNING" in row]
        assert running == [f"job-hub-{job['job_id']}"]
        log = f"/v1/jobs/{job['job_id']}/log"
        lab.wait("it has printed", lambda: heidi.http.get(log).text.splitlines()[-1:] == ["well"])
        line = {"type": "command", "system": "lugano", "command": "true", "project": "visitors"}
        assert heidi.http.post("/v1/jobs", json=line).status_code == 403
        asked = ruth.http.get("/v1/admin/systems").raise_for_status().json()["items"]
        assert next(each["observer"] for each in asked if each["key"] == "lugano") == "svcjobs@LAB.TEST"
        assert heidi.http.post(f"/v1/jobs/{job['job_id']}/cancel").status_code == 202
        heidi.wait(job["job_id"], "CANCELED")
        assert not [each for each in jobs_of(lab, "svcjobs", "lugano") if "RUNNING" in each]
        lab.wait("its ticket is taken away", lambda: delivered(lab, "svcjobs", "lugano") == [])


def _place(theirs: Sender) -> dict[str, Any]:
    """Return what somebody is told of the type at its only system."""
    (place,) = theirs.http.get("/v1/types/visit").raise_for_status().json()["systems"]
    return dict(place)


def _connections(lab: Lab) -> str:
    """Return as whom, and for whom, the service of batch jobs has logged in to lugano's front end."""
    said = lab.log("hub", "jobs").read_text().splitlines()
    return "\n".join(line for line in said if f"connected to {FRONT_END['lugano']}" in line)
