"""What a launch is at: for the pages of its owner and of admins, for programs and metrics.  Pure."""

from enum import StrEnum

import sqlalchemy as sa

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch.records.schema import LAUNCHES
from slurm_ssh_spawner.launch.records.stops import is_stop, is_stop_in
from slurm_ssh_spawner.launch.records.values import LaunchRecord

_ROW = LAUNCHES.c
_GOES_ON = _ROW.ended.is_(None)
_FAILED = sa.and_(_ROW.ended.is_not(None), _ROW.node == "", sa.not_(is_stop_in(_ROW.end_reason)))


class Stand(StrEnum):
    """How far a launch is, as its record alone says it; ANY is what may be looked for besides."""

    ANY = ""
    ON_ITS_WAY = "on-its-way"
    UP = "up"
    STOP_OWED = "stop-owed"
    FAILED = "failed"
    ENDED = "ended"


class At(StrEnum):
    """What a launch is at, as Slurm's last word says it too."""

    RUNNING = "running"
    WAITING = "waiting"
    STARTING = "starting"
    STOP_OWED = "stop-owed"
    FAILED = "failed"
    ENDED = "ended"


GOING_ON = (At.RUNNING, At.WAITING, At.STARTING, At.STOP_OWED)
"""Of launches that are not over."""

IN_TABLE: dict[Stand, sa.ColumnElement[bool]] = {
    Stand.ANY: sa.true(),
    Stand.ON_ITS_WAY: sa.and_(_GOES_ON, _ROW.node == "", sa.not_(_ROW.stop_wanted)),
    Stand.UP: sa.and_(_GOES_ON, _ROW.node != "", sa.not_(_ROW.stop_wanted)),
    Stand.STOP_OWED: sa.and_(_GOES_ON, _ROW.stop_wanted),
    Stand.FAILED: _FAILED,
    Stand.ENDED: sa.and_(_ROW.ended.is_not(None), sa.not_(_FAILED)),
}
"""What `stand` says, of the rows of the table."""


def stand(record: LaunchRecord) -> Stand:
    """Return how far a launch is, as its record alone says it."""
    if record.ended is None:
        if record.stop_wanted:
            return Stand.STOP_OWED
        return Stand.UP if record.node else Stand.ON_ITS_WAY
    # One that was stopped on the way has not failed.
    return Stand.ENDED if record.node or is_stop(record.end_reason) else Stand.FAILED


def at(record: LaunchRecord, report: JobReport | None) -> At:
    """Return what a launch is at; `report` is what Slurm said of its job last, None for nothing."""
    match stand(record):
        case Stand.ON_ITS_WAY:
            return At.WAITING if report is not None and report.state is JobState.PENDING else At.STARTING
        case Stand.UP:
            return At.RUNNING
        case kept:
            return At(kept)
