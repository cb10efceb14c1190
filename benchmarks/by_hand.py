"""The job scripts of a storm, submitted by sbatch on the front ends without any hub."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.crowd import Started
from benchmarks.launches import script_of
from lab import Lab
from lab.plan import SITES

_FRONT_ENDS = {"geneva": "geneva-login1", "lugano": "lugano-login"}
_CONTROLLERS = {site.name: site.controller.name for site in SITES}
_PROGRAM = Path(__file__).parent / "inside" / "typed_crowd.py"

Scripts = Mapping[str, Mapping[str, str]]
"""By site and person."""


def scripts_of_running(lab: Lab, people: Sequence[str], sites: Sequence[str]) -> Scripts:
    """Return everybody's script for each of these sites, made from that of somebody with a running job there."""
    found = {}
    for site in sites:
        ctl = _CONTROLLERS[site]
        person, job = lab.run(ctl, ["squeue", "-h", "-t", "running", "-o", "%u %i"]).stdout.split()[:2]
        script = script_of(lab, job, ctl)
        found[site] = {name: re.sub(rf"\b{person}\b", name, script) for name in people}
    return found


def submit(lab: Lab, people: Sequence[str], seconds: float, sites: Sequence[str], scripts: Scripts) -> Started:
    """Have everybody's script submitted within so many seconds, at the sites in turn; see what becomes of it."""
    found = Started()
    with ThreadPoolExecutor(len(sites)) as threads:
        shares = {site: people[number :: len(sites)] for number, site in enumerate(sites)}
        for each in threads.map(lambda site: _at(lab, site, shares[site], seconds, scripts[site]), sites):
            found.ready |= each["ready"]
            found.failed |= each["failed"]
    return found


def _at(
    lab: Lab, site: str, people: Sequence[str], seconds: float, scripts: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    task = {"scripts": {name: scripts[name] for name in people}, "seconds": seconds}
    argv = ["/usr/bin/python3", "-c", _PROGRAM.read_text()]
    done = lab.run(_FRONT_ENDS[site], argv, input=json.dumps(task))
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found
