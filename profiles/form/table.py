"""Pairs: the fields and the label of every profile at every site that a person sees, each distinct one once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self, TypeVar

from profiles.catalogue.profile import Offering
from profiles.form import fields
from profiles.form.fields import Field
from profiles.offer import limits
from profiles.offer.offer import Offer
from profiles.sentences.labels import NOT_OFFERED_THERE

_Demand = tuple[object, ...]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Pairs:
    """`sites` has the sites of each profile, the default first; `at` points into `fields` and `labels`."""

    titles: dict[str, str]
    sites: dict[str, tuple[str, ...]]
    fields: list[Field] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    _at: dict[tuple[str, str], tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Return the pairs of an offer."""
        profiles = offer.catalogue.profiles
        found = cls(
            {key: site.title for key, site in offer.catalogue.sites.items()},
            {key: sites for key in profiles if (sites := offer.sites(key))},
        )
        _Filling(offer, found).fill()
        return found

    @property
    def all_sites(self) -> tuple[str, ...]:
        """The sites of any profile, in the catalogue's order."""
        seen = {site for sites in self.sites.values() for site in sites}
        return tuple(key for key in self.titles if key in seen)

    def at(self, profile: str, site: str) -> tuple[int, tuple[int, ...]]:
        """Return where the label of a site stands for a profile, and where its fields."""
        return self._at[profile, site]

    def of_pair(self, profile: str, site: str) -> list[Field]:
        """Return the fields of a profile at a site."""
        return [self.fields[index] for index in self._at[profile, site][1]]

    def site_label(self, profile: str, site: str) -> str:
        """Return what people read of a site in the list of clusters while a profile is picked."""
        if site not in self.sites[profile]:
            return self.elsewhere(site)
        return self.labels[self._at[profile, site][0]]

    def elsewhere(self, site: str) -> str:
        """Return what people read of a site that does not offer the profile picked."""
        return fields.with_news(self.titles[site], [NOT_OFFERED_THERE])

    def with_titles(self, name: str) -> Iterator[tuple[str, Field]]:
        """Yield the distinct fields of a name, each with the titles of the sites that have it."""
        seen = {(site, index) for (_, site), (_, indexes) in self._at.items() for index in indexes}
        for site, title in self.titles.items():
            for index, each in enumerate(self.fields):
                if each.name == name and (site, index) in seen:
                    yield title, each

    def profiles_with(self, name: str) -> list[str]:
        """Return the profiles that have a field of a name at any site."""
        having = {index for index, each in enumerate(self.fields) if each.name == name}
        found = {profile for (profile, _), (_, indexes) in self._at.items() if not having.isdisjoint(indexes)}
        return [profile for profile in self.sites if profile in found]

    def place(self, profile: str, site: str, label: int, indexes: tuple[int, ...]) -> None:
        """Add a pair."""
        self._at[profile, site] = (label, indexes)


class _Filling:
    """Works out each distinct demand once: a thousand profiles often ask for the same."""

    def __init__(self, offer: Offer, pairs: Pairs) -> None:
        self._offer = offer
        self._pairs = pairs
        self._fields: dict[Field, int] = {}
        self._labels: dict[str, int] = {}
        self._known: dict[tuple[str, _Demand], tuple[int, tuple[int, ...]]] = {}

    def fill(self) -> None:
        catalogue = self._offer.catalogue
        demands: dict[int, tuple[_Demand, tuple[int, ...]]] = {}
        for profile, sites in self._pairs.sites.items():
            for site in sites:
                what = catalogue.offering(profile, site)
                if id(what) not in demands:
                    demands[id(what)] = _demand(what), self._indexes(fields.parameters(what))
                demand, parameters = demands[id(what)]
                label, indexes = self._at(site, demand, what)
                self._pairs.place(profile, site, label, indexes + parameters)

    def _at(self, site: str, demand: _Demand, what: Offering) -> tuple[int, tuple[int, ...]]:
        if (site, demand) not in self._known:
            news, title = fields.news(self._offer, site, what), self._pairs.titles[site]
            label = _place(self._labels, self._pairs.labels, fields.with_news(title, news))
            self._known[site, demand] = label, self._indexes(fields.fields(self._offer, site, what))
        return self._known[site, demand]

    def _indexes(self, found: Iterator[Field]) -> tuple[int, ...]:
        return tuple(_place(self._fields, self._pairs.fields, each) for each in found)


def _place(places: dict[Thing, int], things: list[Thing], thing: Thing) -> int:
    if thing not in places:
        places[thing] = len(things)
        things.append(thing)
    return places[thing]


def _demand(what: Offering) -> _Demand:
    bounds = (getattr(what.resources, name) for name in limits.NUMBERS)
    numbers = tuple((each.default, each.min, each.max, each.options) for each in bounds)
    return (what.partitions, what.resources.gpu_types, *numbers)
