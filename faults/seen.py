"""What is there now: jobs, servers, launch records, files, tunnels, programs.  Looks, and changes nothing."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from faults import service
from lab import Lab, LabError
from lab.plan import FRONT_ENDS, SITES, Role, Site

_MARK = re.compile(r"jupyter-hub-([0-9a-f]{12})")
_LAUNCH_ID = re.compile(r"[0-9a-f]{12}")
_TUNNEL_PORTS = range(20000, 25000)
_LOOK_SECONDS = 240
_ASKED_AT_ONCE = 10

# Jobs that are over stay in Slurm's memory; these are the others.
_AT_SITE = """
squeue -h -t PENDING,CONFIGURING,RUNNING,SUSPENDED,COMPLETING -o 'job|%i|%T|%u|%j' || exit 1
cd /scratch
find . -mindepth 3 -maxdepth 3 -path '*/tickets/*' -printf 'ticket|%u|%P\\n'
find . -mindepth 3 -maxdepth 3 -path '*/jupyter/*' -type d -printf 'folder|%u|%P\\n'
find /home -mindepth 2 -maxdepth 2 -name '.jupyter-sites-*' -printf 'probe|%u|%P\\n'
"""
_AT_NODE = "ps -eo user:32=,args= | grep '/opt/[s]tub-server'; true"
_AT_HUB = """
import json, os, sqlite3
path = "/var/lib/jupyterhub/launches.sqlite"
rows = []
if os.path.exists(path):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    base.row_factory = sqlite3.Row
    rows = base.execute("select * from launches").fetchall()
print(json.dumps([dict(row) for row in rows]))
"""


@dataclass(frozen=True)
class LiveJob:
    """A job of the hub's that is not over; `owner` is the login it runs as."""

    site: str
    job_id: str
    state: str
    owner: str
    launch_id: str


@dataclass(frozen=True)
class Listed:
    """A server that the hub lists; `answer` is what it says of itself through the proxy, {} for nothing."""

    user: str
    server: str
    ready: bool
    launch_id: str
    job_id: str
    answer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """What lies at a site: `kind` is `ticket`, `folder` or `probe`; `owner` has it, `folder_of` has the place."""

    site: str
    kind: str
    owner: str
    folder_of: str
    launch_id: str


@dataclass(frozen=True)
class Seen:
    """Everything at one moment.  `listed` is None if the hub does not answer."""

    jobs: tuple[LiveJob, ...] = ()
    listed: tuple[Listed, ...] | None = ()
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    tunnels: tuple[int, ...] = ()
    processes: tuple[str, ...] = ()
    connections: int = 0


def look(lab: Lab) -> Seen:
    """Return what is there.  Raises LabError if a site's Slurm or the hub's host does not answer for long."""
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as threads:
        listed = threads.submit(listed_by, lab)
        sites = [threads.submit(_at_site, lab, site) for site in SITES]
        nodes = [threads.submit(_at_node, lab, node.name) for site in SITES for node in site.having(Role.NODE)]
        records = threads.submit(records_of, lab)
        sockets = threads.submit(lambda: lab.run("hub", ["ss", "-Htan"]).stdout)
        found = [site.result() for site in sites]
        return Seen(
            jobs=tuple(job for jobs, _ in found for job in jobs),
            listed=listed.result(),
            records=records.result(),
            files=tuple(file for _, files in found for file in files),
            tunnels=_tunnels(sockets.result()),
            processes=tuple(line for node in nodes for line in node.result()),
            connections=_connections(sockets.result()),
        )


def records_of(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return the launch records, each as the row of its table, by launch id."""
    rows = json.loads(lab.run("hub", ["/usr/bin/python3", "-c", _AT_HUB]).stdout)
    return {row["launch_id"]: row for row in rows}


def listed_by(lab: Lab) -> tuple[Listed, ...] | None:
    """Return the servers that the hub lists, None if it does not answer."""
    users = service.get(lab, "/hub/api/users?limit=200")
    if not isinstance(users, list):
        return None
    servers = [(user["name"], name, one) for user in users for name, one in user["servers"].items()]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as threads:
        return tuple(threads.map(lambda each: _server(lab, *each), servers))


def _server(lab: Lab, user: str, name: str, model: Mapping[str, Any]) -> Listed:
    job = (model.get("state") or {}).get("job") or {}
    ready = bool(model["ready"])
    answer = answer_of(lab, user, name) if ready else {}
    return Listed(user, name, ready, job.get("launch_id", ""), job.get("job_id", ""), answer)


def answer_of(lab: Lab, user: str, server: str) -> dict[str, str]:
    """Return what a server says of itself through the proxy, {} if it does not answer."""
    said = service.get(lab, f"/user/{user}/{server}".rstrip("/") + "/")
    return said if isinstance(said, dict) else {}


def _at_site(lab: Lab, site: Site) -> tuple[list[LiveJob], list[File]]:
    until = time.monotonic() + _LOOK_SECONDS
    while (done := lab.run(site.controller.name, ["sh", "-c", _AT_SITE], check=False)).returncode:
        if time.monotonic() > until:
            raise LabError(f"Slurm of {site.name} does not answer: {done.stderr.strip()}")
        time.sleep(0.5)
    lines = [line.split("|") for line in done.stdout.splitlines()]
    jobs = [
        LiveJob(site.name, line[1], line[2], line[3], match[1])
        for line in lines
        if line[0] == "job" and (match := _MARK.fullmatch(line[4]))
    ]
    return jobs, list(_files(site.name, lines))


def _files(site: str, lines: list[list[str]]) -> Iterator[File]:
    for kind, owner, path in (line for line in lines if line[0] != "job"):
        folder_of, _, name = path.partition("/")
        found = _LAUNCH_ID.search(name)
        # A folder of another name in a job folder is no launch's.
        if kind != "folder" or found:
            yield File(site, kind, owner, folder_of, found[0] if found else "")


def _at_node(lab: Lab, node: str) -> list[str]:
    return [f"{node}: {line}" for line in lab.run(node, ["sh", "-c", _AT_NODE]).stdout.splitlines()]


def _tunnels(sockets: str) -> tuple[int, ...]:
    listening = [line.split()[3] for line in sockets.splitlines() if line.startswith("LISTEN")]
    ports = (int(address.rsplit(":", 1)[1]) for address in listening)
    return tuple(sorted(port for port in ports if port in _TUNNEL_PORTS))


def _connections(sockets: str) -> int:
    front_ends = {f"{host.address}:22" for host in FRONT_ENDS}
    open_now = [line.split() for line in sockets.splitlines() if line.startswith("ESTAB")]
    return sum(line[4].removeprefix("[::ffff:").replace("]", "") in front_ends for line in open_now)
