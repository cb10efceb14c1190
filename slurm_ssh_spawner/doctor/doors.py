"""How many looks at one login host go on at once: several sites may have the same."""

import asyncio
from collections import defaultdict

# Each has three connections at once that are not logged in; sshd's MaxStartups is 10:30:100 by default.
_LOOKS_AT_ONCE = 2


class Doors:
    """What is in front of all login hosts, for all looks of one examination."""

    def __init__(self) -> None:
        self._doors: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_LOOKS_AT_ONCE))

    def at(self, host: str) -> asyncio.Semaphore:
        """Return what a look holds until it is logged in there."""
        return self._doors[host]
