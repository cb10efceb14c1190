"""Steps that bring a launch of everybody to one moment, and hold it there."""

from collections.abc import Iterator
from contextlib import contextmanager

from faults.row import Outcome, Step
from faults.scene import STUB, Scene
from faults.seen import LiveJob, listed_by, look
from lab import Lab
from lab.people import CROWD
from lab.quirks import Hold

QUEUE = "queue"
KERNELS = "kernels"
_BUILDING = "building"


def running(scene: Scene) -> None:
    """Everybody's server is ready."""
    launched(scene)
    scene.wait("all servers are ready", lambda: _ready(scene) >= {name for name, _ in scene.people})
    scene.answered()


def launched(scene: Scene, profile: str = STUB) -> None:
    """Everybody has pressed Start."""
    for name, site in scene.people:
        scene.start(name, site, Outcome.THERE, profile)


def accepted(scene: Scene) -> None:
    """Everybody has pressed Start, and each launch is recorded."""
    launched(scene)
    scene.wait("all launches are recorded", lambda: len(scene.records()) == len(scene.people))


def pending(scene: Scene) -> None:
    """Everybody's job waits in the queue until `let_go(QUEUE)`, and the hub knows its number."""
    for site in scene.sites:
        scene.keep(QUEUE, _closed(scene.lab, site))
    launched(scene)
    scene.wait("all jobs wait", lambda: _in_state(scene, "PENDING") and _all(scene, "job_id"))


def building(scene: Scene) -> None:
    """Everybody's job makes a kernel until `let_go(KERNELS)`."""
    scene.keep(KERNELS, _unfinished(scene.lab, scene.sites))
    launched(scene, _BUILDING)
    scene.wait("all jobs make a kernel", lambda: _building(scene) == len(scene.people))


def submitting(how: Hold) -> Step:
    """Everybody's sbatch is held up until `let_go("sbatch")`."""

    def step(scene: Scene) -> None:
        scene.hold("sbatch", how)
        launched(scene)
        scene.wait("all wait for sbatch", lambda: scene.came("sbatch") >= len(scene.people))

    return step


def reported(scene: Scene) -> None:
    """Everybody's job has reported its port; squeue, which names its node, waits until `let_go("squeue")`."""
    scene.hold("squeue", Hold.BEFORE)
    launched(scene)
    scene.wait("all ports are recorded", lambda: _all(scene, "port"))


def stopping(scene: Scene) -> None:
    """Everybody's server ran, they have pressed Stop, and scancel is held up until `let_go("scancel")`."""
    running(scene)
    # What an older call does once it goes on must not be taken for what the hub does.
    scene.hold("scancel", Hold.REFUSED)
    for name, _ in scene.people:
        scene.stop(name)
    scene.wait("all stops are noted", lambda: _all(scene, "stop_wanted"))


def jobs(scene: Scene) -> list[LiveJob]:
    """Return the jobs of this run that are alive."""
    return [job for job in look(scene.lab).jobs if job.launch_id not in scene.old]


def _ready(scene: Scene) -> set[str]:
    return {each.user for each in listed_by(scene.lab) or () if each.ready}


def _in_state(scene: Scene, state: str) -> bool:
    return [job.state for job in jobs(scene)] == [state] * len(scene.people)


def _all(scene: Scene, column: str) -> bool:
    """Return whether each person's launch record has something in that column."""
    return sum(bool(record[column]) for record in scene.records()) == len(scene.people)


def _building(scene: Scene) -> int:
    """Return how many jobs have begun to make their kernel."""
    look_for = "grep -l '^begun' /scratch/*/jupyter/*.log"
    logs = [scene.lab.run(f"{site}-ctl", ["sh", "-c", look_for], check=False).stdout for site in scene.sites]
    return sum(str(record["launch_id"]) in "".join(logs) for record in scene.records())


@contextmanager
def _closed(lab: Lab, site: str) -> Iterator[None]:
    update = ["scontrol", "update", "partition=normal"]
    lab.run(f"{site}-ctl", [*update, "state=down"])
    try:
        yield
    finally:
        lab.run(f"{site}-ctl", [*update, "state=up"])


@contextmanager
def _unfinished(lab: Lab, sites: tuple[str, ...]) -> Iterator[None]:
    """Let kernels of the profile `building` be made until the end of the block, and no longer."""
    homes = " ".join(f"/home/{person.name}" for person in CROWD)
    for site in sites:
        lab.run(f"{site}-ctl", ["sh", "-c", f"for home in {homes}; do rm -f $home/go $home/built; done"])
    try:
        yield
    finally:
        for site in sites:
            lab.run(f"{site}-ctl", ["sh", "-c", f"for home in {homes}; do touch $home/go; done"])
