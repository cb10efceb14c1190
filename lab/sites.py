"""Which sites a lab has: written down when it starts, since every host comes up in a process of its own."""

from collections.abc import Iterable

from lab.folders import StateFolder
from lab.plan import ALL_SITES, SITES, Site


def write_sites(state: StateFolder, sites: Iterable[Site]) -> None:
    """Write down that the lab has those sites."""
    state.sites.write_text("".join(f"{site.name}\n" for site in sites))


def sites_of(state: StateFolder) -> tuple[Site, ...]:
    """Return the sites of a lab: those of every lab if nothing is written down."""
    try:
        names = state.sites.read_text().split()
    except FileNotFoundError:
        return SITES
    return tuple(site for site in ALL_SITES if site.name in names)
