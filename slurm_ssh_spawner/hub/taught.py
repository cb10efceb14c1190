"""What a site's refusal taught of a person: the form says it for a while, and begins with another site."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from profiles.facts import Facts, SiteFacts

KEPT_SECONDS = 86400.0
"""How long: an account may have been made meanwhile, and nobody tells the hub.  Who knows asks again."""


class Taught:
    """Keeps for each person (hub name) and site (key) why a front end did not let them in.

    It is only shown, and in memory alone: a start is tried whenever one is asked for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def learn(self, user: str, site: str, sentence: str) -> None:
        """Keep why a site did not let a person in, and drop what is old."""
        now = self._clock()
        self._known = {whose: kept for whose, kept in self._known.items() if kept[1] > now}
        self._known[user, site] = sentence, now + KEPT_SECONDS

    def knows(self, user: str, site: str) -> bool:
        """Return whether a site is kept as one that did not let a person in."""
        return (kept := self._known.get((user, site))) is not None and kept[1] > self._clock()

    def forget(self, user: str, site: str) -> None:
        """Drop what is kept: the site let them in."""
        self._known.pop((user, site), None)

    def forget_person(self, user: str) -> None:
        """Drop all that is kept of a person."""
        self._known = {whose: kept for whose, kept in self._known.items() if whose[0] != user}

    def added(self, user: str, facts: Mapping[str, SiteFacts]) -> Facts:
        """Return facts with what is kept of a person."""
        now = self._clock()
        return {
            site: replace(known, refused=kept[0])
            if (kept := self._known.get((user, site))) and kept[1] > now
            else known
            for site, known in facts.items()
        }
