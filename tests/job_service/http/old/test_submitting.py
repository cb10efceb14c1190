"""A job sent by the old path: as the documentation says, and otherwise."""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect

from job_service.errors import NoSpace
from job_service.http.old import upload
from job_service.stages import Stage
from tests.job_service.http.old.test_shapes import DOCUMENTED
from tests.job_service.http.serving import Serving

PAYLOAD = (
    '{"command": "ls -lisa", "node_number": "1", "core_number": "2", "runtime": "2.0", "title": "a job title"}'
)
NAMED = {"Payload": PAYLOAD, "Content-Disposition": "attachment; filename=job_file.zip"}
ZIP = b"PK\x03\x04" * 100


async def _sent(alice: httpx.AsyncClient, place: str = "geneva/", **changed: Any) -> httpx.Response:
    return await alice.post(
        f"/api/jobs/{place}", params={"wait": 0}, **{"headers": NAMED, "content": ZIP, **changed}
    )


async def test_the_documented_request_has_the_documented_answer(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    got = await _sent(alice)
    assert got.status_code == 201, got.text
    job = got.json()
    assert {name: type(value) for name, value in job.items()} == {
        name: type(value) for name, value in DOCUMENTED.items()
    }
    assert list(job) == list(DOCUMENTED)
    assert (job["owner"], job["project_hpc"], job["project_name"]) == ("alice", "GENEVA", "proj1")
    assert (job["runtime"], job["title"], job["terminal_stage"]) == (2.0, "a job title", False)
    assert got.headers["Location"] == f"/services/jobs/api/jobs/geneva/proj1/{job['job_id']}/"
    assert (service.files.folder / job["job_id"] / "job_file.zip").read_bytes() == ZIP
    record = await service.store.jobs.get(job["job_id"], "alice")
    assert (record.spec.command, record.nodes, record.cores, record.limit_s) == ("ls -lisa", 1, 2, 7200)


async def test_the_file_is_at_the_site_before_the_job_is_sent_and_before_the_answer(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    seen: list[bool] = []
    arrived = service.running.arrived

    async def looked(record: Any) -> Any:
        seen.append((service.files.folder / record.job_id / "job_file.zip").exists())
        return await arrived(record)

    service.running.arrived = looked  # type: ignore[method-assign]
    assert (await _sent(alice)).status_code == 201
    assert seen == [True]


async def test_the_answer_waits_for_slurm(alice: httpx.AsyncClient, service: Serving) -> None:
    async def arrived(record: Any) -> Any:
        moving.append(asyncio.ensure_future(service.running.goes(record.job_id, Stage.READY, Stage.QUEUED)))
        return record

    moving: list[Any] = []
    service.running.arrived = arrived  # type: ignore[method-assign]
    got = await alice.post("/api/jobs/geneva/", headers=NAMED, content=ZIP)
    assert (got.status_code, got.json()["stage"]) == (201, "QUEUED")
    await moving[0]


@pytest.mark.parametrize("hpc", ["geneva", "GENEVA", "Geneva"])
@pytest.mark.parametrize("project", ["", "proj1/"])
async def test_a_system_in_any_case_and_the_default_project(
    alice: httpx.AsyncClient, hpc: str, project: str
) -> None:
    assert (await _sent(alice, f"{hpc}/{project}")).json()["project_name"] == "proj1"


@pytest.mark.parametrize("name", ["Content-Disposition", "CONTENT-DISPOSITION", "content-dispostion"])
@pytest.mark.parametrize("value", ["attachment; filename=my job.zip", 'attachment; filename="my job.zip"'])
async def test_the_name_of_the_file_quoted_or_not_in_a_header_in_any_case(
    alice: httpx.AsyncClient, service: Serving, name: str, value: str
) -> None:
    assert (await _sent(alice, headers={"PAYLOAD": PAYLOAD, name: value})).status_code == 201
    assert service.files.came[0][:2] == ("my job.zip", len(ZIP))


async def test_a_form_with_one_file(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await _sent(
        alice, headers={"Payload": PAYLOAD}, content=None, files={"file": ("form.zip", ZIP, "application/zip")}
    )
    assert got.status_code == 201, got.text
    assert (service.files.folder / got.json()["job_id"] / "form.zip").read_bytes() == ZIP


async def test_headers_are_utf8_where_they_are_that(alice: httpx.AsyncClient) -> None:
    for encoding in ("utf-8", "latin-1"):
        payload = '{"command": "date", "title": "naïve"}'.encode(encoding)
        got = await _sent(alice, headers=[(b"Payload", payload)], content=None)
        assert (got.status_code, got.json()["title"]) == (201, "naïve")


async def test_a_job_without_a_file_begins_at_once(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await _sent(alice, headers={"Payload": PAYLOAD}, content=None)
    assert got.status_code == 201
    assert service.running.told == [("wake", got.json()["job_id"])]


async def test_a_retry_was_a_second_job(alice: httpx.AsyncClient) -> None:
    keyed = {**NAMED, "Idempotency-Key": "mine"}
    first, again = await _sent(alice, headers=keyed), await _sent(alice, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["job_id"] == again.json()["job_id"]
    other = await _sent(alice, headers={**keyed, "Payload": '{"command": "date"}'})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await alice.get("/api/jobs/")).headers["X-Total-Count"] == "1"


def _digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def _form(data: bytes, boundary: bytes) -> dict[str, Any]:
    part = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="job_file.zip"\r\n\r\n%s\r\n--%s--\r\n'
    kind = f"multipart/form-data; boundary={boundary.decode()}"
    return {"content": part % (boundary, data, boundary), "headers": {"Content-Type": kind, "Payload": PAYLOAD}}


_LARGE = b"PK" * upload.KNOWN_BYTES


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        ({"content": ZIP}, {"content": ZIP}, {"content": ZIP[:-1] + b"!"}),
        ({"content": ZIP}, {"content": ZIP}, {"content": ZIP[:-1]}),
        ({"content": ZIP}, _form(ZIP, b"a"), _form(ZIP[:-1] + b"!", b"a")),
        ({"content": _LARGE}, {"content": _LARGE}, {"content": _LARGE + b"!"}),
        (
            {"content": _LARGE, "headers": {**NAMED, "Content-Digest": _digest(_LARGE)}},
            {"content": _LARGE, "headers": {**NAMED, "Content-Digest": _digest(_LARGE)}},
            {"content": _LARGE[::-1], "headers": {**NAMED, "Content-Digest": _digest(_LARGE[::-1])}},
        ),
    ],
    ids=["bytes", "length", "form", "large", "large and digest"],
)
async def test_a_key_is_for_one_file(
    alice: httpx.AsyncClient, service: Serving, first: Any, same: Any, other: Any
) -> None:
    service.files.most = 10 * upload.KNOWN_BYTES

    def keyed(request: Any) -> Any:
        return {**request, "headers": {**request.get("headers", NAMED), "Idempotency-Key": "mine"}}

    got = await _sent(alice, **keyed(first))
    assert got.status_code == 201, got.text
    job_id = got.json()["job_id"]
    sent = (service.files.folder / job_id / "job_file.zip").read_bytes()
    assert sent == first["content"]
    again = await _sent(alice, **keyed(same))
    assert (again.status_code, again.json()["job_id"]) == (200, job_id)
    refused = await _sent(alice, **keyed(other))
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (service.files.folder / job_id / "job_file.zip").read_bytes() == sent


async def test_the_digest_that_a_file_should_have_is_compared(alice: httpx.AsyncClient, service: Serving) -> None:
    await _sent(alice, headers={**NAMED, "Content-Digest": _digest(ZIP)})
    assert service.files.came[-1][2] == hashlib.sha256(ZIP).digest()
    assert (await _sent(alice, headers={**NAMED, "Content-Digest": "md5=:x:"})).status_code == 400


async def test_the_row_written_after_the_submission(alice: httpx.AsyncClient, service: Serving) -> None:
    rows: list[str] = []
    put = service.files.put

    async def looked(record: Any, *more: Any) -> Any:
        rows.append((await service.store.jobs.get(record.job_id)).stage)
        return await put(record, *more)

    service.files.put = looked  # type: ignore[method-assign]
    await _sent(alice)
    assert rows == ["NEW"]


async def test_401_for_quota(alice: httpx.AsyncClient) -> None:
    got = await _sent(alice, headers={**NAMED, "Payload": '{"command": "date", "runtime": "2.1"}'})
    assert (got.status_code, got.json()["code"]) == (403, "quota_exceeded")
    assert (got.json()["needed"], got.json()["left"]) == (7560, 7200)
    assert (await alice.get("/api/jobs/")).json() == []


async def test_an_exhausted_quota_refilled_itself(alice: httpx.AsyncClient) -> None:
    assert (await _sent(alice)).status_code == 201
    for _ in range(2):
        got = await _sent(alice)
        assert (got.status_code, got.json()["left"]) == (403, 0)


async def test_a_default_project_of_another_system(alice: httpx.AsyncClient, service: Serving) -> None:
    await service.administration.create_project(
        "ruth", {"system": "zurich", "name": "elsewhere", "init_time": 9, "is_default": True, "is_open": True}
    )
    assert (await _sent(alice)).json()["project_name"] == "proj1"
    assert (await _sent(alice, "geneva/elsewhere/")).status_code == 403


@pytest.mark.parametrize(
    ("refusal", "status"), [(NoSpace("disk quota exceeded"), 507), (OSError("no such thing"), 500)]
)
async def test_who_cannot_send_the_file_again_holds_nothing_for_it(
    alice: httpx.AsyncClient, service: Serving, refusal: Exception, status: int
) -> None:
    service.files.refusal = refusal
    assert (await _sent(alice)).status_code == status
    (job,) = (await alice.get("/api/jobs/")).json()
    assert (job["stage"], job["failed"]) == ("CANCELED", False)
    assert (await alice.get("/api/quotas/geneva/proj1/")).json()["time_left"] == 7200


async def test_who_can_goes_on_with_the_same_job(alice: httpx.AsyncClient, service: Serving) -> None:
    keyed = {**NAMED, "Idempotency-Key": "mine"}
    service.files.refusal = NoSpace("disk quota exceeded")
    assert (await _sent(alice, headers=keyed)).status_code == 507
    service.files.refusal = None
    again = await _sent(alice, headers=keyed)
    assert again.status_code == 200
    assert (service.files.folder / again.json()["job_id"] / "job_file.zip").read_bytes() == ZIP
    assert service.running.told[-1] == ("arrived", again.json()["job_id"])


async def test_a_form_that_turns_out_to_be_two_files_leaves_nothing_to_run(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    files = [("file", ("a.zip", ZIP)), ("file", ("b.zip", ZIP))]
    got = await _sent(alice, headers={"Payload": PAYLOAD}, content=None, files=files)
    assert (got.status_code, got.json()["field"]) == (400, "body")
    assert [act for act, _ in service.running.told] == ["wake", "prepare", "cancel"]
    assert not list(service.files.folder.rglob("*.zip"))


async def test_whole_files_in_memory(alice: httpx.AsyncClient, service: Serving) -> None:
    taken = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * 65536

    service.files.most = 200_000
    got = await _sent(alice, content=chunks())
    assert (got.status_code, got.json()["code"]) == (413, "too_large")
    assert taken < 10


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({}, 400, "Payload"),
        ({"Payload": "{'command': 'ls'}"}, 400, "Payload"),
        ({"Payload": '{"tool": "NEURON74_TG"}'}, 422, "tool"),
        ({"Payload": '{"command": "ls", "node_number": "many"}'}, 422, "node_number"),
        ({"Payload": '{"command": "ls", "node_number": "100"}'}, 422, "node_number"),
        ({"Payload": '{"command": "ls", "core_number": "100000"}'}, 422, "core_number"),
        ({"Payload": '{"command": "ls", "runtime": "100000"}'}, 422, "runtime"),
        ({"Payload": json.dumps({"command": "ls", "title": "a\nb"})}, 422, "title"),
        ({"Payload": json.dumps({"command": "ls", "title": "x" * 5000})}, 422, "title"),
        ({"Payload": json.dumps({"command": "ls\x00"})}, 422, "command"),
        ({"Payload": PAYLOAD}, 400, "Content-Disposition"),
        ({"Payload": PAYLOAD, "Content-Disposition": "attachment; filename=../x"}, 400, "Content-Disposition"),
        ({"Payload": PAYLOAD, "Content-Disposition": 'attachment; filename="x'}, 400, "Content-Disposition"),
        ({"Payload": PAYLOAD, "Content-Type": "multipart/form-data"}, 400, "body"),
    ],
)
async def test_what_is_wrong_is_named_and_leaves_no_job(
    alice: httpx.AsyncClient, headers: dict[str, str], status: int, field: str
) -> None:
    got = await _sent(alice, headers={**NAMED, **headers} if status == 422 else headers)
    assert (got.status_code, got.json().get("field")) == (status, field), got.text
    assert got.json()["fields"][field]
    assert got.headers["Content-Type"] == "application/problem+json"
    assert (await alice.get("/api/jobs/")).json() == []


@pytest.mark.parametrize("place", ["nowhere/", "..%2fgeneva/", "gen\x00eva/", "%f0%9f%92%a9/", "bern/"])
async def test_a_system_that_there_is_not_is_not_found_or_refused(alice: httpx.AsyncClient, place: str) -> None:
    assert (await _sent(alice, place.replace("\x00", "%00"))).status_code in {404, 422}


async def test_who_is_no_member_and_who_is_banned_is_refused(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, service: Serving
) -> None:
    assert (await _sent(bob, "geneva/proj1/")).json()["code"] == "not_a_member"
    await service.administration.ban("ruth", "alice", "geneva", "proj1", "she knows why")
    got = await _sent(alice)
    assert (got.status_code, got.json()["code"]) == (403, "banned")
    assert not service.files.came


async def test_who_goes_away_while_the_file_comes_holds_nothing(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield ZIP
        raise ClientDisconnect

    with contextlib.suppress(AssertionError):
        # There is no answer, and nobody to have it.
        await _sent(alice, content=broken())
    (job,) = (await alice.get("/api/jobs/")).json()
    assert job["stage"] == "CANCELED"
    assert not list(service.files.folder.rglob("*.zip"))
