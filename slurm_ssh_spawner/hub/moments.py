"""Moments of JupyterHub's, and how templates show moments and times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from languages import timed
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.sentences import labels

_MINUTE = timedelta(minutes=1)


def functions() -> dict[str, Callable[..., Any]]:
    """Return what templates of ours call: `moment` of a datetime, `lasting` of a number of minutes."""
    return {"moment": partial(_moment, datetime.now(UTC)), "lasting": lasting}


def utc(moment: datetime) -> datetime:
    """Return a moment of JupyterHub's, which are in UTC and do not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def minutes_since(moment: datetime) -> int:
    """Return the whole minutes since a moment; less than 0 if it is still to come."""
    return (datetime.now(UTC) - utc(moment)) // _MINUTE


def _moment(now: datetime, when: datetime) -> Markup:
    """Return a moment in UTC, with its day if that is not today's; a script shows it in the reader's zone."""
    utc = when.astimezone(UTC)
    text = utc.strftime(labels.UTC_CLOCK if utc.date() == now.date() else labels.UTC_DAY_AND_CLOCK)
    return escape(timed(text, utc))
