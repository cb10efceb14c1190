"""The job service in a process of its own, without a lab: people with many jobs, a hub that knows their tokens."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
import sqlalchemy as sa
import yaml

from benchmarks.counters import Late
from job_service.cli.conditions import TOKEN
from job_service.http.auth import HubLogins
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.schema import EVENTS, JOBS
from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from job_service.store.values import NewJob, new_job_id
from lab.folders import TREE

PARAMETERS, DATASETS = 200, 500
LIVE_EACH = 6
"""So many jobs of each person wait to be started, the others are over."""

SITE, TYPE, PLAIN_TYPE = "geneva", "large", "command"
ROOT = "/services/jobs"
_SECRET = "the-services-own"
_SCOPES = ("custom:jobs:read", "custom:jobs:submit", "access:services!service=jobs")
_ANSWER_SECONDS = 60
_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDVgo6BZVy8AwU2yZ3cVYBqZqjKnPvYH1b0cFJ3yGm6k"


@dataclass(frozen=True)
class Running:
    """The service while it runs: where it answers, as which process, and what its loop was late."""

    url: str
    pid: int
    watch: Path
    _logins: HubLogins

    def cpu(self) -> float:
        """Return the seconds that it has computed."""
        return float(sum(psutil.Process(self.pid).cpu_times()[:2]))

    def late(self, since: float) -> list[Late]:
        """Return the turns of its loop that came late since a moment (wall clock)."""
        turns = [json.loads(line) for line in self.watch.read_text().splitlines()]
        return [Late(each["late"], each["computed"]) for each in turns if each["at"] >= since]

    def api(self, name: str) -> httpx.AsyncClient:
        """Return what asks the API as somebody, by a token."""
        return _client(f"{self.url}/api/v1", {"Authorization": f"Bearer {name}"}, {})

    def browser(self, name: str) -> httpx.AsyncClient:
        """Return what opens pages as the browser of somebody who is logged in, and what its script sends."""
        opens = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
        word = {"X-XSRFToken": self._logins.xsrf(name)}
        return _client(
            self.url, {**opens, **word}, {"jupyterhub-jobs": self._logins.signed("jupyterhub-jobs", name)}
        )


def _client(url: str, headers: Mapping[str, str], cookies: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, cookies=cookies, timeout=_ANSWER_SECONDS)


@contextmanager
def running(jobs: Mapping[str, int]) -> Iterator[Running]:
    """Run it for the length of a block; each person has so many jobs.

    Raises CalledProcessError if it does not start.
    """
    with TemporaryDirectory() as name, _hub() as hub:
        folder = Path(name).resolve()
        for each in ("tickets", "run"):
            (folder / each).mkdir(mode=0o700)
        (folder / "catalogue.yaml").write_text(yaml.safe_dump(catalogue(), sort_keys=False))
        _fill(f"sqlite:///{folder / 'jobs.sqlite'}", jobs)
        listen, watch = f"127.0.0.1:{_free_port()}", folder / "watch"
        environment = {"JUPYTERHUB_API_URL": hub, TOKEN: _SECRET, "PATH": os.environ["PATH"]}
        program = [sys.executable, "-m", "benchmarks.inside.watched_jobs", str(folder), listen, str(watch)]
        with subprocess.Popen(program, cwd=TREE, env=environment) as process:
            try:
                url = f"http://{listen}{ROOT}"
                _until_it_answers(process, url)
                yield Running(url, process.pid, watch, HubLogins("jobs", hub, _SECRET, ROOT))
            finally:
                process.terminate()


def _free_port() -> int:
    with socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _until_it_answers(process: "subprocess.Popen[bytes]", url: str) -> None:
    end = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/api/v1/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise subprocess.CalledProcessError(process.poll() or 0, process.args)


class _Hub(BaseHTTPRequestHandler):
    """Says whose a token is: each is the name of whom it belongs to."""

    def do_GET(self) -> None:
        """Answer 200."""
        name = self.headers.get("Authorization", "").rpartition(" ")[2]
        model = {"kind": "user", "name": name, "groups": [], "scopes": list(_SCOPES), "token_id": "a1"}
        data = json.dumps(model).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Be silent."""


@contextmanager
def _hub() -> Iterator[str]:
    """Give the address of its API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hub/api"
        finally:
            server.shutdown()
            thread.join()


def catalogue() -> dict[str, Any]:
    site = {
        "title": "Geneva",
        # Nobody has a ticket, so nothing is asked there.
        "front_ends": [{"host": "login.example.org", "host_keys": [_HOST_KEY]}],
        "jobs": {"folder": "/scratch/{owner}/jobs"},
        "job_folder": "/scratch/{owner}/jupyter",
        "jupyter": {"modules": ["jupyterlab"]},
        "partitions": {"normal": {"time_max": "1d"}, "debug": {"time_max": "30m"}},
        "projects": "none",
    }
    plain = {"name": "Command", "command": "any"}
    return {
        "sites": {SITE: site},
        "profiles": {"lab": {"name": "JupyterLab"}},
        "job_types": {PLAIN_TYPE: plain, TYPE: large_type()},
        "datasets": {"demo": {"list": [_dataset(number) for number in range(DATASETS)]}},
    }


def large_type() -> dict[str, Any]:
    """Return a job type as the catalogue has it: parameters of each kind, each with a condition of its own."""
    kinds: tuple[dict[str, Any], ...] = (
        {"min": 1, "max": 10, "default": 5},
        {"decimal": {"min": 0, "max": 1}},
        {"flag": True},
        {"text": {"longest": 40}},
        {"options": {"": "None", "r": "Red", "g": "Green"}},
    )
    parameters = {
        f"p{number}": {
            "title": f"Parameter {number}",
            "argument": f"--p{number}",
            "when": f"channels > {number % 3} && kind == 'scan' || voxel * 2 < {number}",
            **kinds[number % len(kinds)],
        }
        for number in range(PARAMETERS)
    }
    datasets = {"types": ["scan"], "min": 0, "modes": ["single", "each", "array"]}
    return {"name": "Large", "run": ["/opt/large"], "parameters": parameters, "datasets": datasets}


def _dataset(number: int) -> dict[str, Any]:
    known = {"channels": 3 + number % 5, "kind": "scan", "voxel": 0.5 + number}
    return {"id": f"s{number}", "type": "scan", "location": f"/data/{number}", "parameters": known}


def _fill(url: str, jobs: Mapping[str, int]) -> None:
    """Make the database.  The first job of each person is kept as the service does, the others are its like."""
    upgrade(url)
    for owner in jobs:
        _accept(url, owner)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for owner, count in jobs.items():
            (first,) = connection.execute(sa.select(JOBS).where(JOBS.c.owner == owner)).mappings()
            told = sa.select(EVENTS.c.at, EVENTS.c.text).where(EVENTS.c.job == first["id"])
            event = connection.execute(told).mappings().one()
            last = connection.execute(sa.select(sa.func.max(JOBS.c.id))).scalar_one()
            rows = [
                _another(dict(first), last, number, waits=number > count - LIVE_EACH) for number in range(1, count)
            ]
            events = [{**event, "job": row["id"], "owner": owner, "stage": row["stage"]} for row in rows]
            connection.execute(sa.insert(JOBS), rows)
            connection.execute(sa.insert(EVENTS), events)
    engine.dispose()


def _another(first: dict[str, Any], last: int, number: int, *, waits: bool) -> dict[str, Any]:
    """Return the row of another job, which waits to be started, or is over."""
    row = {**first, "id": last + number, "job_id": new_job_id(), "title": f"job number {number}"}
    if waits:
        return row
    now = datetime.now(UTC)
    begun = now - timedelta(hours=1)
    went = {"queued": begun, "started": begun, "ended": now, "elapsed_s": 3600, "removed": now, "sent": begun}
    told = {"native_id": str(row["id"]), "native_state": "COMPLETED", "submission": "sent", "exit_code": 0}
    return {**row, **went, **told, "stage": Stage.SUCCESSFUL}


def _accept(url: str, owner: str) -> None:
    async def accept() -> None:
        store = await Store.open(url)
        try:
            await store.jobs.accept(_job(owner))
        finally:
            await store.close()

    asyncio.run(accept())


def _job(owner: str) -> NewJob:
    job_id = new_job_id()
    known: dict[str, Any] = {"nodes": 1, "cores": 1, "memory_mib": 100, "gpus": 0, "limit_s": 600}
    return NewJob(
        job_id=job_id,
        owner=owner,
        groups=frozenset(),
        login=owner,
        system=SITE,
        project="default",
        project_id=None,
        account=None,
        spec=JobSpec(type=PLAIN_TYPE, system=SITE, command="true"),
        title="job number 0",
        folder=f"/scratch/{owner}/jobs/{job_id}",
        active_max=10,
        **known,
    )
