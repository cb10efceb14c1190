"""Submit job scripts as many people do at one front end within some seconds, and wait until all servers answer.

Runs there as root, which has no source tree: the standard library and Slurm's commands only.  Reads
`{"scripts": {person: script}, "seconds"}` from stdin; prints `{"ready": {person: seconds}, "failed": {person:
problem}}`, the seconds counted from the first submission.  What a script would tell its hub it tells this program:
our own the port of its server among its reports, batchspawner's the port alone.
"""

import http.client
import json
import os
import pwd
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_SECONDS = 180
HUB = re.compile(r"(?m)^export (JUPYTERHUB_SITES_REPORT_URL|JUPYTERHUB_API_URL)=.*$")

ready: dict[str, float] = {}
failed: dict[str, str] = {}
jobs: list[str] = []


class Hub(ThreadingHTTPServer):
    """Takes what jobs report."""

    request_queue_size = 512
    began = 0.0


class Report(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.close_connection = True
        person = self.path.split("/")[1]
        for port in (each["port"] for each in (said if isinstance(said, list) else [said]) if "port" in each):
            where = (person, self.client_address[0], int(port), self.server.began)
            threading.Thread(target=await_server, args=where, daemon=True).start()

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr is for errors."""


def await_server(person: str, address: str, port: int, began: float) -> None:
    """Note when a server has answered a GET."""
    while True:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", f"/user/{person}/api")
            if connection.getresponse().status < 500:
                ready[person] = time.monotonic() - began
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()


def submit(hub: Hub, person: str, script: str, after: float) -> None:
    """Submit a script as a person, so many seconds after the first one."""
    time.sleep(max(0.0, hub.began + after - time.monotonic()))
    url = f"http://{socket.gethostname()}:{hub.server_port}/{person}"
    script = HUB.sub(rf"export \1={url}", script)
    entry = pwd.getpwnam(person)
    environ = {
        "HOME": entry.pw_dir,
        "USER": person,
        "LOGNAME": person,
        "SHELL": entry.pw_shell,
        "PATH": "/usr/bin:/bin",
        "JUPYTERHUB_API_TOKEN": "none",
    }
    become = ["setpriv", f"--reuid={person}", f"--regid={person}", "--init-groups"]
    command = [*become, "sbatch", "--parsable", "--export=ALL"]
    done = subprocess.run(
        command, input=script, env=environ, capture_output=True, text=True, cwd=entry.pw_dir, check=False
    )
    if done.returncode:
        failed[person] = done.stderr[-300:]
    else:
        jobs.append(done.stdout.strip().split(";")[0])


def main() -> None:
    task = json.load(sys.stdin)
    scripts: dict[str, str] = task["scripts"]
    hub = Hub(("", 0), Report)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    hub.began = time.monotonic()
    submissions = [
        threading.Thread(target=submit, args=(hub, person, script, index * task["seconds"] / len(scripts)))
        for index, (person, script) in enumerate(scripts.items())
    ]
    for each in submissions:
        each.start()
    for each in submissions:
        each.join()
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and len(ready) + len(failed) < len(scripts):
        time.sleep(0.05)
    late = {person: "not ready in time" for person in scripts if person not in ready and person not in failed}
    subprocess.run(["scancel", *jobs], check=False)
    print(json.dumps({"ready": ready, "failed": {**failed, **late}}), flush=True)
    # Threads may still wait for a server that never answers.
    os._exit(0)


main()
