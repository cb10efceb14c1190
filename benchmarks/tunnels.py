"""`tunnels`: what goes through a tunnel of our keeper, next to one of OpenSSH."""

import json
import subprocess
from collections.abc import Callable
from statistics import median

from benchmarks.inside import far_end
from benchmarks.inside.tunnels import ECHOES, MEGABYTES, OPENSSH, OURS, ROUNDS, STREAMS, WAYS
from benchmarks.samples import Aim, Table
from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.people import CROWD
from lab.person import Person
from lab.plan import HUB, HUB_USER

SITE, NODE, PORT = "lugano", "lugano-n1", 18000
PEOPLE = tuple(each.name for each in CROWD[:10])
_READY_SECONDS = 30

Tunnels = dict[str, dict[str, list[float] | float]]
"""What was measured of each way: see `benchmarks.inside.tunnels.Measured`."""


def measure(lab: Lab, say: Callable[[str], None]) -> Tunnels:
    """Run both ways in turn on the hub's host, to one program on a node.  Raises LabError or NotLetIn."""
    for name in PEOPLE:
        with Person(lab.url, name) as person:
            person.log_in()
    say("tunnels: both ways in turn")
    with open(far_end.__file__) as program:  # noqa: PTH123 - a node does not see the tree
        argv = ["/usr/bin/python3", "-c", program.read(), str(PORT)]
    with subprocess.Popen(lab.command(NODE, argv)) as there:
        try:
            lab.wait("the far end listens", lambda: _listens(lab), _READY_SECONDS)
            what = ["benchmarks.inside.tunnels", SITE, NODE, str(PORT), *PEOPLE]
            run = ["/usr/bin/env", f"--chdir={TREE}", str(HUB_PYTHON), "-m", *what]
            found: Tunnels = json.loads(lab.run(HUB.name, run, user=HUB_USER).stdout)
        finally:
            there.kill()
    return found


def _listens(lab: Lab) -> bool:
    return f":{PORT}" in lab.run(NODE, ["ss", "-Hltn"]).stdout


_ROWS: tuple[tuple[str, str, float, str], ...] = (
    ("1 stream, MB/s", "one", 1, ".0f"),
    (f"{STREAMS} streams, MB/s", "many", 1, ".0f"),
    ("1 stream, seconds of CPU on the hub for each GB", "cpu_one", 1, ".2f"),
    (f"{STREAMS} streams, seconds of CPU on the hub for each GB", "cpu_many", 1, ".2f"),
    ("a byte there and back, us", "echo", 1e6, ".0f"),
    ("connect, a byte there and back, us", "connect", 1e6, ".0f"),
    ("memory for one person, MB", "first", 1, ".1f"),
    ("memory for each further person, MB", "person", 1, ".2f"),
)


def aims(tunnels: Tunnels) -> list[Aim]:
    """Return what was aimed at."""
    many, echo = (_number(tunnels, OURS, key) / _number(tunnels, OPENSSH, key) for key in ("many", "echo"))
    return [
        Aim(f"tunnels: {STREAMS} streams, MB/s, x ssh -M", 1, many, is_least=True),
        Aim("tunnels: a byte there and back, x ssh -M", 1.2, echo),
    ]


def tables(tunnels: Tunnels) -> list[Table]:
    """Return what to print."""
    rows = tuple(
        (name, (*(format(_number(tunnels, way, key) * scale, shape) for way in WAYS), _ratio(tunnels, key)))
        for name, key, scale, shape in _ROWS
    )
    return [
        Table(
            f"tunnels: medians of {ROUNDS} rounds, {MEGABYTES} MiB and {ECHOES} bytes each",
            ("ours", "ssh -M", "ratio"),
            rows,
        )
    ]


def _number(tunnels: Tunnels, way: str, key: str) -> float:
    found = tunnels[way][key]
    return median(found) if isinstance(found, list) else found


def _ratio(tunnels: Tunnels, key: str) -> str:
    return f"x {_number(tunnels, OURS, key) / _number(tunnels, OPENSSH, key):.2f}"
