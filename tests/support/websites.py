"""Websites on loopback from which notebooks are copied: a real git behind HTTP, and a gallery at byte level."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def repository(folder: Path, files: dict[str, bytes]) -> Path:
    """Return a bare repository in `folder` whose branch `main`, which has the tag `v1`, has these files."""
    work, bare = folder / "work", folder / "served" / "course.git"
    work.mkdir(parents=True)
    for name, content in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(content)
    as_someone = ["-c", "user.name=Teacher", "-c", "user.email=teacher@example.org"]
    for arguments in (
        ["init", "-q", "-b", "main", "."],
        ["add", "."],
        [*as_someone, "commit", "-qm", "First"],
        ["tag", "v1"],
        ["clone", "-q", "--bare", ".", str(bare)],
    ):
        subprocess.run(["git", *arguments], cwd=work, check=True, capture_output=True, env=_plain())
    return bare


def _plain() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass
class Website:
    """Serves the repositories in a folder below `/git/`, and elsewhere what `pages` has: status, header, body.

    `asked` has the paths that were asked for.
    """

    root: Path
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gives(self, notebook: str, content: bytes, status: int = 200, **header: str) -> str:
        """Give a notebook of a gallery, as nbgallery's `download` does, and return its page's address."""
        sent = {"Content-Disposition": 'attachment; filename="../../.bashrc"', **header}
        self.pages[f"/gallery/notebooks/{notebook}/download"] = (status, sent, content)
        return f"{self.url}/gallery/notebooks/{notebook}"

    def git(self, asked: BaseHTTPRequestHandler) -> bytes:
        """Return what git's own program for web servers answers."""
        path, _, query = asked.path.partition("?")
        length = int(asked.headers.get("Content-Length", 0))
        environ = {
            **_plain(),
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": asked.command,
            "PATH_INFO": path.removeprefix("/git"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": asked.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": asked.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": asked.headers.get("Git-Protocol", ""),
        }
        command = ["git", "http-backend"]
        body = asked.rfile.read(length)
        return subprocess.run(command, input=body, env=environ, capture_output=True, check=True).stdout


@contextmanager
def serving(root: Path) -> Iterator[Website]:
    """Give a website that is up."""
    website = Website(root)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            website.asked.append(self.path)
            if self.path.startswith("/git/") and self.path not in website.pages:
                self._git()
                return
            status, header, body = website.pages.get(self.path, (404, {}, b"no such page"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **header}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def _git(self) -> None:
            head, _, body = website.git(self).partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(lines.pop("Status", "200").split()[0]))
            for name, value in lines.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    website.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield website
    server.shutdown()
    server.server_close()
    thread.join()
