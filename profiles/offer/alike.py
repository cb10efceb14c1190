"""Offers that say the same, without whose they are: what is worked out of one serves all.  Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from profiles.conditions import Values
from profiles.facts import SiteFacts
from profiles.offer.offer import Offer, Person

_NOBODY = ""
_MINUTE = timedelta(minutes=1)


class _Same:
    """A large value as a key: it equals itself alone, and is there as long as the key is."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)


@dataclass(frozen=True)
class Alike:
    """What some offers have in common; `key` is equal for those alone, and can be kept.

    The `offer` is nobody's, or of one whom the catalogue names.  It has nothing that is not in the key, so what is
    worked out of it can tell nothing of one person to another.  Its moment is the whole minute, as pages say it.
    """

    key: Hashable
    offer: Offer = field(compare=False)


def alike(offer: Offer) -> Alike:
    """Return what an offer has in common with others that say the same."""
    menu, now = offer.menu, offer.now.replace(second=0, microsecond=0)
    groups, running = offer.person.groups & menu.groups, _counted(offer)
    name = offer.person.name if offer.person.name in menu.users else _NOBODY
    facts = {site: _facts(offer, site, now, name) for site in menu.sites}
    # Partitions are many and change at once; the rest is small.
    known = tuple((_Same(each.partitions), replace(each, partitions=None)) for each in facts.values())
    key = (_Same(menu), now, name, groups, tuple(sorted(running.items())), known, _typed(offer.datasets))
    return Alike(key, Offer(menu, facts, Person(name, groups, running), now, offer.datasets))


def _typed(datasets: tuple[Values, ...]) -> Hashable:
    """Return the parameters of datasets as a key; for Python, 1 and true are the same."""
    return tuple(tuple((name, type(value), value) for name, value in each.items()) for each in datasets)


def _counted(offer: Offer) -> Mapping[str, int]:
    """Return how many the person has of the entries of which one has only so many."""
    entries, running = offer.menu.entries, offer.person.running
    limited = (key for key in running if key in entries and entries[key].most is not None)
    return {key: running[key] for key in limited}


def _facts(offer: Offer, site: str, now: datetime, name: str) -> SiteFacts:
    """Return what is known of a site, with the reservations that are the person's as those of everybody alike."""
    facts, owner = offer.facts_of(site), offer.menu.sites[site].login_of(name)
    own = tuple(replace(each, users=(owner,), accounts=()) for each in offer.own_reservations(site))
    return SiteFacts(
        projects=facts.projects,
        partitions=facts.partitions,
        reservations=own,
        asked_at=_asked_at(facts, offer.now, now),
        is_stale=facts.is_stale,
        unreachable_since=facts.unreachable_since,
        refused=facts.refused,
    )


def _asked_at(facts: SiteFacts, real: datetime, now: datetime) -> datetime | None:
    """Return when they were heard: of fresh facts only by how many minutes that was before `now`."""
    if facts.asked_at is None or facts.is_stale:
        return facts.asked_at
    return now - (real - facts.asked_at) // _MINUTE * _MINUTE
