"""How long a piece of work may take: handed down from whoever asks for it to the last exchange with a site."""

import asyncio
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """A moment, and how many `seconds` there were until then when it was set."""

    seconds: float
    _at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline of work that begins now."""
        return cls(seconds, time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """How many seconds are left, at least 0."""
        return max(0.0, self._at - time.monotonic())

    def within(self, seconds: float) -> Self:
        """Return the deadline of a step that may take so long, and no longer than the work it belongs to."""
        return self.after(min(seconds, self.left))

    def enforced(self) -> asyncio.Timeout:
        """Return a context that raises TimeoutError when the time is up."""
        return asyncio.timeout(self.left)
