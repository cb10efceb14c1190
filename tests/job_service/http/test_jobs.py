import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from job_service.http import given
from job_service.http.models import Job
from job_service.stages import Stage
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client, waits
from tests.support import builders

V1 = "/api/v1"
COMMAND = {"type": "command", "system": "geneva", "command": "hostname", "title": "a job"}
FIELDS = (
    "job_id id title owner system project type kind parent task group stage reason failed exit_code signal "
    "created queued started ended elapsed_s limit_s nodes cores memory_mib gpus native_id native_state observed "
    "stale folder datasets links"
)
RUNS = (Stage.QUEUED, Stage.RUNNING)


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with client(app, "alice:submit") as found:
        yield found


async def sent(alice: httpx.AsyncClient, **other: Any) -> str:
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, **other})
    assert got.status_code == 201, got.text
    job_id: str = got.json()["job_id"]
    return job_id


async def test_a_job_is_accepted_and_its_place_is_told(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, "choices": {"time": "30"}})
    assert got.status_code == 201
    job = got.json()
    assert " ".join(job) == FIELDS
    assert (job["stage"], job["owner"], job["title"], job["limit_s"]) == ("READY", "alice", "a job", 1800)
    assert got.headers["Location"] == f"/services/jobs{V1}/jobs/{job['job_id']}" == job["links"]["self"]
    assert service.running.told == [("wake", job["job_id"])]
    assert (await alice.get(got.headers["Location"].removeprefix("/services/jobs"))).json() == job


async def test_numbers_may_be_numbers(alice: httpx.AsyncClient) -> None:
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, "choices": {"cores": 2.0, "time": 30}})
    assert got.status_code == 201, got.text
    assert (got.json()["cores"], got.json()["limit_s"]) == (2, 1800)


async def test_with_a_key_a_request_is_done_once(alice: httpx.AsyncClient, service: Serving) -> None:
    keyed = {"Idempotency-Key": "k1"}
    first = await alice.post(f"{V1}/jobs", json=COMMAND, headers=keyed)
    again = await alice.post(f"{V1}/jobs", json=COMMAND, headers=keyed)
    other = await alice.post(f"{V1}/jobs", json={**COMMAND, "title": "other"}, headers=keyed)
    assert [each.status_code for each in (first, again, other)] == [201, 200, 422]
    assert first.json()["job_id"] == again.json()["job_id"]
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(service.running.told) == 1


async def test_all_that_is_wrong_is_told_at_once_by_its_name(alice: httpx.AsyncClient) -> None:
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, "title": "a\nb", "choices": {"cores": "many"}})
    assert got.status_code == 422
    assert {"title", "choices.cores"} <= set(got.json()["fields"])
    assert got.json()["field"] in got.json()["fields"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": 5}, "type"),
        ({}, "type"),
        ({**COMMAND, "datasets": ["a"]}, "datasets"),
        ({**COMMAND, "choices": {"cores": True}}, "choices.cores"),
        ({**COMMAND, "start": "tomorrow"}, "start"),
        ({**COMMAND, "arguments": "x"}, "arguments"),
        ({**COMMAND, "choices": {"cores": 10**400}}, "choices.cores"),
        ([], "body"),
    ],
)
async def test_what_is_no_description_of_a_job_is_refused_by_field(
    alice: httpx.AsyncClient, body: Any, field: str
) -> None:
    got = await alice.post(f"{V1}/jobs", json=body)
    assert (got.status_code, got.json()["field"]) == (422, field)
    assert got.json()["fields"][field]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"type": "command"}', "application/x-www-form-urlencoded", 415),
        (b'{"type": "command"}', "text/plain", 415),
        (b'{"type": "\\ud800"}', "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b'{"type": NaN}', "application/json", 422),
        (b'{"type": "command", "choices": {"cores": Infinity}}', "application/json", 422),
        (b'{"type": "command", "choices": {"cores": %s}}' % (b"9" * 5000), "application/json", 400),
        (b"", "application/json", 422),
    ],
)
async def test_other_bodies_are_refused(alice: httpx.AsyncClient, content: bytes, kind: str, status: int) -> None:
    got = await alice.post(f"{V1}/jobs", content=content, headers={"Content-Type": kind})
    assert got.status_code == status, got.text
    assert got.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**COMMAND, "inputs": [1] * 2000}, "inputs"),
        ({**COMMAND, "arguments": [1] * 2000}, "arguments"),
        ({**COMMAND, "choices": {str(n): None for n in range(2000)}}, "choices"),
        ({str(n): 0 for n in range(2000)}, "body"),
    ],
)
@pytest.mark.parametrize("path", ["/jobs", "/preview"])
async def test_of_many_things_that_are_wrong_not_each_is_told(
    alice: httpx.AsyncClient, path: str, body: Any, field: str
) -> None:
    """A body of 1 MiB has room for half a million: the service would do nothing else for a quarter of a minute."""
    got = await alice.post(V1 + path, json=body)
    assert (got.status_code, list(got.json()["fields"])) == (422, [field])


@pytest.mark.parametrize("name", ["a" * 10_000, "\x1b[31m\n"], ids=["long", "odd"])
async def test_a_name_that_somebody_made_up_is_cut_and_printable_where_it_is_told(
    alice: httpx.AsyncClient, name: str
) -> None:
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, name: 1, "choices": {name: None}})
    assert got.status_code == 422
    assert all(each.isprintable() and len(each) <= 100 for each in got.json()["fields"])


async def test_who_has_no_ticket_sends_nothing(alice: httpx.AsyncClient, service: Serving) -> None:
    service.tickets.left["alice"] = None
    got = await alice.post(f"{V1}/jobs", json=COMMAND)
    assert (got.status_code, got.json()["code"]) == (409, "ticket_needed")
    assert (await alice.get(f"{V1}/")).json()["ticket"] is None


async def test_a_quota_that_does_not_cover_a_job_is_told_with_both_numbers(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "small", "init_time": 7200, "user_time": 7200, "is_open": True}
    )
    got = await alice.post(f"{V1}/jobs", json={**COMMAND, "project": "small", "choices": {"time": "3h"}})
    assert (got.status_code, got.json()["code"]) == (403, "quota_exceeded"), got.text
    assert (got.json()["needed"], got.json()["left"]) == (10800, 7200)


async def test_jobs_are_listed_newest_first_and_page_by_page(alice: httpx.AsyncClient, app: FastAPI) -> None:
    ids = [await sent(alice, title=f"job {number}") for number in range(3)]
    first = (await alice.get(f"{V1}/jobs", params={"limit": 2})).json()
    rest = (await alice.get(f"{V1}/jobs", params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["job_id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    async with client(app, "bob:read") as bob:
        assert (await bob.get(f"{V1}/jobs")).json() == {"items": [], "next": None}


async def test_jobs_are_found_by_what_they_are(alice: httpx.AsyncClient, service: Serving) -> None:
    one, other = await sent(alice, title="fish"), await sent(alice, title="fowl")
    await service.running.goes(one, *RUNS)

    async def found(**query: Any) -> list[str]:
        got = await alice.get(f"{V1}/jobs", params=query)
        assert got.status_code == 200, got.text
        return [each["job_id"] for each in got.json()["items"]]

    assert await found(stage="RUNNING") == [one]
    assert await found(stage=["RUNNING", "READY"]) == [other, one]
    assert await found(q="FISH") == [one]
    assert await found(q=other[:6]) == [other]
    assert await found(system="lugano") == []
    assert await found(type="command", project="", limit=500) == [other, one]
    assert await found(since="2099-01-01T00:00:00") == []
    assert await found(since="2020-01-01T00:00:00+14:00") == [other, one]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"stage": "SLEEPING"}, "stage.0"),
        ({"limit": "0"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"q": "a\x00b"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"since": "yesterday"}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
async def test_a_list_asked_for_wrongly_is_refused_by_field(
    alice: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    got = await alice.get(f"{V1}/jobs", params=query)
    assert (got.status_code, got.json()["field"]) == (422, field), got.text


async def test_a_list_that_has_not_changed_is_not_sent_again(alice: httpx.AsyncClient) -> None:
    job_id = await sent(alice)
    first = await alice.get(f"{V1}/jobs")
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await alice.get(f"{V1}/jobs", headers=known)).status_code == 304
    await alice.patch(f"{V1}/jobs/{job_id}", json={"title": "new"})
    assert (await alice.get(f"{V1}/jobs", headers=known)).status_code == 200


async def test_a_job_is_news_only_once(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice)
    first = await alice.get(f"{V1}/jobs/{job_id}")
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await alice.get(f"{V1}/jobs/{job_id}", headers=known)).status_code == 304
    service.running.stale.add(job_id)
    assert (await alice.get(f"{V1}/jobs/{job_id}", headers=known)).json()["stale"]
    service.running.stale.clear()
    service.running.owed[job_id] = "It is to be cancelled."
    assert (await alice.get(f"{V1}/jobs/{job_id}", headers=known)).json()["reason"] == "It is to be cancelled."


async def test_who_waits_for_a_job_is_told_at_its_next_change(
    alice: httpx.AsyncClient, app: FastAPI, service: Serving
) -> None:
    job_id = await sent(alice)
    etag = (await alice.get(f"{V1}/jobs/{job_id}")).headers["ETag"]
    waiting = asyncio.create_task(
        alice.get(f"{V1}/jobs/{job_id}", params={"wait": 60}, headers={"If-None-Match": etag})
    )
    await until(lambda: waits(app, job_id))
    await service.running.goes(job_id, Stage.QUEUED)
    assert (await waiting).json()["stage"] == "QUEUED"
    assert not waits(app, job_id)


async def test_who_sends_a_job_may_wait_until_slurm_has_it(
    alice: httpx.AsyncClient, app: FastAPI, service: Serving
) -> None:
    waiting = asyncio.create_task(alice.post(f"{V1}/jobs", params={"wait": 60}, json=COMMAND))
    await until(lambda: service.running.told)
    job_id = service.running.told[0][1]
    await until(lambda: waits(app, job_id))
    await service.running.goes(job_id, Stage.QUEUED)
    got = await waiting
    assert (got.status_code, got.json()["native_id"]) == (201, "17")


async def test_nobody_waits_while_the_service_ends(
    alice: httpx.AsyncClient, app: FastAPI, service: Serving
) -> None:
    job_id = await sent(alice)
    etag = (await alice.get(f"{V1}/jobs/{job_id}")).headers["ETag"]
    waiting = asyncio.create_task(
        alice.get(f"{V1}/jobs/{job_id}", params={"wait": 60}, headers={"If-None-Match": etag})
    )
    await until(lambda: waits(app, job_id))
    service.closing.set()
    assert (await waiting).status_code == 304


async def test_one_person_waits_for_so_many_only(
    alice: httpx.AsyncClient, service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "WAITING_AT_ONCE", 0)
    async with client(service.app(), "alice:submit") as again:
        job_id = await sent(again)
        etag = (await again.get(f"{V1}/jobs/{job_id}")).headers["ETag"]
        got = await again.get(f"{V1}/jobs/{job_id}", params={"wait": 60}, headers={"If-None-Match": etag})
    assert (got.status_code, got.json()["code"]) == (429, "too_many")


async def test_a_job_gets_another_title_and_nothing_else(alice: httpx.AsyncClient) -> None:
    job_id = await sent(alice)
    changed = await alice.patch(f"{V1}/jobs/{job_id}", json={"title": "better"})
    assert changed.json()["title"] == "better"
    for body in ({"title": "a\x00b"}, {"title": "x" * 201}, {"title": None}, {"stage": "SUCCESSFUL"}):
        got = await alice.patch(f"{V1}/jobs/{job_id}", json=body)
        assert got.status_code == 422, got.text
    assert (await alice.get(f"{V1}/jobs/{job_id}")).json() == changed.json()


async def test_a_title_is_kept_though_the_job_changes_meanwhile(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(alice)
    jobs, change = service.store.jobs, service.store.jobs.change
    meanwhile = [Stage.QUEUED]

    async def changing(record: Any, changes: Any, event: str = "") -> Any:
        while meanwhile:
            await change(
                await jobs.get(job_id),
                {"stage": meanwhile.pop(), "submission": "sent", "native_id": "17"},
                "It waits.",
            )
        return await change(record, changes, event)

    jobs.change = changing  # type: ignore[method-assign]
    got = await alice.patch(f"{V1}/jobs/{job_id}", json={"title": "better"})
    assert (got.json()["title"], got.json()["stage"]) == ("better", "QUEUED")


async def test_acts_say_whether_they_are_done(alice: httpx.AsyncClient, service: Serving) -> None:
    waits, runs, later = await sent(alice), await sent(alice), await sent(alice, start="later")
    await service.running.goes(runs, *RUNS)

    async def status(job_id: str, act: str) -> int:
        return (await alice.post(f"{V1}/jobs/{job_id}/{act}")).status_code

    assert await status(later, "start") == 200
    assert await status(later, "start") == 409
    assert await status(waits, "cancel") == 200
    assert await status(waits, "cancel") == 409
    assert await status(runs, "cancel") == 202
    assert await status(runs, "hold") == 202
    assert await status(runs, "release") == 200


async def test_a_job_that_is_over_is_removed(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice)
    early = await alice.delete(f"{V1}/jobs/{job_id}")
    assert (early.status_code, early.json()["code"]) == (409, "wrong_stage")
    await service.running.goes(job_id, *RUNS, Stage.SUCCESSFUL)
    removed = await alice.delete(f"{V1}/jobs/{job_id}")
    assert (removed.status_code, removed.json()["stage"]) == (202, "DELETED")
    assert (await alice.get(f"{V1}/jobs")).json()["items"] == []
    assert (await alice.get(f"{V1}/jobs/{job_id}/files")).status_code == 404


async def test_a_job_is_sent_again_as_it_was(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice, title="first", choices={"time": "20"})
    again = await alice.post(f"{V1}/jobs/{job_id}/resubmit", headers={"Idempotency-Key": "again"})
    assert again.status_code == 201, again.text
    assert again.json()["job_id"] != job_id
    assert (again.json()["title"], again.json()["limit_s"]) == ("first", 1200)
    assert service.running.told[-1] == ("wake", again.json()["job_id"])
    twice = await alice.post(f"{V1}/jobs/{job_id}/resubmit", headers={"Idempotency-Key": "again"})
    assert (twice.status_code, twice.json()["job_id"]) == (200, again.json()["job_id"])


async def test_somebody_elses_job_is_not_there(alice: httpx.AsyncClient, app: FastAPI) -> None:
    job_id = await sent(alice)
    async with client(app, "bob:submit") as bob:
        theirs = await bob.get(f"{V1}/jobs/{job_id}")
        none = await bob.get(f"{V1}/jobs/{'0' * 12}")
        odd = await bob.get(f"{V1}/jobs/%00%0a%2e%2e")
    assert [each.status_code for each in (theirs, none, odd)] == [404, 404, 404]
    assert theirs.json()["code"] == none.json()["code"] == "not_found"


async def test_the_model_of_the_document_is_what_is_sent(alice: httpx.AsyncClient) -> None:
    job_id = await sent(alice)
    text = (await alice.get(f"{V1}/jobs/{job_id}")).text
    assert Job.model_validate_json(text).model_dump_json() == text


async def until(holds: Any) -> None:
    while not holds():  # noqa: ASYNC110 - of what it waits for, nobody tells
        await asyncio.sleep(0.005)


async def test_datasets_are_found_and_each_has_a_job(alice: httpx.AsyncClient, service: Serving) -> None:
    lists = {"demo": {"list": [{"id": name, "type": "scan", "location": f"/data/{name}"} for name in "abc"]}}
    one = builders.job_type(
        run=["/opt/recon", "{dataset}"], datasets={"types": ["scan"], "modes": ["each"]}, parameters={}
    )
    service.offers({"one": one}, lists)
    found = (await alice.get(f"{V1}/datasets", params={"q": "DEMO", "type": "scan"})).json()
    assert [each["id"] for each in found["items"]] == ["demo:a", "demo:b", "demo:c"]
    assert (found["next"], found["problems"]) == (None, [])
    assert (await alice.get(f"{V1}/datasets/demo:b")).json() == found["items"][1]
    assert (await alice.get(f"{V1}/datasets/demo:x/y")).status_code == 404
    assert (await alice.get(f"{V1}/types/one")).json()["datasets"]["modes"] == ["each"]
    body = {"type": "one", "system": "geneva", "datasets": ["demo:a", "demo:c", "demo:x"], "mode": "each"}
    seen = (await alice.post(f"{V1}/preview", json=body)).json()
    assert (seen["jobs"], [each["dataset"] for each in seen["errors"]]) == (2, ["demo:x"])
    keyed = {"Idempotency-Key": "k2"}
    got = await alice.post(f"{V1}/jobs", json=body, headers=keyed)
    again = await alice.post(f"{V1}/jobs", json=body, headers=keyed)
    assert (got.status_code, again.status_code) == (201, 200)
    group = got.json()
    assert again.json() == group
    assert [each["datasets"] for each in group["jobs"]] == [["demo:a"], ["demo:c"]]
    assert {each["group"] for each in group["jobs"]} == {group["group"]}
    assert group["errors"] == [{"dataset": "demo:x", "code": "invalid", "detail": seen["errors"][0]["detail"]}]
    assert service.running.told == [("wake", each["job_id"]) for each in group["jobs"]]
    assert (await alice.post(f"{V1}/jobs", json={**body, "datasets": ["demo:x"]})).status_code == 422
