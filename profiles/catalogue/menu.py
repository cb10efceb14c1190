"""Menus: what of a catalogue can be picked, one kind of entries each, and at which sites.  Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, cast

from profiles.catalogue.job_type import JobOffering, JobType
from profiles.catalogue.profile import Offering, Profile
from profiles.catalogue.site import Site
from profiles.catalogue.system import System
from profiles.catalogue.visibility import Visibility
from profiles.catalogue.work import Listed, Work

_MOST_KEPT = 10_000


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

    def offering_for(self, key: str, site: str, groups: frozenset[str]) -> Work:
        """Return the same for a member of these groups."""
        what = self.offering(key, site)
        if groups.isdisjoint(what.by_group):
            return what
        kept, asked = self._of_groups, (key, site, groups & frozenset(what.by_group))
        if asked not in kept:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[asked] = what.of_groups(groups)
        return kept[asked]

    @cached_property
    def _of_groups(self) -> dict[tuple[str, str, frozenset[str]], Work]:
        # What is the same is one value: others compare by that.
        return {}

    def is_of_another(self, key: str) -> bool:  # noqa: ARG002 - of most menus none is
        """Return whether an entry runs what an entry of another menu does, where that is looked at."""
        return False

    def seen_by(self, key: str, site: str) -> tuple[Visibility, ...]:
        """Return who sees an entry at a site (keys): those of whom each of these says so."""
        to = self.offering(key, site).visible_to
        return () if to is None else (to,)

    @cached_property
    def groups(self) -> frozenset[str]:
        """The groups on which it depends who sees what, and what that is."""
        differing = (group for what in self._offerings.values() for group in what.by_group)
        return frozenset((*differing, *(group for to in self._all_seen_by for group in to.groups)))

    @cached_property
    def users(self) -> frozenset[str]:
        """The people who are named as those who see something."""
        return frozenset(user for to in self._all_seen_by for user in to.users)

    @cached_property
    def _all_seen_by(self) -> frozenset[Visibility]:
        reserved = [site.reservations for site in self.sites.values()]
        reserved += [what.reservations for what in self._offerings.values()]
        of_reservations = (each.visible_to for some in reserved for each in some.values() if each.visible_to)
        entries = (to for key, site in self._offerings for to in self.seen_by(key, site))
        return frozenset((*entries, *of_reservations))

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


DATASETS = "datasets"
"""The parameter of a profile that is the path of a file with the datasets of an interactive type."""


@dataclass(frozen=True)
class Jobs(Menu):
    """The job types: batch jobs, and `servers` of a profile that know datasets.

    They are at the sites that have `jobs`, batch jobs also at gateways that a type names.
    """

    entries: Mapping[str, JobType]
    servers: Notebooks
    section: ClassVar[str] = "job_types"
    field: ClassVar[str] = "type"

    def sites_of(self, key: str) -> tuple[str, ...]:
        """Return the names of the systems that offer a job type, the default first."""
        profile, offered = self.entries[key].profile, tuple(self.entries[key].at_sites) or self.taking_sites
        if profile is None:
            return offered
        its_own = self.servers.sites_of(profile) if profile in self.servers.entries else ()
        return tuple(site for site in offered if site in its_own and site in self.taking_sites)

    def offering(self, key: str, site: str) -> JobOffering:
        """Return what a job type is at a site (keys; the site offers it): without short forms, site by site.

        An interactive one is what its profile is there, but for the parameter `datasets`, which nobody picks.
        """
        return cast(JobOffering, super().offering(key, site))

    def is_of_another(self, key: str) -> bool:
        """Return whether a job type is interactive: it runs what its profile does."""
        return self.entries[key].is_interactive

    def seen_by(self, key: str, site: str) -> tuple[Visibility, ...]:
        """Return who sees a job type at a site; an interactive one, who sees its profile too."""
        profile, own = self.entries[key].profile, super().seen_by(key, site)
        return own if profile is None else (*own, *self.servers.seen_by(profile, site))

    @property
    def taking(self) -> tuple[str, ...]:
        """The names of the systems that take jobs, the default first."""
        return tuple(key for key, site in self.sites.items() if site.jobs is not None)

    @property
    def taking_sites(self) -> tuple[str, ...]:
        """The names of the sites among them: where a type can be had that names none."""
        return tuple(key for key in self.taking if isinstance(self.sites[key], Site))

    @cached_property
    def _offerings(self) -> dict[tuple[str, str], Work]:
        found = super()._offerings
        for (key, site), own in found.items():
            if (profile := self.entries[key].profile) is not None:
                found[key, site] = _as_profile(cast(JobOffering, own), self.servers.offering(profile, site))
        return found


def _as_profile(own: JobOffering, profile: Work) -> JobOffering:
    """Return an interactive type as a menu has it: all but what is its own as its profile says."""
    changed = {name: getattr(profile, name) for name in Work.model_fields if name != "visible_to"}
    changed["parameters"] = {name: each for name, each in profile.parameters.items() if name != DATASETS}
    if own.datasets is not None:
        changed["datasets"] = own.datasets.model_copy(update={"modes": ("single",)})
    return own.model_copy(update=changed)
