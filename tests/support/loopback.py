"""A hub on loopback for programs that report to it."""

import json
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WAIT_SECONDS = 60
UNWANTED = -1


@dataclass
class Hub:
    """Answers reports with `statuses` in turn and then with 204; remembers what it was told.

    UNWANTED stands for the 404 by which the hub says that it has no such launch.
    """

    statuses: list[int] = field(default_factory=list)
    port: int = 0
    certificate: Path | None = None
    """PEM of a key and its certificate for `localhost`, with which it speaks https."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    taken: list[socket.socket] = field(default_factory=list)
    has_port: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where to report."""
        place = f"https://localhost:{self.port}" if self.certificate else f"http://127.0.0.1:{self.port}"
        return f"{place}/hub/api/launches/0123456789ab"

    def reported_port(self) -> int:
        """Wait for the report of a port and return it."""
        assert self.has_port.wait(WAIT_SECONDS), self.reports
        return int(self.reports[-1]["port"])

    def take(self, port: int) -> None:
        """Listen on a port, as a stranger on the same node would."""
        stranger = socket.create_server(("", port))
        self.taken.append(stranger)

    def answer(self, path: str, token: str | None, body: bytes) -> int:
        """Take a report and return the status to answer with."""
        self.requests.append((path, token))
        self.lengths.append(len(body))
        status = self.statuses.pop(0) if self.statuses else 204
        if status == 204:
            report = json.loads(body)
            self.reports += report if isinstance(report, list) else [report]
            if "port" in self.reports[-1]:
                self.has_port.set()
        return status


def certificate(folder: Path) -> Path:
    """Make a certificate for `localhost` that is its own authority, and return where it lies with its key."""
    path, key = folder / "localhost.pem", folder / "localhost.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(key.read_text() + path.read_text())
    return path


def listens(port: int) -> bool:
    """Return whether somebody takes connections at a port now."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def silent() -> Iterator[int]:
    """Give a port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@contextmanager
def full() -> Iterator[int]:
    """Give a port at which nobody's connection comes about, as behind a wall that drops everything."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = int(server.getsockname()[1])
        # The kernel takes one or two more than it was told.
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port


@contextmanager
def babbling(port: int, answer: bytes) -> Iterator[threading.Event]:
    """Have somebody at a port who answers everything with the same bytes; give what tells that they have."""
    has_answered = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)
            has_answered.set()

    with _Babbler(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield has_answered
        finally:
            server.shutdown()
            thread.join()


class _Babbler(socketserver.TCPServer):
    allow_reuse_address = True


@contextmanager
def listening(hub: Hub) -> Iterator[Hub]:
    """Serve the hub on its port, or on a free one if it has none.

    `GET /take/PORT` makes it take a port away.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = hub.answer(self.path, self.headers["Authorization"], body)
            if status == UNWANTED:
                self._end(404, b'{"status": 404, "message": "No.", "unknown_launch": true}')
            else:
                self._end(status)

        def do_GET(self) -> None:
            if self.path.startswith("/take/"):
                hub.take(int(self.path.rsplit("/", 1)[1]))
            self._end(204)

        def _end(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", hub.port), Handler)
    if hub.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(hub.certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for stranger in hub.taken:
            stranger.close()
