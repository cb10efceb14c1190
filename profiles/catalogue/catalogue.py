"""The catalogue: sites and profiles.  Frozen values; no I/O.  What must hold between them: checks/names.py."""

from functools import cached_property

from pydantic import Field

from profiles.catalogue.copying import CopyFrom
from profiles.catalogue.profile import Offering, Profile
from profiles.catalogue.site import Site
from profiles.catalogue.values import Entry, Key, Plain


class Catalogue(Entry):
    """The whole file: what is offered, and where."""

    include: tuple[Plain, ...] = Field(
        default=(),
        description="Further files, relative to this one, such as `profiles/*.yaml`: more profiles.",
    )
    copy_from: CopyFrom | None = Field(
        default=None,
        description="From where links may have notebooks copied. Default: from nowhere.",
    )
    sites: dict[Key, Site] = Field(min_length=1, description="Clusters, the default first.")
    profiles: dict[Key, Profile] = Field(min_length=1, description="Profiles, the default first.")

    def sites_of(self, profile: str) -> tuple[str, ...]:
        """Return the names of the sites that offer `profile` (a key of `profiles`), the default first."""
        return tuple(self.profiles[profile].sites) or tuple(self.sites)

    def offering(self, profile: str, site: str) -> Offering:
        """Return what `profile` is at `site` (keys; the site offers it): without short forms, site by site."""
        return self._offerings[profile, site]

    @cached_property
    def groups(self) -> frozenset[str]:
        """The groups on which it depends who sees what."""
        seen = (what.visible_to for what in self._offerings.values())
        return frozenset(group for to in seen if to for group in to.groups)

    @cached_property
    def _offerings(self) -> dict[tuple[str, str], Offering]:
        found: dict[tuple[str, str], Offering] = {}
        for key, profile in self.profiles.items():
            own = profile.written_out()
            for site in self.sites_of(key):
                there = profile.sites.get(site)
                found[key, site] = own.overridden(there.written_out()) if there else own
        return found
