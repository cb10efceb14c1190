"""`login`: from the password to the stored ticket, next to kinit for the same person."""

import json
from collections.abc import Callable
from statistics import median

from benchmarks.inside.logins import AUTHENTICATOR, FORM, KDC_ALONE, KINIT, KINIT_START, LIBRARY
from benchmarks.samples import Aim, Samples, Table, milliseconds, ratio
from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.plan import HUB, HUB_USER

AIM_RATIO = 1.3

Logins = dict[str, list[float]]
"""Seconds of each way to log in."""


def measure(lab: Lab, say: Callable[[str], None]) -> Logins:
    """Run all ways to log in, in turn, on the hub's host.  Raises LabError."""
    say("login: all ways in turn")
    program = ["/usr/bin/env", f"--chdir={TREE}", str(HUB_PYTHON), "-m", "benchmarks.inside.logins"]
    found: Logins = json.loads(lab.run(HUB.name, program, user=HUB_USER).stdout)
    return found


def aims(logins: Logins) -> list[Aim]:
    """Return what was aimed at."""
    times = median(logins[AUTHENTICATOR]) / median(logins[KINIT])
    return [Aim("login: the authenticator, x kinit", AIM_RATIO, times)]


def tables(logins: Logins) -> list[Table]:
    """Return what to print."""
    kinit = logins[KINIT]

    def cells(samples: Samples) -> tuple[str, ...]:
        return (*milliseconds(samples), ratio(samples, kinit))

    order = (AUTHENTICATOR, KDC_ALONE, FORM, KINIT, KINIT_START, LIBRARY)
    return [
        Table(
            f"login: {len(kinit)} rounds, ms",
            ("median", "min", "max", "ratio"),
            tuple((name, cells(logins[name])) for name in order),
            (f"aim: the authenticator at most x {AIM_RATIO} kinit",),
        )
    ]
