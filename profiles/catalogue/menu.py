"""Menus: what of a catalogue can be picked, one kind of entries each, and at which sites.  Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, cast

from profiles.catalogue.profile import Offering, Profile
from profiles.catalogue.site import Site
from profiles.catalogue.work import Listed, Work


@dataclass(frozen=True)
class Menu:
    """The sites and the entries of one kind, by their keys, the defaults first.

    `section` is the part of the file that has the entries, `field` the name of the choice that picks one.
    """

    sites: Mapping[str, Site]
    entries: Mapping[str, Listed]
    section: ClassVar[str]
    field: ClassVar[str]

    def sites_of(self, key: str) -> tuple[str, ...]:
        """Return the names of the sites that offer an entry, the default first."""
        return tuple(self.entries[key].at_sites) or tuple(self.sites)

    def offering(self, key: str, site: str) -> Work:
        """Return what an entry is at a site (keys; the site offers it): without short forms, site by site."""
        return self._offerings[key, site]

    def category(self, key: str) -> str:
        """Return the title under which an entry is listed, "" for none."""
        raise NotImplementedError

    def most(self, key: str) -> int | None:
        """Return how many of an entry one person may have at once; None for any number."""
        raise NotImplementedError

    @cached_property
    def _offerings(self) -> dict[tuple[str, str], Work]:
        found: dict[tuple[str, str], Work] = {}
        for key, entry in self.entries.items():
            own = entry.written_out()
            for site in self.sites_of(key):
                there = entry.at_sites.get(site)
                found[key, site] = own.overridden(there.written_out()) if there else own
        return found


@dataclass(frozen=True)
class Notebooks(Menu):
    """The profiles: notebook servers.  With `copies` links may have notebooks copied."""

    entries: Mapping[str, Profile]
    copies: bool
    section: ClassVar[str] = "profiles"
    field: ClassVar[str] = "profile"

    def offering(self, key: str, site: str) -> Offering:
        """Return what a profile is at a site (keys; the site offers it): without short forms, site by site."""
        return cast(Offering, super().offering(key, site))

    def category(self, key: str) -> str:
        """Return the title under which a profile is listed, "" for none."""
        return self.entries[key].category

    def most(self, key: str) -> int | None:
        """Return how many servers of a profile one person may have; None for any number."""
        return self.entries[key].servers_max
