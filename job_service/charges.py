"""What a job costs a project, in seconds of the project's.  Pure.

A job that is accepted holds the most that it may use; when it is over, the hold is given back and what it used is
charged, never more than was held.
"""

from datetime import datetime
from typing import Literal

from job_service.record import JobRecord

ChargeUnit = Literal["wall", "node", "core"]
"""What a second of a job counts: one, one for each node, or one for each core of each node."""


def hold(charge: ChargeUnit, limit_s: int, nodes: int, cores: int) -> int:
    """Return what a job holds that may run for `limit_s` on `nodes`, with `cores` on each of them."""
    return limit_s * {"wall": 1, "node": nodes, "core": nodes * cores}[charge]


def charge(record: JobRecord) -> int:
    """Return what a job that is over is charged: 0 if it never ran, or held nothing.

    How the project counts is taken from the hold, so that what is changed meanwhile is for later jobs.
    """
    if not record.held_s or not record.limit_s:
        return 0
    return min(record.held_s, _elapsed(record) * (record.held_s // record.limit_s))


def _elapsed(record: JobRecord) -> int:
    """Return for how long it ran; if nobody knows, until it was last seen running."""
    if record.elapsed_s is not None:
        return max(0, record.elapsed_s)
    if record.started is None or record.observed is None:
        return 0
    return max(0, _seconds(record.started, record.observed))


def _seconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds())
