"""What admins see and change; and that nobody else does."""

from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from job_service.stages import Stage
from job_service.store.accounting import Project
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client

V1, ADMIN = "/api/v1", "/api/v1/admin"
COMMAND = {"type": "command", "system": "geneva", "command": "hostname"}
PROJECT = {"system": "geneva", "name": "proj1", "init_time": 36_000, "user_time": 7_200, "is_default": True}


@pytest.fixture
async def alice(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, "alice:submit") as found:
        yield found


@pytest.fixture
async def ruth(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, "ruth:admin") as found:
        yield found


async def _sent(somebody: httpx.AsyncClient, **other: Any) -> str:
    got = await somebody.post(f"{V1}/jobs", json={**COMMAND, **other})
    assert got.status_code == 201, got.text
    job_id: str = got.json()["job_id"]
    return job_id


async def _audited(ruth: httpx.AsyncClient, **query: str) -> list[tuple[str, str, str]]:
    items = (await ruth.get(f"{ADMIN}/audit", params=query)).json()["items"]
    return [(each["actor"], each["action"], each["target"]) for each in items]


async def _made(ruth: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    got = await ruth.post(f"{ADMIN}/projects", json={**PROJECT, **changed})
    assert got.status_code == 201, got.text
    project: dict[str, Any] = got.json()
    return project


async def test_everybodys_jobs(alice: httpx.AsyncClient, ruth: httpx.AsyncClient, app: FastAPI) -> None:
    hers = await _sent(alice)
    async with client(app, "bob:submit") as bob:
        his = await _sent(bob)

    async def found(**query: str) -> list[str]:
        got = await ruth.get(f"{ADMIN}/jobs", params=query)
        return [each["job_id"] for each in got.json()["items"]]

    assert await found() == [his, hers]
    assert await found(owner="alice") == [hers]
    assert await found(owner="alice", system="zurich") == []
    page = (await ruth.get(f"{ADMIN}/jobs?limit=1")).json()
    assert await found(cursor=page["next"]) == [hers]
    assert (await ruth.get(f"{ADMIN}/jobs/{hers}")).json() == (await alice.get(f"{V1}/jobs/{hers}")).json()
    history = (await ruth.get(f"{ADMIN}/jobs/{hers}/events")).json()["items"]
    assert [each["job_id"] for each in history] == [hers]
    none = await ruth.get(f"{ADMIN}/jobs/000000000000")
    assert (none.status_code, none.json()["detail"]) == (404, "There is no job 000000000000.")


async def test_what_admins_do_with_jobs_is_audited(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await _sent(alice)
    await service.running.goes(job_id, Stage.READY, Stage.QUEUED)
    for act, status in (("hold", 202), ("release", 200), ("cancel", 202)):
        assert (await ruth.post(f"{ADMIN}/jobs/{job_id}/{act}")).status_code == status
        assert (await _audited(ruth))[0] == ("ruth", f"{act} job", job_id)
    assert (await ruth.delete(f"{ADMIN}/jobs/{job_id}")).status_code == 409
    await service.running.goes(job_id, Stage.CANCELED)
    removed = await ruth.delete(f"{ADMIN}/jobs/{job_id}")
    assert (removed.status_code, removed.json()["stage"]) == (202, "DELETED")
    assert [action for _, action, _ in await _audited(ruth, target=job_id)] == [
        "remove job",
        "cancel job",
        "release job",
        "hold job",
    ]


async def test_a_service_of_the_hub_acts_under_a_name_that_no_person_has(
    app: FastAPI, ruth: httpx.AsyncClient
) -> None:
    async with client(app, "robot:admin") as robot:
        await _made(robot)
    assert (await _audited(ruth))[0][0] == "service:robot"


async def test_projects(ruth: httpx.AsyncClient) -> None:
    made = await _made(ruth, limits={"nodes": 2})
    where = f"{ADMIN}/projects/geneva/proj1"
    assert made.keys() == {field.name for field in fields(Project)}
    assert (made["id"], made["time_left"], made["charge"], made["limits"]) == (1, 36_000, "wall", {"nodes": 2})
    assert (await ruth.get(where)).json() == made
    assert (await ruth.get(f"{ADMIN}/projects", params={"system": "zurich"})).json() == {"items": [], "next": None}
    changed = await ruth.patch(where, json={"title": "One", "charge": "node"})
    assert changed.json() == {**made, "title": "One", "charge": "node"}
    assert (await ruth.post(f"{ADMIN}/projects", json=PROJECT)).status_code == 422
    assert (await ruth.delete(where)).status_code == 204
    assert (await ruth.get(where)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**PROJECT, "more": 1}, "more"),
        ({**PROJECT, "init_time": -1}, "init_time"),
        ({**PROJECT, "init_time": "1"}, "init_time"),
        ({**PROJECT, "charge": "gpu"}, "charge"),
        ({**PROJECT, "is_open": 1}, "is_open"),
        ({**PROJECT, "limits": {"nodes": -1}}, "limits.nodes"),
        ({**PROJECT, "system": "nowhere"}, "system"),
        ({**PROJECT, "name": ""}, "name"),
        ({**PROJECT, "name": "a/b"}, "name"),
        ({"system": "geneva"}, "name"),
    ],
)
async def test_a_project_that_cannot_be_is_refused_by_field(
    ruth: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    got = await ruth.post(f"{ADMIN}/projects", json=body)
    assert (got.status_code, got.json()["field"]) == (422, field), got.text


async def test_a_grant_is_given_and_taken_back(alice: httpx.AsyncClient, ruth: httpx.AsyncClient) -> None:
    await _made(ruth, is_open=True)
    await _sent(alice, choices={"time": "30m"})
    where, quota = f"{ADMIN}/projects/geneva/proj1", f"{ADMIN}/quotas/alice/geneva/proj1"
    for seconds, left in ((3600, 9000), (-3600, 5400)):
        given = {"user": "alice", "seconds": seconds, "note": "because"}
        got = await ruth.post(f"{where}/grants", json=given)
        assert (got.status_code, got.json()["seconds"], got.json()["by"]) == (201, seconds, "ruth")
        assert (await ruth.get(quota)).json()["time_left"] == left
    assert (await ruth.post(f"{where}/grants", json={"seconds": 64})).status_code == 201
    assert (await ruth.get(where)).json()["time_left"] == 36_000 - 1800 + 64
    entries = (await ruth.get(f"{where}/ledger", params={"user": "alice"})).json()["items"]
    assert [each["kind"] for each in entries] == ["grant", "grant", "hold", "grant"]
    done = await ruth.put(quota, json={"time_left": 20_000, "note": "rounded"})
    assert done.json() == {
        **done.json(),
        "user": "alice",
        "system": "geneva",
        "project": "proj1",
        "time_left": 20_000,
    }
    assert (await ruth.get(f"{where}/quotas")).json()["items"] == [done.json()]


async def test_members(ruth: httpx.AsyncClient, alice: httpx.AsyncClient) -> None:
    await _made(ruth)
    where = f"{ADMIN}/members/geneva/proj1"
    await ruth.put(f"{where}/user/alice")
    both = (await ruth.put(f"{where}/group/people")).json()["items"]
    assert both == (await ruth.get(where)).json()["items"]
    assert sorted((each["kind"], each["name"]) for each in both) == [("group", "people"), ("user", "alice")]
    assert len((await ruth.delete(f"{where}/user/alice")).json()["items"]) == 1
    assert (await ruth.delete(f"{where}/user/alice")).status_code == 404
    assert (await ruth.put(f"{where}/robot/alice")).status_code == 422
    await _sent(alice)


async def test_bans(alice: httpx.AsyncClient, ruth: httpx.AsyncClient) -> None:
    await _made(ruth, is_open=True)
    await _sent(alice)
    of_project = {"user": "alice", "system": "geneva", "project": "proj1", "reason": "she knows"}
    first = await ruth.post(f"{ADMIN}/bans", json=of_project)
    assert first.status_code == 201, first.text
    assert first.json() == {**first.json(), **of_project, "by": "ruth", "lifted": None}
    assert (await alice.post(f"{V1}/jobs", json=COMMAND)).json()["code"] == "banned"
    await _sent(alice, system="zurich")
    from_all = (await ruth.post(f"{ADMIN}/bans", json={"user": "alice"})).json()
    assert (await alice.post(f"{V1}/jobs", json={**COMMAND, "system": "zurich"})).json()["code"] == "banned"
    person = (await ruth.get(f"{ADMIN}/people/alice")).json()
    assert {each["id"] for each in person["bans"]} == {first.json()["id"], from_all["id"]}
    assert [each["project"] for each in person["quotas"]] == ["proj1"]
    for each in (first.json(), from_all):
        assert (await ruth.delete(f"{ADMIN}/bans/{each['id']}")).json()["lifted"]
        assert (await ruth.delete(f"{ADMIN}/bans/{each['id']}")).status_code == 404
    assert (await ruth.get(f"{ADMIN}/bans", params={"user": "alice"})).json()["items"] == []
    assert len((await ruth.get(f"{ADMIN}/bans?lifted=true")).json()["items"]) == 2
    await _sent(alice)


async def test_people_and_systems(alice: httpx.AsyncClient, ruth: httpx.AsyncClient) -> None:
    await _sent(alice)
    (person,) = (await ruth.get(f"{ADMIN}/people", params={"q": "LIC"})).json()["items"]
    assert (person["name"], person["number"]) == ("alice", 1)
    assert (await ruth.get(f"{ADMIN}/people", params={"q": "carol"})).json()["items"] == []
    assert (await ruth.get(f"{ADMIN}/people/carol")).status_code == 404
    systems = (await ruth.get(f"{ADMIN}/systems")).json()["items"]
    assert [each["key"] for each in systems] == ["geneva", "lugano", "zurich"]
    assert (systems[0]["observer"], systems[0]["stale"], systems[0]["doubts"]) == ("alice", False, 0)


@pytest.mark.parametrize("query", ["limit=0", "limit=9999", "cursor=x", f"cursor={'x' * 201}", "cursor=%00"])
@pytest.mark.parametrize("what", ["people", "audit", "jobs"])
async def test_a_list_asked_for_wrongly_is_refused_by_field(
    ruth: httpx.AsyncClient, what: str, query: str
) -> None:
    got = await ruth.get(f"{ADMIN}/{what}?{query}")
    assert (got.status_code, got.json()["field"]) == (422, query.partition("=")[0])


async def test_nobody_else_is_an_admin(app: FastAPI) -> None:
    places = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if "/admin/" in path or path.endswith("/metrics")
    ]
    assert len(places) > 40
    async with client(app, "alice:submit") as alice, client(app) as nobody:
        for method, path in places:
            refused = await alice.request(method, path)
            assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing"), path
            assert (await nobody.request(method, path)).status_code == 401, path
