"""`storm`: many people start their servers within some seconds, next to batchspawner and to sbatch by hand."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from benchmarks import by_hand, counters, crowd, hubs, room
from benchmarks.by_hand import Scripts
from benchmarks.counters import Counts
from benchmarks.crowd import Started
from benchmarks.samples import Table
from lab import Lab
from lab.plan import HUNDRED, SITES

SECONDS = 4.5
PLACES = {"geneva": ("geneva",), "both sites": tuple(site.name for site in SITES)}

COLD, WARM = "ours, no open connections", "ours, connections open"
PLAIN, MASTER = hubs.PLAIN.name, hubs.MASTER.name
OUR_SCRIPT, THEIR_SCRIPT = "our scripts by sbatch", "batchspawner's scripts by sbatch"

AIM_LATE_SECONDS = 0.15
_AIMS = {MASTER: 0.8, THEIR_SCRIPT: 1.3}
_SETTLE_SECONDS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class OfHub:
    """What a storm was for a hub: what it cost, and by how much each late turn of the hub's loop was late."""

    cost: Counts
    late: list[float]
    jobs_left: int
    """That belonged to no server once all servers were stopped."""


@dataclass(frozen=True)
class Storm:
    """One storm: what became of it, and what it was for the hub, None without one."""

    started: Started
    hub: OfHub | None = None

    @property
    def seconds(self) -> float:
        """How long it took until all servers were ready that came at all; nan if none did."""
        return max(self.started.ready.values(), default=float("nan"))


Storms = dict[str, dict[str, Storm]]
"""By place and row."""


def measure(lab: Lab, say: Say, people: int) -> Storms:
    """Run all storms of so many people.  Raises LabError, NotLetIn or httpx.HTTPError."""
    names = tuple(person.name for person in HUNDRED[:people])
    found: Storms = {place: {} for place in PLACES}
    room.make(lab)
    with hubs.put(lab, hubs.OURS, names):
        scripts = {OUR_SCRIPT: _ours(lab, say, names, found)}
    for hub in (hubs.PLAIN, hubs.MASTER):
        with hubs.put(lab, hub, names):
            for place in PLACES:
                say(f"storm: {hub.name}, {place}")
                found[place][hub.name], scripts[THEIR_SCRIPT] = _storm(lab, names, place)
    for row, each in scripts.items():
        for place, sites in PLACES.items():
            say(f"storm: {row}, {place}")
            time.sleep(_SETTLE_SECONDS)
            found[place][row] = Storm(by_hand.submit(lab, names, SECONDS, sites, each))
            crowd.clear_jobs(lab)
    return found


def _ours(lab: Lab, say: Say, names: Sequence[str], found: Storms) -> Scripts:
    """Run those of ours, and return the scripts."""
    scripts: Scripts = {}
    for place in PLACES:
        # Connections end with the hub; tickets do not.
        hubs.again(lab)
        for row in (COLD, WARM):
            say(f"storm: {row}, {place}")
            found[place][row], scripts = _storm(lab, names, place)
    return scripts


def _storm(lab: Lab, names: Sequence[str], place: str) -> tuple[Storm, Scripts]:
    """Run a storm of the hub that is there, and stop its servers; return the scripts of its sites, too."""
    time.sleep(_SETTLE_SECONDS)
    before, began = counters.count(lab), time.time()
    started = crowd.start(lab, names, SECONDS, PLACES[place])
    cost, late = counters.count(lab).since(before), counters.lateness(lab, began)
    scripts = by_hand.scripts_of_running(lab, names, PLACES[place])
    return Storm(started, OfHub(cost, late, jobs_left=crowd.stop(lab))), scripts


def tables(storms: Storms) -> list[Table]:
    """Return what to print."""
    return [table for place, rows in storms.items() for table in _tables(place, rows)]


def _tables(place: str, rows: Mapping[str, Storm]) -> list[Table]:
    people = len(rows[COLD].started.names)
    with_hubs = {name: (row, row.hub) for name, row in rows.items() if row.hub}
    references = (PLAIN, MASTER, OUR_SCRIPT, THEIR_SCRIPT)
    aims = ", ".join(f"x {times} of {name}" for name, times in _AIMS.items())
    return [
        Table(
            f"storm, {place}: {people} people within {SECONDS} s, s",
            ("all ready", "median", "failed", "late", "hub CPU"),
            tuple((name, _times(row)) for name, row in rows.items()),
            (
                "late: the longest time for which the hub's loop did nothing else",
                f"aims: ours ready within {aims}; none failed; late at most {AIM_LATE_SECONDS} s",
            ),
        ),
        Table(
            f"storm, {place}: until all are ready, compared with",
            ("ssh", "master", "typed", "theirs"),
            tuple(
                (name, tuple(f"x {row.seconds / rows[other].seconds:.2f}" for other in references))
                for name, (row, _) in with_hubs.items()
            ),
            (
                f"ssh, master: batchspawner {version('batchspawner')}, plain or with ControlMaster",
                "typed, theirs: our own scripts and batchspawner's, submitted by sbatch without any hub",
            ),
        ),
        Table(
            f"storm, {place}: what it cost the sites",
            ("squeue", "sbatch", "RPCs", "started", "logins", "CPU, s", "left"),
            tuple((name, _costs(hub)) for name, (_, hub) in with_hubs.items()),
            ("squeue, sbatch, RPCs: asked of Slurm; started, logins, CPU: on the front ends; left: jobs",),
        ),
    ]


def _times(storm: Storm) -> tuple[str, ...]:
    ready = storm.started.ready.values() or [float("nan")]
    of_hub = (
        (f"{max(storm.hub.late, default=0.0):.2f}", f"{storm.hub.cost.hub_cpu:.1f}") if storm.hub else ("", "")
    )
    return (f"{storm.seconds:.1f}", f"{median(ready):.1f}", str(len(storm.started.failed)), *of_hub)


def _costs(hub: OfHub) -> tuple[str, ...]:
    cost = hub.cost
    numbers = (cost.squeue, cost.sbatch, cost.rpcs, cost.new_processes, cost.logins)
    return (*(f"{number:.0f}" for number in numbers), f"{cost.front_end_cpu:.1f}", str(hub.jobs_left))
