"""Paths of files that no file of a job has, by HTTP, with programs that run in real shells of this machine."""

from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from job_service import layout
from job_service.files.files import Files
from job_service.record import JobRecord
from tests.job_service.files.conftest import files_of, record_of
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client
from tests.job_service.http.test_jobs import V1, sent
from tests.support.local import LocalSite

SECRET = b"the secret"
PATHS = [
    "../secret",
    "%2e%2e/secret",
    "%2E%2E%2Fsecret",
    "a/../../secret",
    "a%2f..%2f..%2fsecret",
    "..%5csecret",
    "a%00/../secret",
    "%00",
    "a%0ab",
    "a%0d%0aX-Evil:%201",
    "a%1b%5b31m",
    "./a",
    "a//b",
    "%2fetc/passwd",
    "/etc/passwd",
    ".job/end",
    "%2ejob/end",
    "%2e%6a%6f%62%2fend",
    ".job",
    "link",
    "up/secret",
    "ours/end",
    "x" * 256,
    "/".join("x" * 50 for _ in range(21)),
    "$(touch%20evil)",
    "a';touch%20evil;'",
    "`touch%20evil`",
    "-rf",
    "%ff%fe",
    "%ED%A0%80",
    "*",
    "stdout?x=y",
]


class _InAFolder:
    """The files of jobs, all of which have their folder here."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._files, name)
        return lambda _record, *given, **named: asked(self._of(), *given, **named)

    def _of(self) -> JobRecord:
        return record_of(self._folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs" / "0a1b2c3d4e5f"
    (folder / layout.OURS).mkdir(parents=True)
    (folder / layout.OURS / "end").write_bytes(SECRET)
    (folder.parent / "secret").write_bytes(SECRET)
    (folder / "link").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    (folder / "ours").symlink_to(layout.OURS)
    return folder


@pytest.fixture
def app(service: Serving, folder: Path, local: LocalSite) -> FastAPI:
    service.files = cast(Any, _InAFolder(files_of(local), folder))
    return service.app()


def _there(folder: Path) -> dict[str, bytes]:
    """Return what lies where no request may change anything."""
    places = (folder.parent, folder / layout.OURS)
    return {str(each): each.read_bytes() for place in places for each in place.iterdir() if each.is_file()}


@pytest.mark.parametrize("path", PATHS)
async def test_no_path_leads_out_of_the_folder_or_to_what_is_ours(app: FastAPI, folder: Path, path: str) -> None:
    before = _there(folder)
    async with client(app, "alice:submit") as alice:
        job_id = await sent(alice, start="when-complete", inputs=["in.dat"])
    places = [f"{V1}/jobs/{job_id}/files/{path}", f"/api/files/geneva/physics/{job_id}/{path}/"]
    asked = [("GET", each) for each in places] + [("DELETE", places[0]), ("PUT", places[0])]
    for method, place in asked:
        got = await _raw(app, method, place)
        assert got.status_code < 500, (method, place, got.text)
        assert SECRET not in got.content, (method, place)
        assert "X-Evil" not in got.headers
        if method == "PUT" and got.status_code == 201:
            stored = await _raw(app, "GET", got.json()["href"].removeprefix("/services/jobs"))
            assert (stored.status_code, stored.content) == (200, b"new")
    assert _there(folder) == before
    assert not list(folder.parent.rglob("evil"))
    assert sorted(each.name for each in folder.parent.iterdir()) == sorted([folder.name, "secret"])


@pytest.mark.usefixtures("folder")
async def test_a_folder_is_listed_by_no_path_that_leads_out(app: FastAPI) -> None:
    async with client(app, "alice:submit") as alice:
        job_id = await sent(alice, start="when-complete", inputs=["in.dat"])
        for path in ("..", "up", "../", "/", ".job", "ours", "a/..", "\x00", "."):
            got = await alice.get(f"{V1}/jobs/{job_id}/files", params={"under": path})
            assert got.status_code == 422, (path, got.text)
            assert "secret" not in got.text


class _AsSent:
    """Gives an application paths as they are in PATH, as a server does: httpx would take out their dots."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raw = dict(scope["headers"])[b"path"]
        await self._app(
            {**scope, "path": unquote(raw.decode()), "raw_path": raw.partition(b"?")[0]}, receive, send
        )


async def _raw(app: FastAPI, method: str, place: str) -> httpx.Response:
    async with client(_AsSent(app), "alice:submit", Path=f"/services/jobs{place}") as alice:
        return await alice.request(method, "/", content=b"new" if method == "PUT" else None)
