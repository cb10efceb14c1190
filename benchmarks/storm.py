"""`storm`: many people start their servers within some seconds, next to batchspawner and to sbatch by hand."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from benchmarks import by_hand, counters, crowd, hubs, room
from benchmarks.by_hand import Scripts
from benchmarks.counters import Counts, Late
from benchmarks.crowd import Started
from benchmarks.samples import Aim, Table
from lab import Lab
from lab.people import HUNDRED
from lab.plan import SITES

SECONDS = 4.5
PLACES = {"geneva": ("geneva",), "both sites": tuple(site.name for site in SITES)}

COLD, WARM = "ours, no open connections", "ours, connections open"
PLAIN, MASTER, BARE = hubs.PLAIN.name, hubs.MASTER.name, hubs.BARE.name
OUR_SCRIPT, THEIR_SCRIPT = "our scripts by sbatch", "batchspawner's scripts by sbatch"
BARE_SCRIPT = f"{THEIR_SCRIPT}, no module"

AIM_LATE_SECONDS = 0.15
AIMS = {MASTER: 0.8, BARE: 0.8, THEIR_SCRIPT: 1.3, BARE_SCRIPT: 1.3}
"""How many times the seconds of a row ours may take."""

_SETTLE_SECONDS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class OfHub:
    """What a storm was for a hub: what it cost, and by how much each late turn of the hub's loop was late."""

    cost: Counts
    late: list[Late]
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
    for hub, script in ((hubs.PLAIN, THEIR_SCRIPT), (hubs.MASTER, THEIR_SCRIPT), (hubs.BARE, BARE_SCRIPT)):
        with hubs.put(lab, hub, names):
            for place in PLACES:
                say(f"storm: {hub.name}, {place}")
                found[place][hub.name], scripts[script] = _storm(lab, names, place)
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
    cost, late = counters.count(lab).since(before), counters.late_turns(lab, began)
    scripts = by_hand.scripts_of_running(lab, names, PLACES[place])
    return Storm(started, OfHub(cost, late, jobs_left=crowd.stop(lab))), scripts


def aims(storms: Storms) -> list[Aim]:
    """Return what was aimed at."""
    return [aim for place, rows in storms.items() for aim in _aims(place, rows)]


def _aims(place: str, rows: Mapping[str, Storm]) -> Iterator[Aim]:
    for name in (COLD, WARM):
        row = rows[name]
        for other, times in AIMS.items():
            ratio = row.seconds / rows[other].seconds
            yield Aim(f"storm, {place}: {name}: all ready, x {other}", times, ratio)
        yield Aim(f"storm, {place}: {name}: failed", 0, len(row.started.failed))
        if row.hub:
            late, computed, _ = _of_hub(row.hub)
            yield Aim(f"storm, {place}: {name}: late, s", AIM_LATE_SECONDS, float(late))
            yield Aim(f"storm, {place}: {name}: of it computed, s", AIM_LATE_SECONDS, float(computed))


def tables(storms: Storms) -> list[Table]:
    """Return what to print."""
    return [table for place, rows in storms.items() for table in _tables(place, rows)]


def _tables(place: str, rows: Mapping[str, Storm]) -> list[Table]:
    people = len(rows[COLD].started.names)
    with_hubs = {name: (row, row.hub) for name, row in rows.items() if row.hub}
    references = (PLAIN, MASTER, BARE, OUR_SCRIPT, THEIR_SCRIPT, BARE_SCRIPT)
    return [
        Table(
            f"storm, {place}: {people} people within {SECONDS} s, s",
            ("all ready", "median", "failed", "late", "computed", "hub CPU"),
            tuple((name, _times(row)) for name, row in rows.items()),
            ("late: the longest time until the hub's loop did something else; computed: the most of it",),
        ),
        Table(
            f"storm, {place}: until all are ready, compared with",
            ("ssh", "master", "bare", "typed", "theirs", "bare"),
            tuple(
                (name, tuple(f"x {row.seconds / rows[other].seconds:.2f}" for other in references))
                for name, (row, _) in with_hubs.items()
            ),
            (
                f"ssh, master: batchspawner {version('batchspawner')}, plain or with ControlMaster",
                "typed, theirs: our own scripts and batchspawner's, submitted by sbatch without any hub",
                "bare: batchspawner's jobs load no module; all others load the one that JupyterLab is in",
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
    of_hub = _of_hub(storm.hub) if storm.hub else ("", "", "")
    return (f"{storm.seconds:.1f}", f"{median(ready):.1f}", str(len(storm.started.failed)), *of_hub)


def _of_hub(hub: OfHub) -> tuple[str, ...]:
    late = max((turn.late for turn in hub.late), default=0.0)
    computed = max((turn.computed for turn in hub.late), default=0.0)
    return (f"{late:.2f}", f"{computed:.2f}", f"{hub.cost.hub_cpu:.1f}")


def _costs(hub: OfHub) -> tuple[str, ...]:
    cost = hub.cost
    numbers = (cost.squeue, cost.sbatch, cost.rpcs, cost.new_processes, cost.logins)
    return (*(f"{number:.0f}" for number in numbers), f"{cost.front_end_cpu:.1f}", str(hub.jobs_left))
