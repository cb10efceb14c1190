"""People whose jobs run as one account of a site: in the service each has their own."""

from typing import Any

import pytest
from fastapi import FastAPI

from job_service.stages import Stage
from tests.job_service.accepting.deciding import TYPES, VISIT, VISITED
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, client
from tests.job_service.http.test_jobs import V1

_PEOPLE = ("heidi", "ivan")


@pytest.fixture(autouse=True)
async def _visited(app: FastAPI, service: Serving) -> None:
    """Let lugano have an account, and heidi and ivan a project for it; neither has a ticket."""
    service.offers({**TYPES, "visit": VISIT}, sites=VISITED)
    service.tickets.left.update(dict.fromkeys(_PEOPLE))
    async with client(app, "ruth:admin") as ruth:
        await ruth.get(f"{V1}/types")
        new = {"system": "lugano", "name": "visitors", "identity": "service", "is_open": True}
        made = await ruth.post(f"{V1}/admin/projects", json={**new, "init_time": 10**6, "user_time": 10**5})
        assert (made.status_code, made.json()["identity"]) == (201, "service")


async def _visit(app: FastAPI, name: str) -> dict[str, Any]:
    async with client(app, f"{name}:submit") as theirs:
        sent = await theirs.post(f"{V1}/jobs", json={"type": "visit", "project": "visitors"})
        assert sent.status_code == 201, sent.text
        return dict(sent.json())


async def test_each_sees_their_own_jobs_alone_though_they_run_as_one_account(
    app: FastAPI, service: Serving
) -> None:
    jobs = {name: await _visit(app, name) for name in _PEOPLE}
    for name, job in jobs.items():
        await service.running.goes(job["job_id"], Stage.QUEUED, Stage.RUNNING)
        assert (job["owner"], job["folder"]) == (name, f"/scratch/svcjobs/jobs/{job['job_id']}")
    async with client(app, "heidi:submit") as heidi:
        listed = (await heidi.get(f"{V1}/jobs")).json()["items"]
        assert [each["job_id"] for each in listed] == [jobs["heidi"]["job_id"]]
        there = f"{V1}/jobs/{jobs['ivan']['job_id']}"
        for path in ("", "/events", "/script", "/files", "/files/stdout", "/log", "/archive.tar"):
            assert (await heidi.get(f"{there}{path}")).status_code == 404, path
        assert (await heidi.put(f"{there}/files/in.txt", content=b"x")).status_code == 404
        for act in ("cancel", "hold", "release", "start", "resubmit"):
            assert (await heidi.post(f"{there}/{act}")).status_code == 404
        assert (await heidi.delete(there)).status_code == 404
        (quota,) = (await heidi.get(f"{V1}/quotas")).json()["items"]
    assert (quota["identity"], quota["quota"]["time_left_s"]) == ("service", 10**5 - 3600)


async def test_the_form_says_that_nothing_is_private_at_the_cluster_and_asks_only_for_what_counts(
    app: FastAPI,
) -> None:
    async with browser(app, "heidi:submit") as heidi:
        visit, command = (await heidi.get("/new?type=visit")).text, (await heidi.get("/new?type=command")).text
    says = "At Lugano this runs as one account for everybody who sends it"
    assert (says in visit, says in command) == (True, False)
    assert ('value="visitors"' in visit, 'value="physics"' in visit) == (True, False)
    assert ('value="visitors"' in command, 'value="physics"' in command) == (False, True)
    none = "count against a project for such jobs. You have none"
    assert none not in visit
    async with client(app, "ruth:admin") as ruth:
        assert (await ruth.delete(f"{V1}/admin/projects/lugano/visitors")).status_code < 300
    async with browser(app, "heidi:submit") as heidi:
        # Before she fills anything in.
        assert none in (await heidi.get("/new?type=visit")).text
        assert none not in (await heidi.get("/new?type=command")).text
        # Nor does she look at it for nothing.
        assert (await heidi.get("/new")).text.count(none) == 1
