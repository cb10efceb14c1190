"""How many requests of a kind one person may make in a minute."""

import math
import time
from collections.abc import Callable

from job_service.http.problems import Problem
from job_service.sentences import http as sentences

_MINUTE = 60.0
_MOST_KEPT = 1000


class Pace:
    """Lets each person begin with `a_minute` at once, and have as many again within a minute."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute, self._clock = a_minute, clock
        self._seconds_each = _MINUTE / a_minute
        # When all that somebody has used is theirs again.
        self._whole_at: dict[str, float] = {}

    def step(self, person: str) -> None:
        """Count one more of a person's.  Raises a Problem that says when the next one may come."""
        now = self._clock()
        whole_at = max(now, self._whole_at.get(person, now)) + self._seconds_each
        if (over := whole_at - now - _MINUTE) > self._seconds_each / 2:
            detail = sentences.TOO_MANY_A_MINUTE.format(most=self._a_minute)
            wait = {"Retry-After": str(math.ceil(over))}
            raise Problem(429, "too_many", detail, hint=sentences.COME_AGAIN, headers=wait)
        self._keep(person, now, whole_at)

    def further(self, person: str, count: int) -> None:
        """Count so many more that came with the last one: what is too many of them has the next ones wait."""
        now = self._clock()
        self._keep(person, now, max(now, self._whole_at.get(person, now)) + count * self._seconds_each)

    def _keep(self, person: str, now: float, whole_at: float) -> None:
        if len(self._whole_at) >= _MOST_KEPT:
            self._whole_at = {name: at for name, at in self._whole_at.items() if at > now}
        self._whole_at[person] = whole_at
