"""Offer: catalogue and facts as one person sees them now.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from profiles.facts import UNKNOWN, Facts, SiteFacts
from profiles.schema import Catalogue


@dataclass(frozen=True)
class Asker:
    """Who asks: her name and groups on the hub, and how many servers of each profile (by key) she has besides."""

    name: str
    groups: frozenset[str] = frozenset()
    running: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """What one person may start; `now` has a zone."""

    catalogue: Catalogue
    facts: Facts
    asker: Asker
    now: datetime

    def facts_of(self, site: str) -> SiteFacts:
        """Return what is known of a site, by its key."""
        return self.facts.get(site, UNKNOWN)
