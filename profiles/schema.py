"""The catalogue: sites, profiles, and what must hold between them.  Frozen values; no I/O and no look-ups."""

from collections.abc import Iterator
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from profiles.errors import WrongAt, WrongTogether
from profiles.profile import Offering, Profile
from profiles.site import Site
from profiles.words import Entry, Key


class Catalogue(Entry):
    """The whole file: what is on offer, and where."""

    include: tuple[str, ...] = Field(
        default=(),
        description="Further files, relative to this one, such as `profiles/*.yaml`: more sites and profiles.",
    )
    sites: dict[Key, Site] = Field(min_length=1, description="Clusters, the default first.")
    profiles: dict[Key, Profile] = Field(min_length=1, description="Profiles, the default first.")

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if problems := tuple(_misfits(self)):
            raise WrongTogether(problems)
        return self

    def sites_of(self, profile: str) -> tuple[str, ...]:
        """Return the names of the sites that offer `profile` (a key of `profiles`), the default first."""
        return tuple(self.profiles[profile].sites) or tuple(self.sites)

    def offering(self, profile: str, site: str) -> Offering:
        """Return what `profile` is at `site` (keys; the site offers it): without short forms, site by site."""
        return self._offerings[profile, site]

    @cached_property
    def _offerings(self) -> dict[tuple[str, str], Offering]:
        found: dict[tuple[str, str], Offering] = {}
        for key, profile in self.profiles.items():
            usual = profile.written_out()
            for site in self.sites_of(key):
                there = profile.sites.get(site)
                found[key, site] = usual.overridden(there.written_out()) if there else usual
        return found


def _misfits(catalogue: Catalogue) -> Iterator[WrongAt]:
    for key, profile in catalogue.profiles.items():
        for name in profile.sites:
            if name not in catalogue.sites:
                known = ", ".join(catalogue.sites)
                yield WrongAt(("profiles", key, "sites", name), f"there is no site {name}; sites are {known}")
