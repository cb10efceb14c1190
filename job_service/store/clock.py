"""What time it is for the store."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns this moment; it is asked in any thread."""


def utc_now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)
