"""Pairs: the fields of every profile at every site that a person sees, and what is said of the site there.

Each distinct one once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self, TypeVar

from profiles.catalogue.work import Work
from profiles.form import fields
from profiles.form.fields import Field
from profiles.form.places import Place, place
from profiles.offer import limits
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer
from profiles.sentences import labels

_Demand = tuple[object, ...]
Thing = TypeVar("Thing")
_NOTHING = Choices()
# What the form does not begin with while there is another one.
_LAST = {"refused": 1, "closed": 2}


@dataclass(frozen=True)
class Pairs:
    """`sites` has the sites of each profile, the default first; `at` points into `fields` and `places`.

    `not_offered` is said of a site that does not offer the one that is picked.
    """

    not_offered: str
    titles: dict[str, str]
    sites: dict[str, tuple[str, ...]]
    fields: list[Field] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    _at: dict[tuple[str, str], tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, offer: Offer, among: Iterable[str] | None = None, asked: Choices = _NOTHING) -> Self:
        """Return the pairs of an offer, or of the profiles `among` it; what is `asked` is asked of each."""
        profiles = offer.menu.entries if among is None else among
        found = cls(
            labels.NOT_OFFERED_THERE[offer.menu.field],
            {key: site.title for key, site in offer.menu.sites.items()},
            {key: sites for key in profiles if (sites := offer.sites(key))},
        )
        _Filling(offer, found, asked).fill()
        return found

    @property
    def all_sites(self) -> tuple[str, ...]:
        """The sites of any profile, in the catalogue's order."""
        seen = {site for sites in self.sites.values() for site in sites}
        return tuple(key for key in self.titles if key in seen)

    def at(self, profile: str, site: str) -> tuple[int, tuple[int, ...]]:
        """Return where the place of a site stands for a profile, and where its fields."""
        return self._at[profile, site]

    def of_pair(self, profile: str, site: str) -> list[Field]:
        """Return the fields of a profile at a site."""
        return [self.fields[index] for index in self._at[profile, site][1]]

    def place_at(self, profile: str, site: str) -> Place:
        """Return what people read of a site while a profile is picked."""
        if site not in self.sites[profile]:
            return self.elsewhere(site)
        return self.places[self._at[profile, site][0]]

    def elsewhere(self, site: str) -> Place:
        """Return what people read of a site that does not offer the profile picked."""
        return Place(self.titles[site], "closed", self.not_offered)

    def is_closed(self, site: str) -> bool:
        """Return whether it makes no sense at all to pick a site, whatever the profile."""
        there = [self.places[index] for (_, key), (index, _) in self._at.items() if key == site]
        return not any(each.is_open for each in there)

    def first_open(self, profile: str) -> str:
        """Return the first site at which a profile can be started, if there is none one that may be tried."""
        return min(self.sites[profile], key=lambda site: _LAST.get(self.place_at(profile, site).state, 0))

    def with_titles(self, name: str) -> Iterator[tuple[str, Field]]:
        """Yield the distinct fields of a name, each with the titles of the sites that have it."""
        for site, title in self.titles.items():
            for index in self._named.get(name, ()):
                if (site, index) in self._at_sites:
                    yield title, self.fields[index]

    def named(self, name: str) -> list[Field]:
        """Return the distinct fields of a name."""
        return [self.fields[index] for index in self._named.get(name, ())]

    def profiles_with(self, name: str) -> list[str]:
        """Return the profiles that have a field of a name at any site."""
        having = set(self._named.get(name, ()))
        found = {profile for (profile, _), (_, indexes) in self._at.items() if not having.isdisjoint(indexes)}
        return [profile for profile in self.sites if profile in found]

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """The indexes of the fields of each name, once all pairs are there."""
        found: dict[str, list[int]] = {}
        for index, each in enumerate(self.fields):
            found.setdefault(each.name, []).append(index)
        return found

    @cached_property
    def _at_sites(self) -> frozenset[tuple[str, int]]:
        """Each site with the index of each field that it has, once all pairs are there."""
        return frozenset((site, index) for (_, site), (_, indexes) in self._at.items() for index in indexes)

    def add(self, profile: str, site: str, at: int, indexes: tuple[int, ...]) -> None:
        """Add a pair: where its place stands, and where its fields."""
        self._at[profile, site] = (at, indexes)


class _Filling:
    """Works out each distinct demand once: a thousand profiles often ask for the same."""

    def __init__(self, offer: Offer, pairs: Pairs, asked: Choices) -> None:
        self._offer = offer
        self._asked = asked
        self._pairs = pairs
        self._fields: dict[Field, int] = {}
        self._places: dict[Place, int] = {}
        self._known: dict[tuple[str, _Demand], tuple[int, tuple[int, ...]]] = {}

    def fill(self) -> None:
        demands: dict[int, tuple[_Demand, tuple[int, ...]]] = {}
        for profile, sites in self._pairs.sites.items():
            for site in sites:
                what = self._offer.offering(profile, site)
                if id(what) not in demands:
                    demands[id(what)] = _demand(what), self._indexes(fields.parameters(self._offer, what))
                demand, parameters = demands[id(what)]
                at, indexes = self._at(site, demand, what)
                self._pairs.add(profile, site, at, indexes + parameters)

    def _at(self, site: str, demand: _Demand, what: Work) -> tuple[int, tuple[int, ...]]:
        if (site, demand) not in self._known:
            at = _number(self._places, self._pairs.places, place(self._offer, site, what, self._asked))
            self._known[site, demand] = at, self._indexes(fields.fields(self._offer, site, what))
        return self._known[site, demand]

    def _indexes(self, found: Iterator[Field]) -> tuple[int, ...]:
        return tuple(_number(self._fields, self._pairs.fields, each) for each in found)


def _number(numbers: dict[Thing, int], things: list[Thing], thing: Thing) -> int:
    if thing not in numbers:
        numbers[thing] = len(things)
        things.append(thing)
    return numbers[thing]


def _demand(what: Work) -> _Demand:
    bounds = (getattr(what.resources, name) for name in limits.NUMBERS)
    numbers = tuple((each.default, each.min, each.max, each.options) for each in bounds)
    return (what.partitions, what.resources.gpu_types, tuple(what.reservations.items()), *numbers)
