"""A person in front of a hub that is slow; this needs no lab."""

from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from lab.person import Person


class SlowHub(ThreadingHTTPServer):
    """Says of a server twice that it has not stopped yet, then that it has."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = [HTTPStatus.ACCEPTED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT]


class _Handler(BaseHTTPRequestHandler):
    server: SlowHub

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Set-Cookie", "_xsrf=x; Path=/")
        self.end_headers()

    def do_POST(self) -> None:
        self.send_response(HTTPStatus.CREATED)
        self.end_headers()
        self.wfile.write(b'{"token": "t"}')

    def do_DELETE(self) -> None:
        self.send_response(self.server.answers.pop(0))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[SlowHub]:
    with SlowHub() as hub:
        thread = Thread(target=hub.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


@pytest.mark.parametrize("server", ["", "south"])
def test_whoever_stops_a_server_waits_until_it_is_gone(hub: SlowHub, server: str) -> None:
    with Person(f"http://127.0.0.1:{hub.server_port}", "alice") as alice:
        alice.http.get("/hub/login")
        if server:
            alice.remove(server)
        else:
            alice.stop()
    assert hub.answers == []
