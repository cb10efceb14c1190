"""How times, sizes and moments are written, and how people type a time.  Pure."""

import re
from contextlib import suppress
from datetime import UTC, datetime

from hubjobs import sentences

_TIME = re.compile(r"([+-]?)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: int | None) -> str:
    """Return a time in its two largest units, such as 3d04h, 2h05m, 12m, 40s; "-" for None."""
    if seconds is None:
        return "-"
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < _MINUTE:
        return f"{sign}{rest}s"
    if rest < _HOUR:
        return f"{sign}{rest // _MINUTE}m"
    if rest < _DAY:
        minutes = rest % _HOUR // _MINUTE
        return f"{sign}{rest // _HOUR}h" + (f"{minutes:02}m" if minutes else "")
    hours = rest % _DAY // _HOUR
    return f"{sign}{rest // _DAY}d" + (f"{hours:02}h" if hours else "")


def hours(seconds: int) -> str:
    """Return a time in hours, as accounts are kept."""
    return f"{seconds / _HOUR:,.1f} h"


def moment(when: datetime | None) -> str:
    """Return a moment on the reader's clock, "" for None; one that this clock does not have stays as it is."""
    if when is None:
        return ""
    with suppress(OverflowError, ValueError):
        when = when.astimezone()
    return when.strftime("%Y-%m-%d %H:%M:%S")


def age(when: datetime | None) -> str:
    """Return how long ago a moment was."""
    return span(max(0, round((datetime.now(UTC) - when).total_seconds()))) if when else "-"


def size(count: int) -> str:
    """Return so many bytes in a unit that suits."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def seconds(typed: str) -> int:
    """Return the seconds of a time such as 2h, 1d12h, 90m or -3600s.  Raises ValueError."""
    found = _TIME.fullmatch(typed)
    if found is None or not any(found.groups()[1:]):
        raise ValueError(sentences.NO_TIME.format(text=typed))
    counts = [int(each or 0) for each in found.groups()[1:]]
    total = sum(count * unit for count, unit in zip(counts, (_DAY, _HOUR, _MINUTE, 1), strict=True))
    return -total if found[1] == "-" else total
