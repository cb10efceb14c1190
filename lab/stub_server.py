#!/usr/bin/python3
"""A notebook server's outside without its inside: says where it listens, and answers the hub.

Benchmarks start it to see what a launch costs besides JupyterLab.
"""

import json
import os
import pwd
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse


class Answer(BaseHTTPRequestHandler):
    """Answers every GET with the host that it is on, its job, and as whom it runs."""

    def do_GET(self) -> None:
        """Answer 200."""
        job, user = os.environ.get("SLURM_JOB_ID", ""), pwd.getpwuid(os.getuid()).pw_name
        body = json.dumps({"host": socket.getfqdn(), "job": job, "user": user}).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Listen, write the record that Jupyter servers write, serve for ever."""
    port = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"]).port or 0
    server = ThreadingHTTPServer(("", port), Answer)
    record = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{os.getpid()}.json")
    record.write_text(json.dumps({"pid": os.getpid(), "port": port}))
    server.serve_forever()


if __name__ == "__main__":
    main()
