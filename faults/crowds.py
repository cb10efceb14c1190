"""Steps in which many people do many things."""

import random

from faults.cluster import saved
from faults.row import Outcome, Step
from faults.scene import Scene
from faults.seen import listed_by
from faults.steps import (
    FRONT_ENDS,
    HUB,
    KDC,
    SLURM,
    answered,
    cut,
    end,
    freeze,
    join,
    kill,
    mend,
    start_hub,
)
from lab import LabError

_ONE_AT_A_TIME = "single"
_NAMES = ("one", "two", "three", "four", "five")
_MOST_AT_A_SITE = 15
_ALWAYS_THE_SAME = 12


def _slurm_dies(scene: Scene) -> None:
    """Kill the controllers once they have saved all jobs: else they give their numbers again, and drain nodes."""
    saved(scene)
    kill(SLURM)(scene)


_FAULTS: tuple[tuple[Step, Step], ...] = (
    (kill(HUB), start_hub),
    (end(HUB), start_hub),
    (kill(FRONT_ENDS), mend(FRONT_ENDS)),
    (freeze(SLURM), mend(SLURM)),
    (_slurm_dies, mend(SLURM)),
    (cut(FRONT_ENDS), join(FRONT_ENDS)),
    (freeze(KDC), mend(KDC)),
)


def everybody(scene: Scene) -> None:
    """Let three times as many people take part, thirty at most."""
    scene.servers = min(3 * scene.servers, _MOST_AT_A_SITE)


def start_twice(scene: Scene) -> None:
    """Let everybody press Start for one named server twice at once."""
    for name, site in scene.people:
        scene.start(name, site, Outcome.THERE, server=_NAMES[0])
        scene.start_again(name, server=_NAMES[0])


def five_names(scene: Scene) -> None:
    """Let everybody start five servers at once, of a profile of which they may have one."""
    for name, site in scene.people:
        for server in _NAMES:
            scene.start(name, site, Outcome.EITHER, _ONE_AT_A_TIME, server)
    scene.answered()


def one_at_a_time(scene: Scene) -> None:
    """See that nobody has more than one of these servers."""
    listed = [each.user for each in listed_by(scene.lab) or ()]
    if several := sorted({f"{user} has {listed.count(user)}" for user in listed if listed.count(user) > 1}):
        raise LabError(f"One is allowed, but {', '.join(several)}.")


def start_and_stop(scene: Scene) -> None:
    """Let everybody press Start, and Stop at once."""
    for name, site in scene.people:
        scene.start(name, site, Outcome.EITHER)
        scene.stop(name, outcome=Outcome.EITHER)
    scene.answered()


def soak(scene: Scene) -> None:
    """Break one thing after another twice, while everybody goes on to start and to stop."""
    dice = random.Random(_ALWAYS_THE_SAME)  # noqa: S311 - it must be the same each time
    for breaking, mending in dice.sample(_FAULTS * 2, 2 * len(_FAULTS)):
        _some_click(scene, dice)
        breaking(scene)
        _some_click(scene, dice)
        mending(scene)
        answered(scene)


def _some_click(scene: Scene, dice: random.Random) -> None:
    """Let half of the people press the button that their page has."""
    listed = {each.user for each in listed_by(scene.lab) or ()}
    for name, site in dice.sample(scene.people, len(scene.people) // 2):
        if name in listed:
            scene.stop(name, outcome=Outcome.EITHER)
        else:
            scene.start(name, site, Outcome.EITHER)
