"""Moments and times as people read them.  Pure, but for the hub's time zone."""

from datetime import UTC, datetime

from languages import timed
from profiles.sentences.labels import duration
from slurm_ssh_spawner.sentences import labels

_HOUR, _DAY = 60, 24 * 60


def clock(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment within a week of `now`, as the hub's clock shows it: "14:05 CET" or "Fri 14:05 CET".

    In a page a script shows it in the reader's zone, also in a sentence that it is a value of.
    """
    local, today = moment.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    text = (labels.CLOCK if local.date() == today else labels.DAY_AND_CLOCK).format(moment=local)
    return timed(text, moment)


def lasting(minutes: int) -> str:
    """Return how long something lasts: "< 1 min", "1 h 30 min", "2 d"; of more than a day not the minutes."""
    if minutes < 1:
        return labels.NO_MINUTE
    return duration(minutes - minutes % _HOUR if minutes >= _DAY else minutes)
