"""The caller's own jobs, their files, and what there is, by the old paths."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from job_service.stages import Stage
from tests.job_service.http.old.test_shapes import DOCUMENTED
from tests.job_service.http.serving import Serving

ENDED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def sent(somebody: httpx.AsyncClient, place: str = "geneva/", title: str = "") -> dict[str, Any]:
    payload = f'{{"command": "date", "runtime": 0.5, "title": "{title}"}}'
    got = await somebody.post(f"/api/jobs/{place}", params={"wait": 0}, headers={"Payload": payload})
    assert got.status_code == 201, got.text
    job: dict[str, Any] = got.json()
    return job


def place(job: dict[str, Any]) -> str:
    return f"{job['project_hpc'].lower()}/{job['project_name']}/{job['job_id']}/"


async def test_jobs_are_listed_at_each_place_newest_first(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    jobs = [await sent(alice), await sent(alice), await sent(alice, "zurich/")]
    await sent(bob, "zurich/")
    ids = [each["job_id"] for each in reversed(jobs)]

    async def listed(where: str, **query: int) -> tuple[list[str], str]:
        got = await alice.get(f"/api/jobs/{where}", params=query)
        assert got.status_code == 200, got.text
        assert all(list(each) == list(DOCUMENTED) for each in got.json())
        return [each["job_id"] for each in got.json()], got.headers["X-Total-Count"]

    assert await listed("") == (ids, "3")
    assert await listed("GENEVA/") == (ids[1:], "2")
    assert await listed("geneva/proj1/") == (ids[1:], "2")
    assert await listed("geneva/other/") == ([], "0")
    assert await listed("", limit=1, offset=1) == ([ids[1]], "3")
    assert await listed("", offset=2**31) == ([], "3")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", f"offset={10**30}", f"limit={'9' * 5000}"]
)
async def test_a_list_asked_for_wrongly_names_what_is_wrong(alice: httpx.AsyncClient, query: str) -> None:
    got = await alice.get(f"/api/jobs/?{query}")
    assert (got.status_code, got.json()["field"]) == (422, query.partition("=")[0])


async def test_one_remote_call_a_job_in_every_get(alice: httpx.AsyncClient, service: Serving) -> None:
    job = await sent(alice)
    told = list(service.running.told)
    await alice.get("/api/jobs/")
    assert (await alice.get(f"/api/jobs/{place(job)}")).json() == job
    assert service.running.told == told


async def test_a_job_is_found_at_its_place_alone(alice: httpx.AsyncClient) -> None:
    job = await sent(alice)
    number = job["job_id"]
    assert (await alice.get(f"/api/jobs/Geneva/proj1/{number.upper()}/")).json() == job
    for wrong in (
        f"zurich/proj1/{number}/",
        f"geneva/other/{number}/",
        "geneva/proj1/000000000000/",
    ):
        assert (await alice.get(f"/api/jobs/{wrong}")).status_code == 404


async def test_cancel_crashed(alice: httpx.AsyncClient, service: Serving) -> None:
    job = await sent(alice)
    await service.running.goes(job["job_id"], Stage.READY, Stage.QUEUED, Stage.RUNNING)
    got = await alice.delete(f"/api/jobs/{place(job)}")
    assert (got.status_code, got.json()["stage"], got.json()["failed"]) == (202, "RUNNING", False)
    assert service.running.told[-1] == ("cancel", job["job_id"])


async def test_a_job_that_is_over_is_removed(alice: httpx.AsyncClient, service: Serving) -> None:
    job = await sent(alice)
    await service.running.goes(job["job_id"], Stage.READY, Stage.QUEUED, Stage.RUNNING, Stage.SUCCESSFUL)
    for _ in range(2):
        got = await alice.delete(f"/api/jobs/{place(job)}")
        assert (got.status_code, got.json()["stage"], got.json()["failed"]) == (200, "DELETED", False)
    assert [act for act, _ in service.running.told].count("remove") == 1


async def test_delete_of_other_peoples_jobs(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, service: Serving
) -> None:
    job = await sent(alice)
    told = list(service.running.told)
    for where in (f"/api/jobs/{place(job)}", f"/api/files/{place(job)}", f"/api/files/{place(job)}stdout/"):
        assert (await bob.get(where)).status_code == 404
    assert (await bob.delete(f"/api/jobs/{place(job)}")).status_code == 404
    assert service.running.told == told
    assert (await bob.get("/api/jobs/")).json() == []


async def test_refunds_in_hours(alice: httpx.AsyncClient, service: Serving) -> None:
    async def left() -> int:
        return int((await alice.get("/api/quotas/geneva/proj1/")).json()["time_left"])

    cancelled, used = await sent(alice), await sent(alice)
    assert await left() == 7200 - 2 * 1800
    assert (await alice.delete(f"/api/jobs/{place(cancelled)}")).json()["stage"] == "CANCELED"
    assert await left() == 7200 - 1800
    stages = (Stage.READY, Stage.QUEUED, Stage.RUNNING, Stage.SUCCESSFUL)
    await service.running.goes(used["job_id"], *stages, elapsed_s=601, ended=ENDED)
    assert await left() == 7200 - 601
    (project,) = (await alice.get("/api/projects/geneva/")).json()
    assert project["time_left"] == 36_000 - 601
    assert (await alice.get(f"/api/jobs/{place(used)}")).json()["end_date"] == "2026-03-01T12:00:00Z"


async def test_files_are_listed_and_had(alice: httpx.AsyncClient, service: Serving) -> None:
    job = await sent(alice)
    folder = service.files.folder / job["job_id"]
    (folder / "my results").mkdir(parents=True)
    names = ["stdout", "my results/a ï%2F?#.txt", "ends in a slash", "\udcff.dat"]
    for name in names:
        (folder / name).write_bytes(name.encode(errors="surrogateescape"))
    files = (await alice.get(f"/api/files/{place(job)}")).json()
    assert [set(each) for each in files] == [{"fileid", "filename", "length", "modified"}] * 4
    for each in files:
        for fileid in (each["fileid"], each["fileid"].replace("/", "%2F")):
            got = await alice.get(f"/api/files/{place(job)}{fileid}/")
            assert got.status_code == 200
            assert quote(got.content, safe="/") == each["fileid"]
            assert (len(got.content), got.headers["Content-Disposition"][:10]) == (each["length"], "attachment")
    part = await alice.get(f"/api/files/{place(job)}stdout/", headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, b"st")


@pytest.mark.parametrize("path", ["none/", "..%2F..%2Fetc%2Fpasswd/", "%00/", "/", "a//"])
async def test_a_file_that_there_is_not(alice: httpx.AsyncClient, path: str) -> None:
    job = await sent(alice)
    assert 400 <= (await alice.get(f"/api/files/{place(job)}{path}")).status_code < 500


async def test_a_removed_job_has_no_files(alice: httpx.AsyncClient, service: Serving) -> None:
    job = await sent(alice)
    await service.running.goes(job["job_id"], Stage.CANCELED)
    await alice.delete(f"/api/jobs/{place(job)}")
    assert (await alice.get(f"/api/files/{place(job)}")).status_code == 404


async def test_the_service_is_up_for_anybody(alice: httpx.AsyncClient) -> None:
    assert (await alice.get("/api/status/", headers={"Authorization": ""})).json() == {
        "bsp-service-account-status": 1
    }


async def test_what_there_is(alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    systems = (await alice.get("/api/hpc/")).json()
    assert systems[0] == {"id": 1, "name": "GENEVA"}
    assert (await alice.get("/api/hpc/gEneva/")).json() == systems[0]
    project = {
        "hpc": "GENEVA",
        "id": 1,
        "init_space": 0,
        "init_time": 36_000,
        "name": "proj1",
        "space_left": 0,
        "time_left": 36_000,
        "user_space": 0,
        "user_time": 7_200,
    }
    for where in ("", "Geneva/"):
        assert (await alice.get(f"/api/projects/{where}")).json() == [project]
        assert (await bob.get(f"/api/projects/{where}")).json() == []
    assert (await alice.get("/api/projects/geneva/proj1/")).json() == project


async def test_what_is_left(alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    await sent(alice)
    quota = {
        "id": 1,
        "project": 1,
        "project_hpc": "GENEVA",
        "project_name": "proj1",
        "space_left": 0,
        "time_left": 5400,
        "user": "alice",
    }
    for where in ("", "GENEVA/"):
        got = (await alice.get(f"/api/quotas/{where}")).json()
        assert [{**each, "id": 1} for each in got] == [quota]
        assert isinstance(got[0]["id"], int)
    assert (await alice.get("/api/quotas/zurich/")).json() == []
    assert (await alice.get("/api/quotas/geneva/proj1/")).json()["time_left"] == 5400
    assert (await bob.get("/api/quotas/geneva/proj1/")).status_code == 404


@pytest.mark.parametrize("what", ["jobs", "projects", "quotas", "hpc"])
@pytest.mark.parametrize("name", ["nowhere", "%00", "%2e%2e", "%f0%9f%92%a9", "x" * 3000])
async def test_a_system_that_there_is_not(alice: httpx.AsyncClient, what: str, name: str) -> None:
    got = await alice.get(f"/api/{what}/{name}/")
    assert got.status_code == (422 if name in {"%00", "x" * 3000} else 404)
    assert len(got.json()["detail"]) < 300


async def test_who_forgets_the_slash_at_the_end_is_told_of_it(alice: httpx.AsyncClient) -> None:
    where = f"/api/jobs/{place(await sent(alice))}"
    payload = {"Payload": '{"command": "date"}'}
    without = [await alice.get(where[:-1]), await alice.post("/api/jobs/geneva", headers=payload)]
    told = [without[0].json() | {"request_id": ""}, without[1].json() | {"request_id": ""}]
    assert told[0] == told[1]
    assert (told[0]["status"], told[0]["hint"]) == (404, "Write it with a slash at its end.")
    extra, nowhere = await alice.get("/api/v1/jobs/"), await alice.get("/api/nowhere")
    assert (extra.status_code, extra.json()["hint"]) == (404, "Write it without the slash at its end.")
    assert (nowhere.status_code, "hint" in nowhere.json()) == (404, False)
