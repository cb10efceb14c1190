"""A UNICORE server may say anything: it is a value or an error, within bounds, and never asked elsewhere."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.gateways import unicore_said as said
from job_service.gateways.backend import Handle, Order
from job_service.gateways.unicore import Unicore
from job_service.stages import Stage
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, InDoubt, LaunchError, Refused, Unavailable
from tests.support.hostile_web import HostileWeb, answer

_ROOT = "/LAB/rest/core"
_HANDLE = Handle("0123456789ab", "job-hub-0123456789ab", "alice", "17")
_NEW = Handle("0123456789ab", "job-hub-0123456789ab", "alice")
_ORDER = Order(_NEW, "title", ("true",), "true\n", ".job/script", 2, 4, 512, 1, 5400, "large", "neuro")
_ELSEWHERE = "https://elsewhere.test/LAB/rest/core/jobs/18"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[HostileWeb]:
    async with HostileWeb(tmp_path).up() as up:
        yield up


@pytest.fixture
async def unicore(web: HostileWeb, tmp_path: Path) -> AsyncIterator[Unicore]:
    path = tmp_path / "credentials"
    path.write_text("robot:secret\n")
    path.chmod(0o600)
    entry = {"title": "Daint", "kind": "unicore", "url": web.origin + _ROOT, "credentials": str(path)}
    opened = Unicore(Gateway(**entry, authority=str(web.authority.path)))
    yield opened
    await opened.close()


def _says(web: HostileWeb, **answers: bytes) -> None:
    """Have it answer by the end of a path and the method; nothing else is there."""

    def say(method: str, path: str) -> bytes:
        name = path.partition("?")[0].rstrip("/").rpartition("/")[2]
        return answers.get(f"{method}_{name}") or answers.get(name) or answer(404)

    web.say = say


def _job(web: HostileWeb, **properties: Any) -> bytes:
    links = {"workingDirectory": {"href": f"{web.origin}{_ROOT}/storages/17-uspace"}}
    return answer(200, {"status": "READY", "tags": [_NEW.mark], "_links": links, **properties})


def _jobs(*urls: str) -> bytes:
    return answer(200, {"jobs": list(urls)})


# -- links that lead elsewhere -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        _ELSEWHERE,
        "//elsewhere.test/jobs/18",
        "http://127.0.0.1/jobs/18",
        "https://127.0.0.1/LAB/rest/core/jobs/18",
        "https://127.0.0.1:1@elsewhere.test/jobs/18",
        "https://[::1/jobs/18",
        "https://127.0.0.1:x/jobs/18",
        "file:///etc/passwd",
        "a\nb",
        "x" * 5000,
    ],
)
async def test_a_job_that_is_said_to_be_elsewhere_is_not_asked_for(
    web: HostileWeb, unicore: Unicore, link: str
) -> None:
    _says(web, GET_jobs=_jobs(link))
    with pytest.raises(Broken):
        await unicore.find([_NEW])
    links = {"workingDirectory": {"href": link}}
    _says(web, **{"17": answer(200, {"status": "READY", "_links": links})})
    with pytest.raises(Broken):
        await unicore.files(_HANDLE)
    assert len(web.asked) == 2


async def test_where_a_new_job_is_is_looked_at_too(web: HostileWeb, unicore: Unicore) -> None:
    for location in (_ELSEWHERE, "/elsewhere", ""):
        _says(web, GET_jobs=_jobs(), POST_jobs=answer(201, location=location))
        with pytest.raises(Broken):
            await unicore.prepare(_ORDER)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_is_followed_even_to_itself(web: HostileWeb, unicore: Unicore, status: int) -> None:
    web.say = lambda _method, path: answer(status, location=f"{web.origin}{path}/x")
    with pytest.raises(Unavailable, match="sends to another address"):
        await unicore.find([_NEW])
    assert len(web.asked) == 1


# -- what cannot be understood ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"<html>", b'"\\ud800"']
)
async def test_what_is_no_object_is_told(web: HostileWeb, unicore: Unicore, body: bytes) -> None:
    web.say = lambda _method, _path: answer(200, body)
    for ask in (lambda: unicore.find([_NEW]), lambda: unicore.observe([_HANDLE]), lambda: unicore.files(_HANDLE)):
        with pytest.raises(Broken, match="could not be understood"):
            await ask()


async def test_an_answer_without_end_is_not_read(web: HostileWeb, unicore: Unicore) -> None:
    web.say = lambda _method, _path: b"HTTP/1.1 200 x\r\nconnection: close\r\n\r\n"
    web.endless = b"x" * 65536
    with pytest.raises(Broken, match="could not be understood"):
        await unicore.find([_NEW])


async def test_headers_without_end_are_not_read(web: HostileWeb, unicore: Unicore) -> None:
    web.say = lambda _method, _path: b"HTTP/1.1 200 x\r\n"
    web.endless = b"x-%s: y\r\n" % (b"a" * 1000)
    with pytest.raises(LaunchError):
        await unicore.find([_NEW])


async def test_what_is_compressed_is_not_unpacked(web: HostileWeb, unicore: Unicore) -> None:
    packed = gzip.compress(b'{"jobs": []}' + b" " * (1 << 24))
    web.say = lambda _method, _path: answer(200, packed, content_encoding="gzip")
    with pytest.raises(Broken):
        await unicore.find([_NEW])


async def test_a_server_that_does_not_look_at_marks_gives_nobody_elses_job(
    web: HostileWeb, unicore: Unicore
) -> None:
    jobs = [f"{web.origin}{_ROOT}/jobs/{each}" for each in (16, 17)]
    running = {"status": "RUNNING"}
    _says(web, jobs=_jobs(*jobs), **{"16": _job(web, tags=["other"], **running), "17": _job(web, **running)})
    assert await unicore.find([_NEW]) == {_NEW.job_id: "17"}
    _says(web, jobs=_jobs(*jobs), **{"16": _job(web, tags=None), "17": _job(web, tags="x")})
    assert await unicore.find([_NEW]) == {}
    _says(web, jobs=_jobs(*[jobs[0]] * 100))
    with pytest.raises(Broken, match="has more jobs of this name"):
        await unicore.find([_NEW])


# -- what it will not do, and what nobody knows ----------------------------------------------------------------


async def test_a_job_that_it_refuses_is_refused_in_its_words(web: HostileWeb, unicore: Unicore) -> None:
    said_so = {"errorMessage": "Could not submit job: \x1b[31mno queue\n" + "x" * 10_000}
    _says(web, GET_jobs=_jobs(), POST_jobs=answer(500, said_so))
    with pytest.raises(Refused) as refused:
        await unicore.prepare(_ORDER)
    assert refused.value.message.startswith("Daint did not accept the job: Could not submit job: ")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 400
    description = json.loads(await _body(web, unicore))
    assert description["Executable"] == "/bin/bash"
    assert description["Resources"] == {
        "Runtime": "90m",
        "Nodes": "2",
        "CPUsPerNode": "4",
        "MemoryPerNode": "512m",
        "GPUsPerNode": "1",
        "Queue": "large",
    }
    assert (description["Project"], description["haveClientStageIn"]) == ("neuro", "true")


@pytest.mark.parametrize(
    "refusal", [answer(500, b"<html>"), answer(404), answer(405, {"errorMessage": "no"}), answer(403), answer(401)]
)
async def test_what_is_no_refusal_of_a_job_costs_none(web: HostileWeb, unicore: Unicore, refusal: bytes) -> None:
    _says(web, GET_jobs=_jobs(), POST_jobs=refusal)
    with pytest.raises((Unavailable, Broken)):
        await unicore.prepare(_ORDER)


async def _body(web: HostileWeb, unicore: Unicore) -> bytes:
    """Return what is sent for a job."""
    web.bodies.clear()
    with pytest.raises(Refused):
        await unicore.prepare(_ORDER)
    return web.bodies[-1]


@pytest.mark.parametrize(
    ("started", "status", "expected"),
    [
        (500, "READY", Refused),
        (500, "FAILED", None),
        (500, "RUNNING", None),
        (502, "RUNNING", InDoubt),
        (504, "READY", InDoubt),
        (503, "READY", Unavailable),
        (429, "READY", Unavailable),
        (401, "READY", Broken),
        (403, "READY", Broken),
        (404, "READY", Unavailable),
        (405, "READY", Unavailable),
    ],
)
async def test_a_start_that_failed_is_looked_at(
    web: HostileWeb, unicore: Unicore, started: int, status: str, expected: type[LaunchError] | None
) -> None:
    web.say = _waiting(web)
    await unicore.prepare(_ORDER)
    web.say = _waiting(web, start=answer(started, {"errorMessage": "no"}), status=status)
    if expected is None:
        assert (await unicore.submit(_ORDER)).native_id == "17"
    else:
        with pytest.raises(expected):
            await unicore.submit(_ORDER)


def _waiting(web: HostileWeb, start: bytes = b"", status: str = "READY") -> Any:
    """Return what says that there is the job, and takes files."""

    def say(method: str, path: str) -> bytes:
        if path.endswith("/start"):
            return start
        if "/storages/" in path:
            return answer(200, {"isDirectory": False, "size": 5}) if method == "GET" else answer(200, {})
        if "tags=" in path:
            return _jobs(f"{web.origin}{_ROOT}/jobs/17")
        return _job(web, status=status)

    return say


async def test_what_was_made_and_nobody_heard_of_goes(web: HostileWeb, unicore: Unicore) -> None:
    waiting = _waiting(web)
    both = _jobs(*(f"{web.origin}{_ROOT}/jobs/{each}" for each in ("17", "18")))
    web.say = lambda method, path: both if "tags=" in path else waiting(method, path)
    await unicore.prepare(_ORDER)
    assert [each.split(" ")[1] for each in web.asked if each.startswith("DELETE")] == [f"{_ROOT}/jobs/18"]


async def test_a_session_stands_for_the_password_until_it_is_over(web: HostileWeb, unicore: Unicore) -> None:
    web.say = lambda _method, _path: answer(200, {"status": "RUNNING"}, X_UNICORE_SecuritySession="s1")
    await unicore.observe([_HANDLE])
    await unicore.observe([_HANDLE])
    assert "authorization: Basic" in web.asked[0].replace("Authorization", "authorization")
    assert "securitysession: s1" in web.asked[1].lower()
    assert "basic" not in web.asked[1].lower()
    web.say = lambda _method, _path: answer(432)
    with pytest.raises(Unavailable):
        await unicore.observe([_HANDLE])
    assert ["securitysession" in each.lower() for each in web.asked[2:]] == [True, False]


# -- files -------------------------------------------------------------------------------------------------------


async def test_only_files_that_can_be_asked_for_are_listed(web: HostileWeb, unicore: Unicore) -> None:
    file = {"isDirectory": False, "size": 3, "lastAccessed": "2026-03-02T10:00:00+0000"}
    names = ["/..", "/.", "/", "", "/a\nb", "/" + "x" * 300, "/.job/", "/good", "/\ud800"]
    content = {
        **dict.fromkeys(names, file),
        "/no size": {"isDirectory": False},
        "/odd": 7,
        "/big": {**file, "size": "9" * 99},
    }
    _says(web, **{"17": _job(web), "files": answer(200, {"isDirectory": True, "size": 0, "content": content})})
    listing = await unicore.files(_HANDLE)
    assert [(each.path, each.size) for each in listing.items if each.path.isascii()] == [("good", 3)]


async def test_a_folder_in_itself_without_end_is_cut(web: HostileWeb, unicore: Unicore) -> None:
    folder = answer(200, {"isDirectory": True, "size": 0, "content": {"/a": {"isDirectory": True, "size": 0}}})
    web.say = lambda _method, path: folder if "/storages/" in path else _job(web)
    listing = await unicore.files(_HANDLE)
    assert listing.is_cut
    assert len(web.asked) <= 110


async def test_a_file_that_became_shorter_is_told(web: HostileWeb, unicore: Unicore) -> None:
    def say(_method: str, path: str) -> bytes:
        if "/storages/" not in path:
            return _job(web)
        if "octet-stream" in web.asked[-1]:
            return answer(206, b"12")
        return answer(200, {"isDirectory": False, "size": 5})

    web.say = say
    with pytest.raises(Unavailable, match="became shorter"):
        async with unicore.read(_HANDLE, "file") as (_, chunks):
            assert [chunk async for chunk in chunks] == [b"12"]


# -- whatever its words are ---------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
_WORDS = ("status", "statusMessage", "exitCode", "log", "tags", "_links", "jobs", "content", "isDirectory", "size")


@given(st.dictionaries(st.sampled_from(_WORDS), _JSON))
def test_any_properties_are_a_value(properties: dict[str, Any]) -> None:
    seen = said.seen(properties)
    assert seen.word.isprintable()
    assert seen.message.isprintable()
    assert seen.exit_code is None or seen.exit_code >= 0
    said.link(properties, "workingDirectory")
    assert all(isinstance(each, str) for each in said.urls(properties))
    assert said.has_tag(properties, "mark") in {True, False}
    list(said.inside("folder", properties))
    said.info("file", properties)


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("READY", Stage.QUEUED),
        ("STAGINGIN", Stage.STAGINGIN),
        ("QUEUED", Stage.QUEUED),
        ("RUNNING", Stage.RUNNING),
        ("STAGINGOUT", Stage.STAGINGOUT),
        ("SUCCESSFUL", Stage.SUCCESSFUL),
        ("FAILED", Stage.FAILED),
        ("UNDEFINED", None),
        ("", None),
    ],
)
def test_its_words_are_ours(word: str, stage: Stage | None) -> None:
    assert said.seen({"status": word}).stage is stage


@pytest.mark.parametrize(
    ("code", "expected"),
    [("7", 7), (7, 7), (0, 0), ("-1", None), ("", None), (None, None), (True, None), ("9" * 30, None)],
)
def test_an_exit_code_is_a_text_or_a_number(code: Any, expected: int | None) -> None:
    assert said.seen({"status": "FAILED", "exitCode": code}).exit_code == expected
