"""One person sends so many jobs a minute, and no more."""

import asyncio

import httpx
import pytest

from job_service.http.pace import Pace
from job_service.http.problems import Problem
from job_service.service import JOBS_A_MINUTE
from tests.job_service.accepting.deciding import TYPES
from tests.job_service.http.pages.test_pages import ALICE
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, client, xsrf
from tests.job_service.http.test_jobs import V1, sent
from tests.support import builders


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _taken(pace: Pace, person: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            pace.step(person)
        except Problem:
            break
        count += 1
    return count


def test_a_minutes_worth_may_come_at_once_and_then_as_many_a_minute() -> None:
    clock = Clock()
    pace = Pace(60, clock)
    assert _taken(pace, "alice", 100) == 60
    with pytest.raises(Problem) as refused:
        pace.step("alice")
    assert (refused.value.status_code, refused.value.code) == (429, "too_many")
    clock.now += int((refused.value.headers or {})["Retry-After"])
    assert _taken(pace, "alice", 100) == 1
    clock.now += 30
    assert _taken(pace, "alice", 100) == 30
    clock.now += 3600
    assert _taken(pace, "alice", 100) == 60


def test_one_persons_jobs_are_not_anothers_and_nobody_is_remembered_for_ever() -> None:
    clock = Clock()
    pace = Pace(60, clock)
    assert _taken(pace, "alice", 100) == 60
    assert _taken(pace, "bob", 1) == 1
    clock.now += 61
    for number in range(5000):
        pace.step(f"person{number}")
        clock.now += 1
    assert len(pace._whole_at) <= 1001
    assert _taken(pace, "alice", 100) == 60


def test_five_hundred_jobs_of_one_person_within_ten_seconds_are_not_too_many() -> None:
    assert _taken(Pace(JOBS_A_MINUTE, Clock()), "alice", 500) == 500


async def test_one_job_too_many_is_told_when_to_come_again_on_all_ways_to_send_one(service: Serving) -> None:
    app = service.app(jobs_a_minute=1)
    async with client(app, "alice:submit") as alice, client(app, "bob:submit") as bob:
        job_id = await sent(alice)
        job = {"type": "command", "system": "geneva", "command": "hostname"}
        payload = {"Payload": '{"command": "hostname"}'}
        for got in (
            await alice.post(f"{V1}/jobs", json=job),
            await alice.post(f"{V1}/jobs/{job_id}/resubmit"),
            await alice.post("/api/jobs/geneva/", headers=payload),
        ):
            assert (got.status_code, got.json()["code"]) == (429, "too_many")
            assert 0 < int(got.headers["Retry-After"]) <= 60
        await sent(bob)
        assert len((await alice.get(f"{V1}/jobs")).json()["items"]) == 1


@pytest.mark.parametrize("mode", ["each", "array"])
async def test_a_request_for_many_datasets_counts_as_many_jobs(service: Serving, mode: str) -> None:
    lists = {"demo": {"list": [{"id": name, "type": "scan", "location": f"/data/{name}"} for name in "abcde"]}}
    wanted = {"types": ["scan"], "modes": ["each", "array"]}
    recon = builders.job_type(run=["/opt/recon", "{dataset}"], datasets=wanted, parameters={})
    service.offers({"recon": recon}, lists)
    body = {"type": "recon", "system": "geneva", "mode": mode, "datasets": [f"demo:{name}" for name in "abcde"]}
    async with client(service.app(jobs_a_minute=6), "alice:submit") as alice:
        # More than are left may come at once: they are made up for later.
        assert (await alice.post(f"{V1}/jobs", json=body)).status_code == 201
        assert (await alice.post(f"{V1}/jobs", json=body)).status_code == 201
        got = await alice.post(f"{V1}/jobs", json=body)
        assert (got.status_code, got.json()["code"]) == (429, "too_many")
        assert 30 < int(got.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("mode", ["each", "array"])
async def test_a_form_for_many_datasets_counts_as_many_jobs(service: Serving, mode: str) -> None:
    lists = {"demo": {"list": [{"id": name, "type": "scan", "location": f"/data/{name}"} for name in "abcde"]}}
    wanted = {"types": ["scan"], "modes": ["each", "array"]}
    recon = builders.job_type(run=["/opt/recon", "{dataset}"], datasets=wanted, parameters={})
    service.offers({"recon": recon}, lists)
    form = {"_xsrf": xsrf(ALICE), "type": "recon", "site": "geneva", "mode": mode}
    async with browser(service.app(jobs_a_minute=6), ALICE) as alice:

        async def send() -> httpx.Response:
            values = {**form, "dataset": [f"demo:{name}" for name in "abcde"]}
            return await alice.post("/new", data=values, files={"file": ("", b"")})

        assert [(await send()).status_code for _ in range(3)] == [303, 303, 429]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/datasets",
        "/api/v1/datasets/demo:a",
        "/api/v1/jobs",
        "/api/v1/jobs?q=a",
        "/api/v1/systems",
        "/api/v1/types",
        "/api/v1/projects",
        "/api/v1/admin/jobs",
        "/api/v1/admin/people",
        "/api/v1/admin/audit",
        "/api/jobs/",
        "/api/jobs/geneva/",
        "/api/hpc/",
        "/api/admin/jobs/",
    ],
)
async def test_one_person_has_so_many_lists_under_way(service: Serving, path: str) -> None:
    lists = {"demo": {"list": [{"id": "a", "type": "scan", "location": "/data/a"}]}}
    service.offers(TYPES, lists)
    app = service.app()
    under_way = app.state.kept.lists
    async with client(app, "alice:admin") as alice, client(app, "bob:admin") as bob:
        with under_way.one("alice"), pytest.MonkeyPatch.context() as patch:
            patch.setattr(under_way, "_most", 1)
            got = await alice.get(path)
            assert (got.status_code, got.json()["code"]) == (429, "too_many")
            assert (await bob.get(path)).status_code == 200
        assert (await alice.get(path)).status_code == 200
    assert not under_way._under_way


async def test_the_pages_of_jobs_count_among_them_for_an_array_has_a_thousand_tasks(service: Serving) -> None:
    app = service.app()
    under_way = app.state.kept.lists
    async with client(app, "alice:submit") as api, browser(app, ALICE) as alice:
        job_id = await sent(api)
        words = {"X-XSRFToken": xsrf(ALICE)}
        with under_way.one("alice"), pytest.MonkeyPatch.context() as patch:
            patch.setattr(under_way, "_most", 1)
            assert (await alice.get(f"/jobs/{job_id}")).status_code == 429
            assert (await alice.get(f"/parts/jobs/{job_id}", headers=words)).status_code == 429
        assert (await alice.get(f"/jobs/{job_id}")).status_code == 200


async def test_the_lists_of_a_persons_own_pages_are_not_too_many(service: Serving) -> None:
    async with client(service.app(), "alice:submit") as alice:
        got = await asyncio.gather(*(alice.get(f"{V1}/jobs") for _ in range(10)))
    assert {each.status_code for each in got} == {200}
