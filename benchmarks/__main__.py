"""`python -m benchmarks [WHICH]`: measure in a lab, print tables, keep results."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import httpx

from benchmarks import catalogue, frozen, login, polling, restart, start, storm, tunnels
from benchmarks.samples import Table
from lab import Lab, LabError
from lab.folders import TREE
from lab.person import NotLetIn, NotStarted
from lab.plan import HUNDRED

STATE = TREE / ".lab-bench"
RESULTS = Path(__file__).parent / "results.json"
BENCHMARKS = ("start", "login", "frozen", "tunnels", "catalogue", "storm", "polling", "restart")
PACKAGES = ("PyYAML", "pydantic", "jupyterhub", "batchspawner", "asyncssh", "gssapi", "python-pam")


def main() -> int:
    """Return the exit code: 0 unless something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="?", choices=BENCHMARKS, help="measure this alone")
    parser.add_argument(
        "--people", type=int, default=len(HUNDRED), help="of storm, polling, restart: at most %(default)s"
    )
    told = parser.parse_args()
    only = told.only
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if only == "catalogue":
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


def _measure(lab: Lab | None, which: tuple[str, ...], people: int) -> None:
    """Measure what is asked for; all but the catalogue needs the lab."""
    results: dict[str, object] = {"where": _where(lab)}
    tables: list[Table] = []
    if "catalogue" in which:
        read = catalogue.measure(_say)
        results["catalogue"] = read
        tables += catalogue.tables(read)
    if lab is not None:
        _measure_in(lab, which, people, results, tables)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print("\n" + "\n\n".join(map(str, tables)))
    print(f"\nEvery sample, in seconds: {RESULTS.relative_to(TREE)}")


def _measure_in(
    lab: Lab, which: tuple[str, ...], people: int, results: dict[str, object], tables: list[Table]
) -> None:
    if "start" in which:
        started = start.measure(lab, _say)
        results["start"] = asdict(started)
        tables += start.tables(started)
    if "login" in which:
        logins = login.measure(lab, _say)
        results["login"] = logins
        tables += login.tables(logins)
    if "frozen" in which:
        pages = frozen.measure(lab, _say)
        results["frozen"] = asdict(pages)
        tables += frozen.tables(pages)
    if "tunnels" in which:
        carried = tunnels.measure(lab, _say)
        results["tunnels"] = carried
        tables += tunnels.tables(carried)
    _measure_crowd(lab, which, people, results, tables)


def _measure_crowd(
    lab: Lab, which: tuple[str, ...], people: int, results: dict[str, object], tables: list[Table]
) -> None:
    """Measure what puts other hubs in the place of the lab's own."""
    if "storm" in which:
        storms = storm.measure(lab, _say, people)
        results["storm"] = {
            place: {row: asdict(each) for row, each in rows.items()} for place, rows in storms.items()
        }
        tables += storm.tables(storms)
    if "polling" in which:
        windows = polling.measure(lab, _say, people)
        results["polling"] = {row: asdict(each) for row, each in windows.items()}
        tables += polling.tables(windows)
    if "restart" in which:
        restarts = restart.measure(lab, _say, people)
        results["restart"] = {row: asdict(each) for row, each in restarts.items()}
        tables += restart.tables(restarts)


def _where(lab: Lab | None) -> dict[str, object]:
    """Return what the numbers depend on."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "kernel": platform.release(),
        **({"slurm": lab.run("geneva-ctl", ["sinfo", "--version"]).stdout.strip()} if lab else {}),
        **{name: version(name) for name in PACKAGES},
    }


def _say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
