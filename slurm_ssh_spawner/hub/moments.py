"""How templates show moments and times."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from markupsafe import Markup

from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.sentences import labels

_TIME = Markup('<time datetime="{iso}">{text}</time>')


def functions() -> dict[str, Callable[..., Any]]:
    """Return what templates of ours call: `moment` of a datetime, `lasting` of a number of minutes."""
    return {"moment": partial(_moment, datetime.now(UTC)), "lasting": lasting}


def _moment(now: datetime, when: datetime) -> Markup:
    """Return a moment in UTC, with its day if that is not today's; a script shows it in the reader's zone."""
    utc = when.astimezone(UTC)
    text = utc.strftime(labels.UTC_CLOCK if utc.date() == now.date() else labels.UTC_DAY_AND_CLOCK)
    return _TIME.format(iso=utc.isoformat(timespec="seconds"), text=text)
