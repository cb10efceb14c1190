"""A row of the table: what is broken, at which moment of a launch, and what has to be true afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.scene import Scene

Step = Callable[["Scene"], None]
"""Does one thing in the lab, or waits for one; raises LabError if that does not come about."""


class Outcome(Enum):
    """What has to become of a server."""

    THERE = "there"
    """It is listed and answers, in the job that it had."""

    GONE = "gone"
    """It is not listed, its job is over, and its launch record says why."""

    EITHER = "either"
    """One of both, or it was refused with a sentence."""


@dataclass(frozen=True)
class Row:
    """One fault.

    `when` brings a launch for each person to the moment, `fault` breaks and `heal` mends; what is still broken or
    held up after that is mended anyway.  `outcome` is that of these launches; steps may change it.
    """

    key: str
    done: str
    """What is done, for people."""

    sees: str
    """What a person sees, for people."""

    when: tuple[Step, ...]
    fault: tuple[Step, ...]
    heal: tuple[Step, ...] = ()
    outcome: Outcome = Outcome.THERE
    sites: tuple[str, ...] = ("geneva", "lugano")
    told: str = ""
    """A pattern that is found in something that people were told meanwhile, "" for none."""

    within: float = 240
    """Seconds after which what is not right yet counts as wrong."""

    slow: bool = False
    """It takes more than a minute: clocks of Slurm or of the KDC's clients have to run out."""
