"""Copies of notebooks, made by a real jupyter_server with a real git and what stands in for a gallery."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.plain_http import NO_TLS
from profiles.catalogue.copying import CopyFrom
from slurm_ssh.job import mark
from slurm_ssh_spawner.launch import copying, script, source
from slurm_ssh_spawner.launch.source import Source
from tests.support import builders, shells, websites
from tests.support.notebook_server import TOKEN, Server
from tests.support.websites import NOTEBOOK, Website

pytestmark = pytest.mark.xdist_group("copying")
_COPY = "/jupyterhub-sites/copy"
_FILES = {"course/first.ipynb": NOTEBOOK, "course/notes.ipynb": b"# Notes", "large.ipynb": b" " * 51_000_000}
_ASKED = {"kind": "file", "path": "", "ref": "", "folder": "from-links", "name": "x.ipynb"}


def _sent(launch: Path) -> str:
    """Write what the job's script puts into its folder, and return what it adds to the configuration."""
    launch.mkdir(parents=True)
    job = script.context(builders.launch(), builders.LAUNCH_ID, mark("jupyter", "hub", builders.LAUNCH_ID))
    fragment = copying.fragment(replace(job, launch_folder=str(launch)))
    done = shells.run(["bash", "-c", fragment.before])
    assert done.status == 0, done.stderr
    return (launch / "jupyter_config.py").read_text()


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    bare = websites.repository(tmp_path_factory.mktemp("git"), _FILES)
    with websites.serving(bare.parent) as website:
        yield website


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, "jupyterlab", {}, added=_sent(folder / "launch")) as running:
        yield running


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "x.ipynb").write_bytes(NOTEBOOK)
    return tmp_path


def _named(shared: Path, website: Website, **query: str) -> Source:
    """Return what a link names at a hub that allows all of this."""
    allowed = CopyFrom(
        folders=(str(shared), "/dev"), repositories=(f"{website.url}/git",), galleries=(f"{website.url}/gallery",)
    )
    return source.named(query, allowed)


def _asked(server: Server, asked: Source | dict[str, str]) -> dict[str, Any]:
    answer = server.post(_COPY, asked.asked if isinstance(asked, Source) else asked)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def _problem(server: Server, asked: Source | dict[str, str]) -> str:
    before = sorted((server.home / "from-links").glob("*"))
    said = _asked(server, asked)
    assert sorted((server.home / "from-links").glob("*")) == before
    assert len(said["detail"]) <= 300
    return str(said["problem"])


def test_a_file_of_the_cluster_is_copied_and_nothing_is_overwritten(
    server: Server, website: Website, shared: Path
) -> None:
    asked = _named(shared, website, **{"from": f"{shared}/x.ipynb"})
    assert _asked(server, asked) == {"path": "from-links/x.ipynb", "page": "lab"}
    copy = server.home / "from-links" / "x.ipynb"
    assert copy.read_bytes() == NOTEBOOK
    copy.write_bytes(b"changed")
    assert _asked(server, asked)["path"] == "from-links/x-1.ipynb"
    assert copy.read_bytes() == b"changed"
    assert not copy.stat().st_mode & stat.S_IXUSR


def test_a_link_in_the_place_of_a_copy_is_not_followed(server: Server, website: Website, shared: Path) -> None:
    (shared / "linked.ipynb").write_bytes(NOTEBOOK)
    (server.home / "from-links").mkdir(exist_ok=True)
    (server.home / "from-links" / "linked.ipynb").symlink_to(shared / "elsewhere")
    asked = _named(shared, website, **{"from": f"{shared}/linked.ipynb"})
    assert _asked(server, asked)["path"] == "from-links/linked-1.ipynb"
    assert not (shared / "elsewhere").exists()


def test_what_jupyter_does_not_trust_it_does_not_trust_in_a_copy(
    server: Server, website: Website, shared: Path
) -> None:
    output = {"output_type": "display_data", "data": {"text/html": "<script>1</script>"}, "metadata": {}}
    cell = {"cell_type": "code", "source": "1", "outputs": [output], "metadata": {"trusted": True}}
    cell |= {"execution_count": 1, "id": "one"}
    (shared / "outputs.ipynb").write_text(json.dumps({**json.loads(NOTEBOOK), "cells": [cell]}))
    path = _asked(server, _named(shared, website, **{"from": f"{shared}/outputs.ipynb"}))["path"]
    (read,) = server.get(f"/api/contents/{path}")["content"]["cells"]
    assert read["metadata"]["trusted"] is False


@pytest.mark.parametrize("ref", ["", "main", "v1"])
def test_a_file_of_a_repository_is_copied(server: Server, website: Website, shared: Path, ref: str) -> None:
    address = f"{website.url}/git/course.git"
    asked = _named(shared, website, **{"from": address, "path": "course/first.ipynb", "ref": ref})
    path = _asked(server, asked)["path"]
    assert (server.home / path).read_bytes() == NOTEBOOK
    assert list(server.runtime.glob("copy-*")) == []


def test_a_public_notebook_of_a_gallery_is_copied(server: Server, website: Website, shared: Path) -> None:
    asked = _named(shared, website, **{"from": website.gives("12-my-title", NOTEBOOK)})
    assert _asked(server, asked) == {"path": "from-links/my-title.ipynb", "page": "lab"}


def test_why_a_file_is_not_copied(server: Server, website: Website, shared: Path) -> None:
    (shared / "text.ipynb").write_text("no JSON")
    (shared / "deep.ipynb").write_text("[" * 100_000)
    (shared / "list.ipynb").write_text("[]")
    (shared / "large.ipynb").touch()
    os.truncate(shared / "large.ipynb", 51_000_000)
    (shared / "folder.ipynb").mkdir()
    os.mkfifo(shared / "pipe.ipynb")
    (shared / "device.ipynb").symlink_to("/dev/zero")
    for name, problem in {
        "nowhere": "no-file",
        "x.ipynb/y": "no-file",
        "text": "no-notebook",
        "deep": "no-notebook",
        "list": "no-notebook",
        "large": "too-large",
        "folder": "no-regular-file",
        "pipe": "no-regular-file",
        "device": "no-regular-file",
    }.items():
        asked = _named(shared, website, **{"from": f"{shared}/{name}.ipynb"})
        assert _problem(server, asked) == problem, name


def test_why_nothing_is_copied_from_a_repository(server: Server, website: Website, shared: Path) -> None:
    course, refs = f"{website.url}/git/course.git", "info/refs?service=git-upload-pack"
    website.pages[f"/git/moved/{refs}"] = (301, {"Location": f"{course}/{refs}"}, b"")
    for address, path, ref, problem in (
        (course, "course/second.ipynb", "", "not-in-repository"),
        (course, "course/first.ipynb", "v2", "no-ref"),
        (course, "course/notes.ipynb", "", "no-notebook"),
        (course, "large.ipynb", "", "too-large"),
        (f"{website.url}/git/nowhere", "a.ipynb", "", "repository-closed"),
        (f"{website.url}/git/moved", "a.ipynb", "", "git-failed"),
    ):
        asked = _named(shared, website, **{"from": address, "path": path, "ref": ref})
        assert _problem(server, asked) == problem, (address, path, ref)


def test_a_repository_that_is_not_http_or_an_option_runs_nothing(server: Server, shared: Path) -> None:
    """Also if somebody asks whom the hub has not looked at."""
    for address, ref in (
        (f"ext::sh -c touch% {shared}/run", ""),
        (f"file://{shared}", ""),
        (f"--upload-pack=touch {shared}/run", ""),
        ("ssh://127.0.0.1/x", ""),
        ("http://127.0.0.1:1/x", f"--upload-pack=touch {shared}/run"),
    ):
        asked = {**_ASKED, "kind": "git", "from": address, "path": "x.ipynb", "ref": ref}
        assert _problem(server, asked) in {"git-failed", "no-ref", "repository-closed"}
    assert not (shared / "run").exists()


def test_why_nothing_is_copied_from_a_gallery(server: Server, website: Website, shared: Path) -> None:
    for name, status, problem in (
        ("1-missing", 404, "not-in-gallery"),
        ("2-private", 403, "gallery-closed"),
        ("3-login", 302, "gallery-closed"),
        ("4-broken", 500, "gallery-away"),
        ("5-page", 200, "no-notebook"),
    ):
        to = f"{website.url}/elsewhere"
        asked = _named(shared, website, **{"from": website.gives(name, b"<html>", status, Location=to)})
        assert _problem(server, asked) == problem, name
    assert "/elsewhere" not in website.asked
    large = website.gives("6-large", b" " * 51_000_000)
    assert _problem(server, _named(shared, website, **{"from": large})) == "too-large"


def test_a_website_that_does_not_answer_is_told(server: Server, shared: Path) -> None:
    silent = Website(shared, port=1)
    gallery = _named(shared, silent, **{"from": f"{silent.url}/gallery/notebooks/1-a"})
    assert _problem(server, gallery) == "gallery-away"
    git = _named(shared, silent, **{"from": f"{silent.url}/git/a", "path": "a.ipynb"})
    assert _problem(server, git) == "git-failed"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("..", "x.ipynb"), ("a/b", "x.ipynb"), ("", "../x.ipynb"), ("a", ".x.ipynb"), ("a", "x.sh")],
)
def test_nothing_is_written_elsewhere(server: Server, shared: Path, folder: str, name: str) -> None:
    asked = {**_ASKED, "from": f"{shared}/x.ipynb", "folder": folder, "name": name}
    assert _problem(server, asked) == "no-notebook"


def test_only_who_may_use_the_server_asks_and_not_a_page_of_somebody_else(server: Server, shared: Path) -> None:
    asked = {**_ASKED, "from": f"{shared}/x.ipynb", "folder": "forged"}
    with httpx.Client(
        verify=NO_TLS, base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=60
    ) as browser:
        assert browser.post(_COPY, json=asked).status_code == 403
        # A browser that has used the server, whose cookies it sends with every request.
        assert browser.get(f"/lab?token={TOKEN}", follow_redirects=True).status_code == 200
        assert browser.get("/api/status").status_code == 200
        assert browser.post(_COPY, json=asked).status_code == 403
        assert browser.get(_COPY).status_code == 405
    assert not (server.home / "forged").exists()


@pytest.mark.parametrize("asked", [[], {}, {"kind": "file"}, {"kind": 1, "from": [], "path": "", "ref": ""}, None])
def test_a_question_of_another_shape_is_refused(server: Server, asked: Any) -> None:
    assert server.post(_COPY, asked).status_code == 400


def test_an_older_server_has_it_too(tmp_path: Path, website: Website, shared: Path) -> None:
    with Server(tmp_path / "s", "jupyterlab-old", {}, added=_sent(tmp_path / "s" / "launch")) as old:
        asked = _named(shared, website, **{"from": f"{shared}/x.ipynb"})
        assert _asked(old, asked) == {"path": "from-links/x.ipynb", "page": "lab"}


def test_only_jobs_of_a_hub_that_allows_it_carry_it() -> None:
    def text(**sections: Any) -> str:
        launch = builders.launch(builders.catalogue(**sections))
        return script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", builders.process(), ()).script

    assert "jupyterhub_sites_copying" not in text()
    assert "jupyterhub_sites_copying" in text(copy_from={"folders": ["/gpfs"]})


def test_a_server_makes_one_copy_at_a_time(server: Server, website: Website, shared: Path) -> None:
    file = _named(shared, website, **{"from": f"{shared}/x.ipynb"})
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        slow = Website(shared, port=silent.getsockname()[1])
        first = pool.submit(_asked, server, _named(shared, slow, **{"from": f"{slow.url}/gallery/notebooks/1-a"}))
        connection, _ = silent.accept()
        assert _asked(server, file)["problem"] == "busy"
        connection.close()
        assert first.result()["problem"] == "gallery-away"
    assert "path" in _asked(server, file)
