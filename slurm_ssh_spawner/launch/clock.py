"""Moments as people read them.  Pure, but for the hub's time zone."""

from datetime import UTC, datetime


def clock(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment within a week of `now`, as the hub's clock shows it: "14:05", on another day "Fri 14:05"."""
    local, today = moment.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%a %H:%M}"
