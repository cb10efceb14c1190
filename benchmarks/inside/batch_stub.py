"""A server for batchspawner as the lab's stub is one for us: tells the hub its port, answers every GET with {}.

Runs in a job, which sends it to Python as text: the standard library only.
"""

import json
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    """Answers every GET."""

    def do_GET(self) -> None:
        """Answer 200."""
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def main() -> None:
    """Say the port as batchspawner-singleuser does, then serve for ever."""
    server = ThreadingHTTPServer(("", 0), Answer)
    request = urllib.request.Request(  # noqa: S310 - the hub's own http URL
        os.environ["JUPYTERHUB_API_URL"] + "/batchspawner",
        json.dumps({"port": server.server_port}).encode(),
        {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"], "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310
    server.serve_forever()


if __name__ == "__main__":
    main()
