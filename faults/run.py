"""Runs a row in a lab that is up, counts, stops everything, counts what is left, and leaves the lab clean."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from faults import service
from faults.count import Counts, count, count_left
from faults.crowd import Crowd, people_at
from faults.report import Result
from faults.row import Row
from faults.scene import Scene
from faults.seen import Seen, look
from faults.steps import HUB, TUNNELS
from lab import Lab, LabError
from lab.plan import SITES

_OTHERS = 1
_GONE_SECONDS = 240
_PAUSE_SECONDS = 1
# The hub of the lab looks at each server every five seconds: what is right has to be so after that too.
_LOOK_AGAIN_SECONDS = 7
_STOP_SECONDS = 60
_IDLE_SECONDS = 240
_STOPS_AT_ONCE = 16
_HUB_SECONDS = 300

_END_RECORDS = """
import sqlite3
base = sqlite3.connect("/var/lib/jupyterhub/launches.sqlite", timeout=30)
with base:
    base.execute("update launches set ended = begun, end_reason = 'swept' where ended is null")
"""

_CANCEL_ALL = "squeue -h -o '%i %j' | sed -n 's/ jupyter-hub-.*//p' | xargs -r scancel"
_REMOVE_ALL = "rm -rf /scratch/*/tickets/* /scratch/*/jupyter/????????????"


def run(lab: Lab, crowd: Crowd, row: Row, sites: tuple[str, ...], servers: int) -> Result:
    """Run a row once with so many people at each of the sites."""
    began = time.monotonic()
    counts, problem = Counts(), ""
    crowd.log_in(tuple(name for site in sites for name in people_at(site, servers + _OTHERS)))
    with Scene(lab, crowd, sites, servers) as scene:
        try:
            _play(scene, row)
            counts = _settled(scene, row.within)
            problem = _untold(scene, row.told)
        except (LabError, TimeoutError) as error:
            problem = (str(error) or "somebody has no answer").splitlines()[0]
        try:
            scene.mend_all()
            counts = replace(counts, left_over=_cleared(scene).left_over)
        except LabError as error:
            problem = problem or str(error).splitlines()[0]
    result = Result(row.key, counts, problem, time.monotonic() - began)
    if not result.is_good:
        sweep(lab, crowd)
    return result


def _play(scene: Scene, row: Row) -> None:
    for step in row.when:
        step(scene)
    scene.note_jobs()
    scene.expect(row.outcome)
    for step in (*row.fault, *row.heal):
        step(scene)
    scene.mend_all()
    scene.answered()


def _settled(scene: Scene, within: float) -> Counts:
    """Return what is wrong once nothing is, and stays so, or after that many seconds."""

    def wrong() -> Counts:
        return count(look(scene.lab), scene.expected.values(), scene.old)

    until = time.monotonic() + within
    while True:
        counts = wrong()
        if not counts:
            time.sleep(_LOOK_AGAIN_SECONDS)
            counts = wrong()
        if not counts or time.monotonic() > until:
            return counts
        time.sleep(_PAUSE_SECONDS)


def _untold(scene: Scene, pattern: str) -> str:
    """Return a problem if nobody was told what should have been told."""
    said = [answer.text for answer in scene.told] + [str(record["end_reason"]) for record in scene.records()]
    if re.search(pattern, "\n".join(said)):
        return ""
    return f"nobody was told {pattern!r}, but: {sorted(set(filter(None, said)))}"


def _cleared(scene: Scene) -> Counts:
    """Stop everything, and return what is left over after a while."""
    until = time.monotonic() + _GONE_SECONDS
    while True:
        seen = look(scene.lab)
        left = count_left(seen, scene.old)
        if seen.listed is not None and not left:
            return left
        if time.monotonic() > until:
            return left
        _stop_all(scene.lab, seen)
        time.sleep(_PAUSE_SECONDS)


def _stop_all(lab: Lab, seen: Seen) -> None:
    paths = [
        f"/hub/api/users/{each.user}/server{f's/{each.server}' * bool(each.server)}" for each in seen.listed or ()
    ]
    with ThreadPoolExecutor(_STOPS_AT_ONCE) as threads:
        list(threads.map(lambda path: service.delete(lab, path, _STOP_SECONDS), paths))


def connections_left(lab: Lab) -> int:
    """Return how many connections to front ends the hub still has when it should have closed all as idle."""
    until = time.monotonic() + _IDLE_SECONDS
    while (left := look(lab).connections) and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
    return left


def sweep(lab: Lab, crowd: Crowd) -> None:
    """Leave nothing of anybody's servers behind, however that has to be done: another row begins with none."""
    lab.run("hub", ["/usr/bin/python3", "-c", _END_RECORDS])
    for site in SITES:
        lab.run(site.controller.name, ["sh", "-c", _CANCEL_ALL])
    for daemon in (TUNNELS.daemon, HUB.daemon):
        if any(each.name == daemon and each.pid for each in lab.status()["hub"]):
            lab.fault("kill", "hub", daemon)
        lab.fault("start", "hub", daemon)
    lab.wait("the hub answers", crowd.hub_answers, _HUB_SECONDS)
    lab.wait("nobody has a server", lambda: _nothing_runs(lab), _GONE_SECONDS)
    for site in SITES:
        lab.run(site.controller.name, ["sh", "-c", _REMOVE_ALL])


def _nothing_runs(lab: Lab) -> bool:
    seen = look(lab)
    _stop_all(lab, seen)
    return seen.listed == () and not seen.jobs and not seen.processes
