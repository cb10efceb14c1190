"""`python -m benchmarks [WHICH]`: measure in a lab, print tables, keep results."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import httpx

from benchmarks import (
    catalogue,
    frozen,
    jobs,
    login,
    logins,
    polling,
    portal,
    records,
    restart,
    start,
    storm,
    tunnels,
    viewers,
)
from benchmarks.samples import Aim, Table, aims_table
from lab import Lab, LabError
from lab.folders import TREE
from lab.people import HUNDRED
from lab.person import NotLetIn, NotStarted

STATE = TREE / ".lab-bench"
RESULTS = Path(__file__).parent / "results.json"
_CROWDS = ("logins", "storm", "polling", "restart", "viewers", "jobs")
_WITHOUT_LAB = ("catalogue", "records", "portal")
BENCHMARKS = ("start", "login", "frozen", "tunnels", *_WITHOUT_LAB, *_CROWDS)
PACKAGES = ("PyYAML", "pydantic", "jupyterhub", "batchspawner", "asyncssh", "gssapi", "python-pam")


def main() -> int:
    """Return the exit code: 0 unless something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="?", choices=BENCHMARKS, help="measure this alone")
    parser.add_argument(
        "--people", type=int, default=len(HUNDRED), help=f"of {', '.join(_CROWDS)}: at most %(default)s"
    )
    parser.add_argument("--cores", type=int, help="how many cores all of it shares, by default those there are")
    told = parser.parse_args()
    only = told.only
    if told.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: told.cores])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if only in _WITHOUT_LAB:
        _measure(None, (only,), told.people)
        return 0
    try:
        with Lab(state=STATE, port=0) as lab:
            _measure(lab, (only,) if only else BENCHMARKS, told.people)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (LabError, NotLetIn, NotStarted, httpx.HTTPError) as error:
        print(f"{error}\nRead the logs in {STATE.relative_to(TREE)}/logs.", file=sys.stderr)
        return 1
    return 0


class Found:
    """What was measured: results to keep, tables to print, and what was aimed at."""

    def __init__(self) -> None:
        self.results: dict[str, object] = {}
        self.tables: list[Table] = []
        self.aims: list[Aim] = []

    def add(self, name: str, kept: object, tables: Sequence[Table], aims: Sequence[Aim] = ()) -> None:
        """Take one benchmark's."""
        self.results[name] = kept
        self.tables += tables
        self.aims += aims


def _measure(lab: Lab | None, which: tuple[str, ...], people: int) -> None:
    """Measure what is asked for; all but those of `_WITHOUT_LAB` need the lab."""
    found, where = Found(), _where(lab)
    if "catalogue" in which:
        read = catalogue.measure(_say)
        found.add("catalogue", read, catalogue.tables(read))
    if "records" in which:
        kept = records.measure(_say)
        found.add("records", kept, records.tables(kept))
    if "portal" in which:
        pages = portal.measure(_say)
        found.add("portal", asdict(pages), portal.tables(pages), portal.aims(pages))
    if lab is not None:
        _measure_in(lab, which, found)
        _measure_crowd(lab, which, people, found)
    RESULTS.write_text(json.dumps({"where": where, **found.results}, indent=1) + "\n")
    print("\n" + "\n\n".join(map(str, [*found.tables, aims_table(found.aims)])))
    print(f"\nEvery sample, in seconds: {RESULTS.relative_to(TREE)}")


def _measure_in(lab: Lab, which: tuple[str, ...], found: Found) -> None:
    if "start" in which:
        started = start.measure(lab, _say)
        found.add("start", asdict(started), start.tables(started), start.aims(started))
    if "login" in which:
        ways = login.measure(lab, _say)
        found.add("login", ways, login.tables(ways), login.aims(ways))
    if "frozen" in which:
        pages = frozen.measure(lab, _say)
        found.add("frozen", asdict(pages), frozen.tables(pages))
    if "tunnels" in which:
        carried = tunnels.measure(lab, _say)
        found.add("tunnels", carried, tunnels.tables(carried), tunnels.aims(carried))


def _measure_crowd(lab: Lab, which: tuple[str, ...], people: int, found: Found) -> None:
    """Measure what many people do; all but the logins put other hubs in the place of the lab's own."""
    if "logins" in which:
        crowd = logins.measure(lab, _say, people)
        found.add("logins", asdict(crowd), logins.tables(crowd), logins.aims(crowd))
    if "storm" in which:
        storms = storm.measure(lab, _say, people)
        kept = {place: {row: asdict(each) for row, each in rows.items()} for place, rows in storms.items()}
        found.add("storm", kept, storm.tables(storms), storm.aims(storms))
    if "polling" in which:
        windows = polling.measure(lab, _say, people)
        kept_windows = {row: asdict(each) for row, each in windows.items()}
        found.add("polling", kept_windows, polling.tables(windows), polling.aims(windows))
    if "restart" in which:
        restarts = restart.measure(lab, _say, people)
        kept_restarts = {row: asdict(each) for row, each in restarts.items()}
        found.add("restart", kept_restarts, restart.tables(restarts), restart.aims(restarts))
    if "viewers" in which:
        viewed = viewers.measure(lab, _say, people)
        found.add("viewers", asdict(viewed), viewers.tables(viewed), viewers.aims(viewed))
    if "jobs" in which:
        sent = jobs.measure(lab, _say, people)
        found.add("jobs", asdict(sent), jobs.tables(sent), jobs.aims(sent))


def _where(lab: Lab | None) -> dict[str, object]:
    """Return what the numbers depend on."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "kernel": platform.release(),
        "commit": _first_line("git", "-C", str(TREE), "describe", "--always", "--dirty"),
        "openssh": _first_line("ssh", "-V"),
        **({"slurm": lab.run("geneva-ctl", ["sinfo", "--version"]).stdout.strip()} if lab else {}),
        **{name: version(name) for name in PACKAGES},
    }


def _first_line(*command: str) -> str:
    """Return how a program's answer begins, "" if it is not there or fails."""
    try:
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.partition("\n")[0]


def _say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
