"""What bounds a copy: time, size, one at a time; and what is missing where a server runs."""

import errno
import os
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh_spawner.launch.jobside import copying
from slurm_ssh_spawner.launch.jobside.copying import Problem, Until
from tests.support import websites
from tests.support.websites import NOTEBOOK


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Give who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a server on its node, and a home."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def test_a_repository_that_says_nothing_is_given_up_and_nothing_of_it_stays(
    silent: socket.socket, runtime: Path
) -> None:
    with pytest.raises(Problem) as problem:
        copying.of_repository(_url(silent), "x.ipynb", "", Until(1))
    assert problem.value.word == "too-slow"
    assert list(runtime.iterdir()) == []
    # Who asked is gone too: the connection is at its end.
    connection, _ = silent.accept()
    with connection:
        connection.settimeout(60)
        while connection.recv(1000):
            pass


def test_a_website_that_says_a_byte_now_and_then_is_given_up(silent: socket.socket) -> None:
    over = threading.Event()

    def drip() -> None:
        connection, _ = silent.accept()
        with connection:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b" ")

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(Problem) as problem:
        copying.of_gallery(f"{_url(silent)}/notebooks/1-x", Until(1))
    over.set()
    dripping.join()
    assert problem.value.word == "too-slow"


def test_a_repository_that_is_too_large_is_given_up(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = websites.repository(tmp_path / "git", {"x.ipynb": NOTEBOOK, "data": os.urandom(300_000)})
    monkeypatch.setattr(copying, "LIMITED", [*copying.LIMITED[:-1], str(100_000 // 512)])
    with websites.serving(bare.parent) as website, pytest.raises(Problem) as problem:
        copying.of_repository(f"{website.url}/git/course.git", "x.ipynb", "", Until(60))
    assert problem.value.word == "repository-too-large"
    assert list(runtime.iterdir()) == []


def test_a_node_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem) as problem:
        copying.of_repository("http://127.0.0.1:1/x", "x.ipynb", "", Until(60))
    assert problem.value.word == "no-git"


def test_what_is_set_for_another_repository_has_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = websites.repository(tmp_path / "git", {"x.ipynb": NOTEBOOK})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_ASKPASS", "/nonexistent")
    with websites.serving(bare.parent) as website:
        found = copying.of_repository(f"{website.url}/git/course.git", "x.ipynb", "", Until(60))
    assert found == NOTEBOOK


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.EACCES, "not-allowed"),
        (errno.EPERM, "not-allowed"),
        (errno.ENOENT, "no-file"),
        (errno.EIO, "unreadable"),
    ],
)
def test_why_a_file_cannot_be_read(number: int, word: str) -> None:
    # Root, who may run this, may read everything.
    assert copying._unread(OSError(number, "")) == word


def test_a_home_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "from-links").write_text("a file")
    with pytest.raises(Problem) as problem:
        copying.keep(NOTEBOOK, "from-links", "x.ipynb")
    assert (problem.value.word, problem.value.detail) == ("cannot-write", "File exists")


def test_a_copy_that_finds_no_room_is_taken_away(tmp_path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NOTEBOOK) - 1, most[1]))
    try:
        with pytest.raises(Problem) as problem:
            copying.keep(NOTEBOOK, "from-links", "x.ipynb")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert (problem.value.word, problem.value.detail) == ("cannot-write", "File too large")
    assert list((tmp_path / "home" / "from-links").iterdir()) == []


def test_what_was_said_is_cut_and_one_line() -> None:
    said: Any = "a\r\n\tb " * 1000
    assert Problem("x", said).detail.startswith("a b a b")
    assert len(Problem("x", said).detail) == copying.MOST_DETAIL
