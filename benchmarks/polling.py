"""`polling`: what servers cost that only run, next to batchspawner."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks import counters, crowd, hubs, room, sleepers
from benchmarks.counters import Counts
from benchmarks.samples import Aim, Table
from lab import Lab
from lab.people import HUNDRED

PEOPLE = tuple(person.name for person in HUNDRED)
EACH = 10
"""Servers of each person where jobs only sleep."""

WINDOW_SECONDS = 60
# A start every 0.2 s: no storm.
_START_SECONDS = 0.2
# Longer than ours keeps a connection about which nobody asks, and than the interval of polls.
_SETTLE_SECONDS = hubs.SHORT_IDLE_SECONDS + 15
_AIM_CPU = 1.6

_OURS = "ours, "
IDLE, ONE = "ours, no server", "ours, 1 server"
MANY, UNMONITORED = "ours, {} servers", "ours, {} servers at a site without a monitor"
SLEEPERS = "ours, {} servers: jobs sleep, one program answers for all"
THEIRS = "{}, {} servers"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """What was counted in a minute, and what there was at its end: connections, processes of sshd, memory."""

    servers: int
    counts: Counts
    connections: int
    sshds: int
    memory: int
    """Bytes that the hub and what it started have for themselves."""


Windows = dict[str, Window]


def measure(lab: Lab, say: Say, people: int) -> Windows:
    """Count for a minute each with no server, one, one of each of so many people, and ten of each.

    Raises LabError, NotLetIn or httpx.HTTPError.
    """
    names = PEOPLE[:people]
    found: Windows = {}

    def counted(row: str, first: int, last: int, site: str) -> None:
        say(f"polling: {row}")
        crowd.start(lab, names[first:last], _START_SECONDS * (last - first), (site,))
        time.sleep(_SETTLE_SECONDS)
        found[row] = _window(lab)

    room.make(lab, cores=people * EACH)
    with hubs.put(lab, hubs.OURS_BRIEFLY, names):
        counted(IDLE, 0, 0, "geneva")
        counted(ONE, 0, 1, "geneva")
        counted(MANY.format(people), 1, people, "geneva")
        crowd.stop(lab)
        counted(UNMONITORED.format(people), 0, people, "lugano")
        crowd.stop(lab)
        with sleepers.running(lab, names, EACH):
            counted(SLEEPERS.format(people * EACH), 0, 0, "geneva")
        crowd.clear_jobs(lab)
    for hub in (hubs.PLAIN, hubs.MASTER):
        with hubs.put(lab, hub, names):
            counted(THEIRS.format(hub.name, people), 0, people, "geneva")
            crowd.stop(lab)
    return found


def _window(lab: Lab) -> Window:
    before, began = counters.count(lab), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    counts = counters.count(lab).since(before, 60 / (time.monotonic() - began))
    return Window(
        len(hubs.servers(lab)), counts, counters.connections(lab), counters.sshds(lab), counters.memory(lab)
    )


def aims(windows: Windows) -> list[Aim]:
    """Return what was aimed at."""
    idle, one = windows[IDLE].counts, windows[ONE].counts
    found = []
    for name, window in windows.items():
        if name.startswith(_OURS) and window.servers > 1:
            found.append(Aim(f"polling, {name}: hub CPU, x idle", _AIM_CPU, window.counts.hub_cpu / idle.hub_cpu))
            if name != UNMONITORED.format(window.servers):
                # They are counted for a minute that need not begin with a question.
                found.append(Aim(f"polling, {name}: RPCs", one.rpcs + 1, window.counts.rpcs))
    return found


def tables(windows: Windows) -> list[Table]:
    """Return what to print."""
    idle = windows[IDLE].counts.hub_cpu
    return [
        Table(
            "polling: a minute with servers that only run",
            ("servers", "squeue", "RPCs", "hub CPU", "x idle", "CPU, s", "started", "ssh", "sshd", "MB"),
            tuple((name, _cells(window, idle)) for name, window in windows.items()),
            (
                "CPU, started: seconds, new processes on the front ends; ssh: open connections; sshd: processes",
                "MB: memory of the hub and what it started, without what they share",
                f"batchspawner {version('batchspawner')}",
                f"aims: as many RPCs with one server as with many, hub CPU at most x {_AIM_CPU} of idle",
            ),
        )
    ]


def _cells(window: Window, idle: float) -> tuple[str, ...]:
    counts = window.counts
    return (
        str(window.servers),
        f"{counts.squeue:.0f}",
        f"{counts.rpcs:.0f}",
        f"{counts.hub_cpu:.2f}",
        f"x {counts.hub_cpu / idle:.1f}",
        f"{counts.front_end_cpu:.2f}",
        f"{counts.new_processes:.0f}",
        str(window.connections),
        str(window.sshds),
        f"{window.memory / 1e6:.0f}",
    )
