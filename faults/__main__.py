"""`python -m faults`: break a lab in every way of the table, mend it, and count what was lost."""

import argparse
import signal
import sys

from faults.crowd import Crowd
from faults.report import Result, keep, summary, write_page
from faults.row import Row
from faults.rows import ROWS
from faults.run import connections_left, run
from lab import Lab, LabError
from lab.folders import TREE
from lab.plan import SITES

STATE = TREE / ".lab-faults"


def main() -> int:
    """Return the exit code: 0 if nothing was lost, doubled, orphaned, of the wrong owner or left over."""
    arguments = _parser().parse_args()
    if arguments.markdown:
        write_page(ROWS)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows = _rows(arguments.rows)
        with Lab(state=STATE, port=0) as lab, Crowd(lab) as crowd:
            results = _run_all(lab, crowd, rows, arguments)
            if left := connections_left(lab):
                raise LabError(f"The hub has {left} connections left, though nothing runs.")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except LabError as error:
        print(f"{error}\nRead the logs in {STATE.relative_to(TREE)}/logs.", file=sys.stderr)
        return 1
    return 0 if all(result.is_good for result in results) else 1


def _rows(keys: str) -> list[Row]:
    wanted = keys.split(",") if keys else [row.key for row in ROWS]
    if unknown := set(wanted) - {row.key for row in ROWS}:
        raise LabError(f"There is no row {', '.join(sorted(unknown))}.")
    return [row for row in ROWS if row.key in wanted]


def _run_all(lab: Lab, crowd: Crowd, rows: list[Row], arguments: argparse.Namespace) -> list[Result]:
    """Run the rows, say how each went, and keep it."""
    asked = (arguments.site,) if arguments.site else tuple(site.name for site in SITES)
    all_results = []
    for row in rows:
        sites = tuple(site for site in asked if site in row.sites)
        servers = arguments.servers * len(sites)
        if not sites:
            continue
        results = [_run(lab, crowd, row, sites, arguments.servers) for _ in range(arguments.times)]
        print(f"{row.key:5} {summary(results, servers)}: {row.done}", flush=True)
        keep(results, servers)
        all_results += results
    return all_results


def _run(lab: Lab, crowd: Crowd, row: Row, sites: tuple[str, ...], servers: int) -> Result:
    result = run(lab, crowd, row, sites, servers)
    for line in result.lines():
        print(f"      {line}", flush=True)
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often each row is run (%(default)s)")
    parser.add_argument("--rows", default="", help="the keys of these alone, with commas between")
    parser.add_argument("--site", choices=[site.name for site in SITES], help="at this one alone")
    parser.add_argument("--servers", type=int, default=5, help="at each site (%(default)s)")
    parser.add_argument("--markdown", action="store_true", help="run nothing; write the table into the docs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
