"""A hub's API on loopback, as far as a job looks at it: its version, and that it waits for no such launch."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

UNKNOWN = b'{"status": 404, "message": "No.", "unknown_launch": true, "has_token": %s}'


@contextmanager
def listening(version: str = "5.3.0", answer: bytes = b"", *, takes_away: str = "") -> Iterator[str]:
    """Give the URL of one that says this version ("": it is no hub), and this to reports (b"": what a hub says).

    A header that something before it `takes_away` does not come to it.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._end(200, b'{"version": "%s"}' % version.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            del self.headers[takes_away]
            has_token = b"true" if self.headers.get("Authorization", "").startswith("token ") else b"false"
            self._end(404, answer or UNKNOWN % has_token)

        def _end(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if version:
                self.send_header("X-JupyterHub-Version", version)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
