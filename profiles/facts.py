"""SiteFacts: what a site's Slurm said, as far as one person is concerned.  A value; others collect it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SiteFacts:
    """What is known of a site; None where nothing is known yet.

    `projects` are those that the person may charge there.
    """

    projects: tuple[str, ...] | None = None


UNKNOWN = SiteFacts()

Facts = Mapping[str, SiteFacts]
"""Facts about each site, by the site's key, for one person; a site may be missing."""
