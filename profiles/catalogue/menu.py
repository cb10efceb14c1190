"""Menus: what of a catalogue can be picked, one kind of entries each, and at which sites.  Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, cast

from profiles.catalogue.job_type import JobOffering, JobType
from profiles.catalogue.profile import Offering, Profile
from profiles.catalogue.site import Site
from profiles.catalogue.system import System
from profiles.catalogue.work import Listed, Work


@dataclass(frozen=True)
class Menu:
    """The sites and the entries of one kind, by their keys, the defaults first.

    `section` is the part of the file that has the entries, `field` the name of the choice that picks one.
    """

    sites: Mapping[str, System]
    entries: Mapping[str, Listed]
    section: ClassVar[str]
    field: ClassVar[str]

    def sites_of(self, key: str) -> tuple[str, ...]:
        """Return the names of the sites that offer an entry, the default first."""
        return tuple(self.entries[key].at_sites) or self.taking

    @property
    def taking(self) -> tuple[str, ...]:
        """The names of the sites that take what is on this menu, the default first."""
        return tuple(self.sites)

    def offering(self, key: str, site: str) -> Work:
        """Return what an entry is at a site (keys; the site offers it): without short forms, site by site."""
        return self._offerings[key, site]

    @cached_property
    def groups(self) -> frozenset[str]:
        """The groups on which it depends who sees what."""
        seen = (what.visible_to for what in self._offerings.values())
        return frozenset(group for to in seen if to for group in to.groups)

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

    sites: Mapping[str, Site]
    entries: Mapping[str, Profile]
    copies: bool
    section: ClassVar[str] = "profiles"
    field: ClassVar[str] = "profile"

    def offering(self, key: str, site: str) -> Offering:
        """Return what a profile is at a site (keys; the site offers it): without short forms, site by site."""
        return cast(Offering, super().offering(key, site))


@dataclass(frozen=True)
class Jobs(Menu):
    """The job types: batch jobs, at the sites that have `jobs`, and at gateways that a type names."""

    entries: Mapping[str, JobType]
    section: ClassVar[str] = "job_types"
    field: ClassVar[str] = "type"

    def offering(self, key: str, site: str) -> JobOffering:
        """Return what a job type is at a site (keys; the site offers it): without short forms, site by site."""
        return cast(JobOffering, super().offering(key, site))

    @property
    def taking(self) -> tuple[str, ...]:
        """The names of the systems that take jobs, the default first."""
        return tuple(key for key, site in self.sites.items() if site.jobs is not None)

    @property
    def taking_sites(self) -> tuple[str, ...]:
        """The names of the sites among them: where a type can be had that names none."""
        return tuple(key for key in self.taking if isinstance(self.sites[key], Site))

    def sites_of(self, key: str) -> tuple[str, ...]:
        """Return the names of the systems that offer an entry, the default first."""
        return tuple(self.entries[key].at_sites) or self.taking_sites
