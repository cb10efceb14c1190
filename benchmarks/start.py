"""`start`: from the request to a server that is ready, next to its job script typed as sbatch."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.launches import Marks, cut_connections, outside, script_of, stop, through_hub, typed
from benchmarks.samples import Aim, Table, differences, in_ms, milliseconds, of_medians, ratio
from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.person import Person
from lab.plan import HUB, HUB_USER

PERSON = "alice"
PAIRS = {"stub": 10, "jupyterlab": 4}
COLD_LAUNCHES = 5
AIM_SECONDS = 0.1

_STEPS = (
    ("JupyterHub, until the spawner's turn", None, "connecting"),
    ("hub: home, ticket, sbatch; by hand: sbatch", "connecting", "accepted"),
    ("Slurm's tick, the job's shell, modules, python", "accepted", "starting"),
    ("the server starts; its port is known (hub: and its node)", "starting", "up"),
    ("the first GET (hub: and database and proxy)", "up", "ready"),
)


@dataclass
class Pairs:
    """Launches of one profile in pairs that began at the same phase."""

    hub: list[Marks] = field(default_factory=list)
    typed: list[Marks] = field(default_factory=list)


@dataclass
class Start:
    """All that was measured."""

    pairs: dict[str, Pairs]
    cold: list[Marks]
    exchanges: dict[str, list[float]]


def measure(lab: Lab, say: Callable[[str], None]) -> Start:
    """Run all launches of the benchmark; `say` is told what goes on.  Raises LabError or NotStarted."""
    with Person(lab.url, PERSON) as person:
        person.log_in()
        pairs = {}
        for profile, count in PAIRS.items():
            say(f"start: {count} pairs of {profile}")
            pairs[profile] = _pairs(lab, person, profile, count)
        say(f"start: {COLD_LAUNCHES} launches without a connection")
        cold = [_cold(lab, person, phase) for phase in _phases(COLD_LAUNCHES)]
    say("start: exchanges with the front end")
    program = ["/usr/bin/env", f"--chdir={TREE}", str(HUB_PYTHON), "-m", "benchmarks.inside.exchanges"]
    exchanges = json.loads(lab.run(HUB.name, program, user=HUB_USER).stdout)
    return Start(pairs, cold, exchanges)


def _phases(count: int) -> list[float]:
    """Return phases that cover a second evenly, in an order of no meaning, the same in every run."""
    phases = [(index + 0.5) / count for index in range(count)]
    random.Random(count).shuffle(phases)  # noqa: S311 - nobody has to be unable to guess it
    return phases


def _pairs(lab: Lab, person: Person, profile: str, count: int) -> Pairs:
    _, job = through_hub(person, profile, 0)
    script = script_of(lab, job)
    stop(person)
    found = Pairs()

    def by_hub(phase: float) -> None:
        found.hub.append(through_hub(person, profile, phase)[0])
        stop(person)

    def by_hand(phase: float) -> None:
        found.typed.append(typed(lab, person, script, phase))

    for index, phase in enumerate(_phases(count)):
        # Whatever the first of a pair does to the second, it does as often the other way round.
        for launch in (by_hub, by_hand) if index % 2 else (by_hand, by_hub):
            launch(phase)
    return found


def _cold(lab: Lab, person: Person, phase: float) -> Marks:
    cut_connections(lab, person)
    marks, _ = through_hub(person, "stub", phase)
    stop(person)
    return marks


def aims(start: Start) -> list[Aim]:
    """Return what was aimed at."""
    stub = start.pairs["stub"]
    more = median(differences(_outside(stub.hub), _outside(stub.typed)))
    return [Aim("start, stub: hub - sbatch, Slurm's wait taken out, s", AIM_SECONDS, more)]


def tables(start: Start) -> list[Table]:
    """Return what to print."""
    return [
        *(_launch_table(profile, pairs) for profile, pairs in start.pairs.items()),
        *(_step_table(profile, pairs) for profile, pairs in start.pairs.items()),
        _cold_table(start.cold, start.pairs["stub"].hub),
        Table(
            "exchanges of the hub with the front end, ms",
            ("median", "min", "max"),
            tuple((name, milliseconds(samples)) for name, samples in start.exchanges.items()),
        ),
    ]


def _launch_table(profile: str, pairs: Pairs) -> Table:
    hub, by_hand = [each["ready"] for each in pairs.hub], [each["ready"] for each in pairs.typed]
    hub_outside, hand_outside = _outside(pairs.hub), _outside(pairs.typed)
    notes = ["Slurm starts jobs once a second: a job that comes just too late waits 1000 ms longer."]
    if profile == "stub":
        notes.append(f"aim: hub - sbatch at most {in_ms(AIM_SECONDS)} ms")
    return Table(
        f"start, {profile}: {len(hub)} pairs, ms",
        ("median", "min", "max", "ratio"),
        (
            ("hub: request -> ready", (*milliseconds(hub), ratio(hub, by_hand))),
            ("sbatch at the front end -> answers", (*milliseconds(by_hand), "")),
            ("hub - sbatch, pair by pair", (*milliseconds(differences(hub, by_hand)), "")),
            ("hub, Slurm's wait taken out", (*milliseconds(hub_outside), ratio(hub_outside, hand_outside))),
            ("sbatch, Slurm's wait taken out", (*milliseconds(hand_outside), "")),
            ("hub - sbatch, Slurm's wait taken out", (*milliseconds(differences(hub_outside, hand_outside)), "")),
        ),
        tuple(notes),
    )


def _step_table(profile: str, pairs: Pairs) -> Table:
    hands = [{"connecting": 0.0, **marks} for marks in pairs.typed]
    return Table(
        f"steps, {profile}: medians, ms",
        ("hub", "sbatch"),
        tuple(
            (name, (of_medians(pairs.hub, begin, end), of_medians(hands, begin, end)))
            for name, begin, end in _STEPS
        ),
    )


def _cold_table(cold: Sequence[Marks], warm: Sequence[Marks]) -> Table:
    return Table(
        f"start, stub, no open connection, fresh ticket: {len(cold)} launches, ms",
        ("median", "min", "max"),
        (
            ("hub: request -> job accepted", milliseconds([each["accepted"] for each in cold])),
            ("the same over an open connection", milliseconds([each["accepted"] for each in warm])),
            ("hub, Slurm's wait taken out", milliseconds(_outside(cold))),
        ),
    )


def _outside(marks: Sequence[Marks]) -> list[float]:
    return [outside(each) for each in marks]
