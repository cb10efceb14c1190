"""A hub with a service for jobs on loopback, at byte level: it gives what a test has it give, and breaks off."""

import json
import socket
import socketserver
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

API = "/services/jobs/api/v1/"
TOKEN = "5ec4e7-t0ken"
JOB_ID = "0a1b2c3d4e5f"


@dataclass(frozen=True)
class Asked:
    """A request as it came; the names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class JobHub:
    """Gives for each `METHOD path` what was put there, one after the other, and the last again and again.

    What there is not is 404 without a word.  An empty answer is none: the connection ends.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gives(self, request: str, *answers: bytes) -> None:
        """Have a request such as `GET jobs` of the API answered so."""
        method, _, path = request.partition(" ")
        self.answers[f"{method} {path if path.startswith('/') else API + path}"].extend(answers)

    def answer(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        path = asked.path.partition("?")[0]
        there = self.answers.get(f"{asked.method} {asked.path}") or self.answers.get(f"{asked.method} {path}")
        if not there:
            return plain(404, b"")
        return there.pop(0) if len(there) > 1 else there[0]


def plain(status: int, body: bytes, **headers: str) -> bytes:
    """Return an answer; `_` in a header's name stands for `-`."""
    named = {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def as_json(value: Any, status: int = 200, **headers: str) -> bytes:
    """Return an answer that is JSON."""
    return plain(status, json.dumps(value).encode(), **{"Content_Type": "application/json", **headers})


def problem(status: int, detail: str, code: str = "", headers: dict[str, str] | None = None, **more: Any) -> bytes:
    """Return a problem as the service words it."""
    body = {"type": "about:blank", "status": status, "detail": detail, "code": code, **more}
    return as_json(body, status, Content_Type="application/problem+json", **(headers or {}))


def job(stage: str = "QUEUED", **changed: Any) -> dict[str, Any]:
    """Return a job as the service shows it."""
    return {
        "job_id": JOB_ID,
        "id": 7,
        "title": "a job title",
        "owner": "alice",
        "system": "geneva",
        "project": "proj3",
        "type": "command",
        "kind": "batch",
        "parent": None,
        "stage": stage,
        "reason": "",
        "failed": stage == "FAILED",
        "exit_code": None,
        "signal": None,
        "created": "2026-11-27T08:00:00Z",
        "queued": "2026-11-27T08:00:02Z",
        "started": None,
        "ended": None,
        "elapsed_s": None,
        "limit_s": 1800,
        "nodes": 1,
        "cores": 2,
        "memory_mib": 2048,
        "gpus": 0,
        "native_id": "4711",
        "native_state": "PENDING",
        "observed": "2026-11-27T08:10:00Z",
        "stale": False,
        "folder": f"/scratch/alice/jobs/{JOB_ID}",
        "datasets": [],
        "links": {},
        **changed,
    }


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        hub: JobHub = self.server.hub  # type: ignore[attr-defined]
        with suppress(ConnectionError):
            while (asked := self._read()) is not None:
                answer = hub.answer(asked)
                self.wfile.write(answer)
                if not _is_whole(answer):
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return

    def _read(self) -> Asked | None:
        first = self.rfile.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            return Asked(first[0], first[1], headers, b"".join(self._chunks()))
        return Asked(first[0], first[1], headers, self.rfile.read(int(headers.get("content-length", 0))))

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.rfile.readline(), 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    said = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    return bool(said) and int(said[0]) == len(body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


@contextmanager
def running() -> Iterator[JobHub]:
    """Give a hub that is up."""
    hub = JobHub()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hub = hub  # type: ignore[attr-defined]
        hub.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
