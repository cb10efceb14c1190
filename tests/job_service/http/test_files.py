import asyncio
import base64
import hashlib
import io
import logging
import tarfile
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from job_service.errors import NoSpace
from job_service.files.info import FileInfo
from job_service.http import given, route
from job_service.http.ranges import Range, asked
from job_service.stages import Stage
from slurm_ssh.errors import SiteUnreachable
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client, waits
from tests.job_service.http.test_jobs import RUNS, V1, sent, until

DATA = bytes(range(256)) * 20


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with client(app, "alice:submit") as found:
        yield found


@pytest.fixture
async def files(alice: httpx.AsyncClient) -> str:
    """The address of the files of a job that waits for some."""
    job_id = await sent(alice, start="when-complete", inputs=["in.dat"])
    return f"{V1}/jobs/{job_id}/files"


async def test_a_file_is_put_listed_had_and_removed(
    alice: httpx.AsyncClient, files: str, service: Serving
) -> None:
    put = await alice.put(f"{files}/a/in.dat", content=DATA)
    assert put.status_code == 201, put.text
    assert (put.json()["path"], put.json()["size"]) == ("a/in.dat", len(DATA))
    assert put.headers["Location"] == f"/services/jobs{files}/a/in.dat"
    assert service.running.told[-1][0] == "arrived"
    listed = (await alice.get(files)).json()
    assert [(each["path"], each["kind"]) for each in listed["items"]] == [("a", "folder"), ("a/in.dat", "file")]
    assert [each["path"] for each in (await alice.get(files, params={"under": "a"})).json()["items"]] == [
        "a/in.dat"
    ]
    got = await alice.get(f"{files}/a/in.dat")
    assert got.content == DATA
    assert got.headers["ETag"] == put.headers["ETag"]
    assert (await alice.delete(f"{files}/a")).status_code == 204
    assert (await alice.get(f"{files}/a/in.dat")).status_code == 404


async def test_a_long_list_of_files_keeps_nobody_else_waiting(
    alice: httpx.AsyncClient, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made beside the event loop."""
    await alice.put(f"{files}/in.dat", content=DATA)
    made_in: set[int] = set()

    def quoted(info: FileInfo) -> str:
        made_in.add(threading.get_ident())
        return info.path

    monkeypatch.setattr(FileInfo, "quoted", property(quoted))
    job_id = files.split("/")[-2]
    assert len((await alice.get(files)).json()["items"]) == 1
    assert len((await alice.get(f"/api/files/geneva/physics/{job_id}/")).json()) == 1
    assert made_in
    assert threading.get_ident() not in made_in


async def test_what_a_program_wrote_is_never_a_page(alice: httpx.AsyncClient, files: str) -> None:
    for name in ('"><script>.html', "ü.svg"):
        await alice.put(f"{files}/{name}", content=b"<script>alert(1)</script>")
        got = await alice.get(f"{files}/{name}")
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["Content-Disposition"].startswith("attachment; ")
        assert got.headers["Content-Disposition"].count('"') == 2
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in got.headers["Content-Security-Policy"]
    await alice.put(f"{files}/stdout", content=b"<script>alert(1)</script>")
    old = files.split("/")[-2].join(("/api/files/geneva/physics/", "/stdout/"))
    for address in (
        f"{files}/stdout",
        files.replace("/files", "/log"),
        files.replace("/files", "/archive.tar"),
        old,
    ):
        for headers in ({}, {"Range": "bytes=0-3"}):
            got = await alice.get(address, headers=headers)
            assert got.status_code in {200, 206}
            kind = got.headers["Content-Type"].partition(";")[0]
            assert kind in {"application/octet-stream", "application/x-tar", "text/plain"}
            assert kind == "text/plain" or got.headers["Content-Disposition"].startswith("attachment; ")
            assert got.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in got.headers["Content-Security-Policy"]


async def test_names_come_as_they_were_sent(alice: httpx.AsyncClient, files: str, service: Serving) -> None:
    await alice.put(f"{files}/a%FFb", content=b"")
    await alice.put(f"{files}/a%2520b", content=b"")
    assert [path for path, _, _ in service.files.came] == ["a\udcffb", "a%20b"]


@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=5000-", 206, 5000, 5119),
        ("bytes=-5", 206, 5115, 5119),
        ("bytes=-9999", 206, 0, 5119),
        ("bytes=5110-9999", 206, 5110, 5119),
        ("bytes=0-1,5-6", 200, 0, 5119),
        ("bytes=9-1", 200, 0, 5119),
        ("lines=0-1", 200, 0, 5119),
        ("bytes=-", 200, 0, 5119),
    ],
)
async def test_parts_of_a_file(
    alice: httpx.AsyncClient, files: str, wanted: str, status: int, first: int, last: int
) -> None:
    await alice.put(f"{files}/in.dat", content=DATA)
    got = await alice.get(f"{files}/in.dat", headers={"Range": wanted})
    assert (got.status_code, got.content) == (status, DATA[first : last + 1])
    assert int(got.headers["Content-Length"]) == len(got.content)
    if status == 206:
        assert got.headers["Content-Range"] == f"bytes {first}-{last}/5120"


async def test_a_range_behind_the_end_is_told_the_size(alice: httpx.AsyncClient, files: str) -> None:
    await alice.put(f"{files}/in.dat", content=DATA)
    got = await alice.get(f"{files}/in.dat", headers={"Range": "bytes=5120-"})
    assert (got.status_code, got.json()["code"]) == (416, "out_of_range")
    assert got.headers["Content-Range"] == "bytes */5120"


def test_ranges_are_read_in_linear_time() -> None:
    assert asked("bytes=" + "0" * 100_000 + "-") is None
    assert asked(" " * 100_000) is None
    for blanks in ("bytes={}x", "bytes=-{}x", "bytes=1{}x", "bytes={}-{}x", "{}bytes{}={}1{}-{}2{}x"):
        assert asked(blanks.replace("{}", " " * 200_000)) is None
    assert asked("bytes = 1 - 2") == Range(1, 2)
    assert Range().within(0) is None


async def test_a_part_is_only_of_the_file_that_is_known(alice: httpx.AsyncClient, files: str) -> None:
    etag = (await alice.put(f"{files}/in.dat", content=DATA)).headers["ETag"]
    part = {"Range": "bytes=0-9"}
    assert (await alice.get(f"{files}/in.dat", headers={**part, "If-Range": etag})).status_code == 206
    assert (await alice.get(f"{files}/in.dat", headers={**part, "If-Range": '"other"'})).status_code == 200
    assert (await alice.get(f"{files}/in.dat", headers={"If-None-Match": etag})).status_code == 304


async def test_a_digest_and_a_length_are_handed_on(alice: httpx.AsyncClient, files: str, service: Serving) -> None:
    digest = hashlib.sha256(DATA).digest()
    header = f"md5=:AAAA:, sha-256=:{base64.b64encode(digest).decode()}:"
    await alice.put(f"{files}/in.dat", content=DATA, headers={"Content-Digest": header})
    assert service.files.came == [("in.dat", len(DATA), digest)]
    for odd in ("sha-256=abc", "sha-256=:AA:", ""):
        got = await alice.put(f"{files}/in.dat", content=DATA, headers={"Content-Digest": odd})
        assert (got.status_code, got.json()["code"]) == (400, "malformed")
    packed = await alice.put(f"{files}/in.dat", content=DATA, headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415


async def test_what_is_too_large_or_has_no_space_is_refused(
    alice: httpx.AsyncClient, files: str, service: Serving
) -> None:
    service.files.most = 10

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    assert (await alice.put(f"{files}/in.dat", content=DATA)).status_code == 413
    assert (await alice.put(f"{files}/in.dat", content=endless())).status_code == 413
    service.files.refusal = NoSpace("geneva: Disk quota exceeded")
    full = await alice.put(f"{files}/in.dat", content=b"x")
    assert (full.status_code, full.json()["detail"]) == (507, "geneva: Disk quota exceeded")
    service.files.refusal = SiteUnreachable("Geneva cannot be reached.")
    away = await alice.get(files)
    assert (away.status_code, away.json()["detail"]) == (503, "Geneva cannot be reached.")
    assert int(away.headers["Retry-After"]) > 0


async def test_one_person_sends_so_many_files_at_once(
    alice: httpx.AsyncClient, files: str, app: FastAPI, service: Serving
) -> None:
    """The hundredth of a person waits for no place: it is told so at once, and others are not."""
    go_on = asyncio.Event()
    begun = 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        await go_on.wait()
        yield b"x"

    sending = [asyncio.create_task(alice.put(f"{files}/{n}", content=slow())) for n in range(100)]
    await until(lambda: sum(each.done() for each in sending) == 100 - given.UPLOADS_AT_ONCE)
    async with client(app, "bob:submit") as bob:
        job_id = await sent(bob, start="later")
        assert (await bob.put(f"{V1}/jobs/{job_id}/files/in.dat", content=b"x")).status_code == 201
    go_on.set()
    statuses = sorted([(await each).status_code for each in sending])
    assert statuses == [201] * given.UPLOADS_AT_ONCE + [429] * (100 - given.UPLOADS_AT_ONCE)
    assert (await alice.put(f"{files}/in.dat", content=b"x")).status_code == 201


async def test_an_upload_in_which_nothing_comes_is_ended(
    alice: httpx.AsyncClient, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "STALL_SECONDS", 0.02)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    got = await alice.put(f"{files}/in.dat", content=stuck())
    assert (got.status_code, got.json()["code"]) == (408, "stalled")
    assert (await alice.get(files)).json()["items"] == []


async def test_all_files_come_as_one(alice: httpx.AsyncClient, files: str) -> None:
    await alice.put(f"{files}/in.dat", content=DATA)
    got = await alice.get(files.replace("/files", "/archive.tar"))
    assert got.headers["Content-Type"] == "application/x-tar"
    assert ".tar" in got.headers["Content-Disposition"]
    with tarfile.open(fileobj=io.BytesIO(got.content)) as tar:
        assert "./in.dat" in tar.getnames()


async def test_a_log_is_had_and_followed_until_its_job_is_over(
    alice: httpx.AsyncClient, files: str, app: FastAPI, service: Serving
) -> None:
    job_id, log = files.split("/")[-2], files.replace("/files", "/log")
    assert (await alice.get(log)).text == ""
    for name in ("stdout", "stderr"):
        await alice.put(f"{files}/{name}", content=f"{name} 1\n{name} 2\n".encode())
    got = await alice.get(log, params={"tail": 1})
    assert (got.text, got.headers["Content-Type"]) == ("stdout 2\n", "text/plain; charset=utf-8")
    assert (await alice.get(log, params={"stream": "stderr", "tail": 9})).text == "stderr 1\nstderr 2\n"
    assert (await alice.get(log, params={"stream": "stdlog"})).status_code == 422
    following = asyncio.create_task(alice.get(log, params={"follow": "true", "tail": 1}))
    await until(lambda: waits(app, job_id))
    with (service.files.folder / job_id / "stdout").open("a") as printed:
        printed.write("the end\n")
    await service.running.goes(job_id, Stage.READY, *RUNS, Stage.SUCCESSFUL)
    assert (await following).text == "stdout 2\nthe end\n"
    assert (await alice.get(log, params={"follow": "true", "tail": 1})).text == "the end\n"


async def test_a_log_goes_on_where_an_answer_was_lost_and_an_answer_ends_in_time(
    alice: httpx.AsyncClient, files: str, app: FastAPI
) -> None:
    log = files.replace("/files", "/log")
    await alice.put(f"{files}/stdout", content=b"one\ntwo\n")
    got = await alice.get(log, params={"tail": 1})
    assert (got.headers["Log-Offset"], got.text) == ("4", "two\n")
    # The job goes on, and says nothing more.
    got = await alice.get(log, params={"follow": "true", "wait": 1, "tail": 1, "offset": 6})
    assert (got.headers["Log-Offset"], got.text) == ("6", "o\n")
    assert not waits(app, files.split("/")[-2])
    got = await alice.get(log, params={"offset": 9})
    assert (got.headers["Log-Offset"], got.text) == ("0", "one\ntwo\n")
    for wrong in ({"offset": -1}, {"wait": 0}, {"offset": 1 << 63}):
        assert (await alice.get(log, params=wrong)).status_code == 422


async def test_an_answer_that_breaks_off_is_one_line_in_the_log(
    files: str, service: Serving, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "job_service.http")

    async def breaking() -> AsyncIterator[bytes]:
        yield b"x"
        raise SiteUnreachable("Geneva cannot be reached.")

    @asynccontextmanager
    async def archive(_record: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        yield breaking()

    service.files.archive = archive  # type: ignore[method-assign]
    async with client(app, "alice:read") as alice:
        # What httpx calls the app by sees that the answer is not whole; a browser sees the connection end.
        with pytest.raises(AssertionError):
            await alice.get(files.replace("/files", "/archive.tar"))
    assert "broke off: Geneva cannot be reached." in caplog.text
    assert "Traceback" not in caplog.text


async def test_what_takes_too_long_inside_is_an_error_with_an_answer(
    alice: httpx.AsyncClient, files: str, service: Serving
) -> None:
    service.files.refusal = TimeoutError()
    got = await alice.get(files)
    assert (got.status_code, got.json()["code"]) == (500, "internal")


async def test_others_are_answered_while_many_send_files_slowly(app: FastAPI) -> None:
    """Two hundred uploads of twenty people, of which nothing more comes: nobody waits for one of them."""
    go_on = asyncio.Event()
    begun = 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        yield b"x"
        begun += 1
        await go_on.wait()

    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(client(app, f"person{n}:submit")) for n in range(20)]
        jobs = [await sent(each, start="later") for each in people]
        sending = [
            asyncio.create_task(each.put(f"{V1}/jobs/{job_id}/files/{n}", content=slow()))
            for each, job_id in zip(people, jobs, strict=True)
            for n in range(given.UPLOADS_AT_ONCE)
        ]
        await until(lambda: begun == len(sending))
        async with client(app, "bob:submit") as bob:
            job_id = await sent(bob, start="later")
            assert (await bob.put(f"{V1}/jobs/{job_id}/files/in.dat", content=b"x")).status_code == 201
            assert (await bob.get(f"{V1}/jobs/{job_id}/files/in.dat")).content == b"x"
        assert (await people[0].get(f"{V1}/jobs/{jobs[0]}/files")).status_code == 200
        assert not any(each.done() for each in sending)
        go_on.set()
        assert {(await each).status_code for each in sending} == {201}
