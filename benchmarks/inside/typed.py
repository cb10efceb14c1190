"""Submit a job script as a person does at a front end, and wait until its server answers.

Runs on a front end, which has no source tree: the standard library and Slurm's commands only.  Reads
`{"script", "phase", "path", "token"}` from stdin; prints the seconds from the start of sbatch to each mark:
`accepted` (sbatch has ended), `starting` and `up` (the starter's reports), `ready` (the server answered a GET).
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

PATIENCE_SECONDS = 120
# What the hub's spawner leaves in the environment of sbatch, which passes all of it on.
KEPT = ("HOME", "USER", "LOGNAME", "SHELL", "PATH")


class Reports(HTTPServer):
    """Takes the reports that a job would send to the hub."""

    timeout = PATIENCE_SECONDS
    last: tuple[list[dict[str, object]], str, float] | None = None

    def until(self, key: str, value: str | None = None) -> tuple[dict[str, object], str, float]:
        """Take reports until one has the key (with this value); return it, where it came from and when."""
        while True:
            self.last = None
            self.handle_request()
            if self.last is None:
                sys.exit("The job has not reported in time; its log is in /scratch/<person>/jupyter.")
            bodies, address, at = self.last
            for body in bodies:
                if body.get(key) is not None and value in (None, body[key]):
                    return body, address, at


class Report(BaseHTTPRequestHandler):
    server: Reports

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # Reports that follow each other within a moment come together.
        bodies = body if isinstance(body, list) else [body]
        self.server.last = (bodies, self.client_address[0], time.monotonic())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr is for errors."""


def answers(address: str, port: int, path: str) -> bool:
    """Return whether a server answers now; as for the hub, any status below 500 will do."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def submit(script: str, token: str) -> str:
    """Return the id of the new job."""
    command = ["sbatch", "--parsable", "--export=ALL"]
    environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {"JUPYTERHUB_API_TOKEN": token}
    done = subprocess.run(command, input=script, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def end(job: str) -> None:
    """Cancel the job and return when it is gone, so that it is in nobody's way."""
    subprocess.run(["scancel", job], check=True)
    until = time.monotonic() + PATIENCE_SECONDS
    while subprocess.run(["squeue", "-h", "-j", job], capture_output=True, check=False).stdout.strip():
        if time.monotonic() > until:
            sys.exit(f"Job {job} does not end.")
        time.sleep(0.1)


def main() -> None:
    task = json.load(sys.stdin)
    reports = Reports(("", 0), Report)
    url = f"http://{socket.gethostname()}:{reports.server_port}/"
    line = "export JUPYTERHUB_SITES_REPORT_URL="
    script, found = re.subn(f"(?m)^{line}.*$", line + url, task["script"])
    if found != 1:
        sys.exit("The job script does not say where to report.")
    time.sleep((task["phase"] - time.time()) % 1)
    began = time.monotonic()
    job = submit(script, task["token"])
    marks = {"accepted": time.monotonic()}
    try:
        _, _, marks["starting"] = reports.until("stage", "starting")
        body, node, marks["up"] = reports.until("port")
        while not answers(node, int(str(body["port"])), task["path"]):
            time.sleep(0.01)
        marks["ready"] = time.monotonic()
    finally:
        end(job)
    print(json.dumps({name: at - began for name, at in marks.items()}))


main()
