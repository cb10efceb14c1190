"""What in a catalogue can work, but seldom does what its writer means.  Pure."""

from collections.abc import Iterator

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.menu import Menu
from profiles.catalogue.site import Site
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Where
from profiles.sentences import both
from profiles.sentences import sites as sentences

Path = tuple[str, ...]

# On most clusters these are each machine's own.
_OF_ONE_MACHINE = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/")  # noqa: S108 - only named


def doubts(catalogue: Catalogue) -> Iterator[WrongAt]:
    """Yield what an admin should look at; the catalogue is used as it is."""
    for key, site in catalogue.sites.items():
        yield from _site(("sites", key), site)
    for menu in catalogue.menus:
        for key in menu.entries:
            if not menu.is_of_another(key):
                yield from _time(menu, key)


def _site(path: Path, site: Site) -> Iterator[WrongAt]:
    for index, front_end in enumerate(site.front_ends):
        if site.login.needs_ticket and "." not in front_end.host:
            yield WrongAt((*path, "front_ends", str(index), "host"), sentences.SHORT_HOST)
    for place, folder in (("job_folder", site.job_folder), ("ticket_folder", site.ticket_folder or "")):
        if folder.startswith(_OF_ONE_MACHINE):
            yield WrongAt((*path, place), sentences.FOLDER_OF_ONE_MACHINE)


def _time(menu: Menu, key: str) -> Iterator[WrongAt]:
    """Yield where an entry asks at a site for a longer time than any of its partitions has."""
    for site_key in menu.sites_of(key):
        if site_key not in menu.sites:
            continue
        site, what = menu.sites[site_key], menu.offering(key, site_key)
        names = what.partitions or tuple(site.partitions)
        limits = [site.partitions[name].time_max if name in site.partitions else None for name in names]
        longest = max((limit for limit in limits if limit is not None), default=0)
        if not longest or None in limits:
            continue
        bounds, written = (
            what.resources.time,
            Where(menu.section, key, menu.entries[key], site_key).resource("time"),
        )
        for inner, asked in (("default", bounds.default), ("max", bounds.max)):
            if written and asked is not None and asked > longest >= bounds.least:
                named = {"asked": units.say_minutes(asked), "site": site_key, "most": units.say_minutes(longest)}
                text = sentences.TIME_IS_CUT.format(partitions=both(names), **named)
                yield WrongAt((*written, inner), text)
                break
