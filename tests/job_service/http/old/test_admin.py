"""The old paths of admins."""

from typing import Any

import httpx
import pytest

from tests.job_service.http.old.test_jobs import place, sent
from tests.job_service.http.serving import Serving


async def _number(ruth: httpx.AsyncClient, name: str) -> int:
    users = (await ruth.get("/api/admin/users/")).json()
    return next(int(each["id"]) for each in users if each["username"] == name)


async def _audited(service: Serving) -> list[tuple[str, str]]:
    return [(each.actor, each.action) for each in (await service.administration.audit()).items]


async def test_everybodys_jobs_by_system_or_by_user(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, ruth: httpx.AsyncClient
) -> None:
    hers, his = await sent(alice), await sent(bob, "zurich/")
    number = await _number(ruth, "alice")

    async def found(where: str) -> Any:
        got = await ruth.get(f"/api/admin/jobs/{where}")
        assert got.status_code == 200, got.text
        return [each["job_id"] for each in got.json()] if isinstance(got.json(), list) else got.json()["job_id"]

    assert await found("") == [his["job_id"], hers["job_id"]]
    for where in ("alice/", f"{number}/", "Geneva/", "alice/geneva/", "geneva/proj1/", f"{number}/geneva/proj1/"):
        assert await found(where) == [hers["job_id"]]
    assert await found("alice/zurich/") == []
    for where in (place(hers), f"alice/{place(hers)}", f"{number}/{place(hers)}"):
        assert await found(where) == hers["job_id"]
    for where in ("carol/", "99/", f"bob/{place(hers)}", "alice/nowhere/", "geneva/proj1/x/"):
        assert (await ruth.get(f"/api/admin/jobs/{where}")).status_code == 404


@pytest.mark.parametrize("act", ["ban", "unban", "groups/add", "groups/remove"])
async def test_state_changed_by_get(alice: httpx.AsyncClient, ruth: httpx.AsyncClient, act: str) -> None:
    await sent(alice)
    got = await ruth.get(f"/api/admin/{act}/alice/1/")
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")
    (user,) = (await ruth.get("/api/admin/users/")).json()
    assert (user["groups"], user["banned_from"]) == ([1], [])


async def test_a_ban_that_did_nothing_or_banned_from_everything(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, service: Serving
) -> None:
    await sent(alice)
    got = await ruth.post(f"/api/admin/ban/{await _number(ruth, 'alice')}/proj1/")
    assert (got.status_code, got.json()["banned_from"], got.json()["banned"]) == (200, [1], False)
    refused = await alice.post("/api/jobs/geneva/", headers={"Payload": '{"command": "date"}'})
    assert (refused.status_code, refused.json()["code"]) == (403, "banned")
    await sent(alice, "zurich/")
    assert (await ruth.post("/api/admin/unban/alice/1/")).json()["banned_from"] == []
    assert (await ruth.post("/api/admin/unban/alice/1/")).status_code == 404
    await sent(alice)
    assert (await _audited(service))[:2] == [("ruth", "unban"), ("ruth", "ban")]


async def test_groups_edited_as_text(alice: httpx.AsyncClient, ruth: httpx.AsyncClient, service: Serving) -> None:
    for number in range(2, 12):
        await service.administration.create_project("ruth", {"system": "geneva", "name": f"p{number}"})
    await sent(alice)
    assert (await ruth.post("/api/admin/groups/add/alice/11/")).json()["groups"] == [1, 11]
    assert (await ruth.post("/api/admin/groups/add/alice/11/")).json()["groups"] == [1, 11]
    assert (await ruth.post("/api/admin/groups/remove/alice/1/")).json()["groups"] == [11]
    assert (await ruth.post("/api/admin/groups/remove/alice/1/")).status_code == 404
    assert (await ruth.post("/api/admin/groups/add/alice/proj1/")).json()["groups"] == [1, 11]


async def test_a_project_of_several_systems_is_named_by_its_number(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, service: Serving
) -> None:
    await service.administration.create_project("ruth", {"system": "zurich", "name": "proj1"})
    await sent(alice)
    got = await ruth.post("/api/admin/groups/add/alice/proj1/")
    assert (got.status_code, got.json()["field"]) == (422, "project")
    assert (await ruth.post("/api/admin/groups/add/alice/2/")).json()["groups"] == [1, 2]


@pytest.mark.parametrize("act", ["ban", "unban", "groups/add", "groups/remove"])
@pytest.mark.parametrize("who", ["carol/1", "alice/99", "alice/none", "%00/1", f"{'9' * 30}/1", "alice/%2e%2e"])
async def test_whom_or_what_there_is_not(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, act: str, who: str
) -> None:
    await sent(alice)
    assert (await ruth.post(f"/api/admin/{act}/{who}/")).status_code == (422 if "%00" in who else 404)


async def test_projects_are_made_changed_and_taken_away(ruth: httpx.AsyncClient, service: Serving) -> None:
    new = {"hpc": "Geneva", "name": "proj2", "init_time": 3600, "user_time": 60}
    made = await ruth.post("/api/admin/projects/", json=new)
    assert (made.status_code, made.json()["hpc"], made.json()["time_left"]) == (201, "GENEVA", 3600)
    where = "/api/admin/projects/geneva/proj2/"
    assert (await ruth.get(where)).json() == made.json()
    assert (await ruth.get("/api/admin/projects/")).json() == [made.json()]
    assert (await ruth.get("/api/admin/projects/geneva/")).json() == [made.json()]
    assert (await ruth.get("/api/admin/projects/zurich/")).json() == []
    assert (await ruth.put(where, json={**made.json(), "hpc": "geneva"})).json() == made.json()
    changed = await ruth.put(where, json={**made.json(), "init_time": 7200})
    assert (changed.status_code, changed.json()["time_left"]) == (200, 7200)
    wrong = await ruth.put(where, json={"time_left": 5, "id": 9, "user_time": 1})
    assert (wrong.status_code, set(wrong.json()["fields"])) == (422, {"time_left", "id"})
    assert (await ruth.put(where, json={"more": 1})).status_code == 422
    assert (await ruth.delete(where)).status_code == 204
    assert (await ruth.get(where)).status_code == 404
    assert [action for _, action in await _audited(service)] == ["remove project", "change project", "add project"]


async def test_a_put_of_time_left_writes_an_adjustment(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, service: Serving
) -> None:
    await sent(alice)
    got = await ruth.put("/api/admin/quotas/alice/geneva/proj1/", json={"time_left": 20_000})
    assert (got.status_code, got.json()["time_left"]) == (200, 20_000), got.text
    project = await service.store.projects.get("geneva", "proj1")
    newest = (await service.store.ledger.entries(project, "alice")).items[0]
    assert (newest.kind, newest.seconds, newest.by) == ("adjust", 20_000 - 5400, "ruth")
    for where in ("alice/", "alice/geneva/", "geneva/", "geneva/proj1/", ""):
        assert [each["time_left"] for each in (await ruth.get(f"/api/admin/quotas/{where}")).json()] == [20_000]
    assert (await ruth.get("/api/admin/quotas/alice/geneva/proj1/")).json() == got.json()
    other = await ruth.put("/api/admin/quotas/Geneva/proj1/", json={"user": "alice", "time_left": 5})
    assert other.json()["time_left"] == 5
    assert (await ruth.post("/api/admin/quotas/geneva/proj1/", json={"user": "alice"})).json()["time_left"] == 7200
    assert (await ruth.delete("/api/admin/quotas/alice/geneva/proj1/")).status_code == 204
    assert (await alice.get("/api/quotas/geneva/proj1/")).json()["time_left"] == 0


@pytest.mark.parametrize("body", [{"time_left": -1}, {"time_left": "9"}, {"time_left": 10**30}, {"x": 1}, [], "x"])
async def test_a_quota_that_is_none_is_refused_by_field(
    alice: httpx.AsyncClient, ruth: httpx.AsyncClient, body: Any
) -> None:
    await sent(alice)
    got = await ruth.put("/api/admin/quotas/alice/geneva/proj1/", json=body)
    assert got.status_code == 422
    assert got.json()["field"]


async def test_project_totals_never_charged(alice: httpx.AsyncClient, ruth: httpx.AsyncClient) -> None:
    await sent(alice)
    (project,) = (await ruth.get("/api/admin/projects/geneva/")).json()
    assert project["time_left"] == 36_000 - 1800
