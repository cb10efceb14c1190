"""Spares servers that do not answer.  Pure."""


class Breaker:
    """After three failures in a row it lets one try pass each half minute.

    Times are given by the caller, in seconds of whatever clock.
    """

    failures_to_open = 3
    open_seconds = 30

    def __init__(self) -> None:
        self._failures = 0
        self.open_until = 0.0

    def lets_pass(self, now: float) -> bool:
        """Return whether to try now; the one that passes an open breaker is its probe."""
        if self._failures < self.failures_to_open:
            return True
        # A clock that was set back must not keep it open.
        if 0 < self.open_until - now <= self.open_seconds:
            return False
        self.open_until = now + self.open_seconds
        return True

    def answered(self) -> None:
        """Close it."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """Count one more try without an answer."""
        self._failures += 1
        self.open_until = now + self.open_seconds
