"""What in a catalogue can work, but seldom does what its writer means.  Pure."""

import math
from collections.abc import Iterator

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.menu import Menu
from profiles.catalogue.site import Site
from profiles.catalogue.system import System
from profiles.catalogue.work import Work
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Where
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
                yield from _times(menu, key)


def _site(path: Path, site: Site) -> Iterator[WrongAt]:
    for index, front_end in enumerate(site.front_ends):
        if site.login.needs_ticket and "." not in front_end.host:
            yield WrongAt((*path, "front_ends", str(index), "host"), sentences.SHORT_HOST)
    for place, folder in (("job_folder", site.job_folder), ("ticket_folder", site.ticket_folder or "")):
        if folder.startswith(_OF_ONE_MACHINE):
            yield WrongAt((*path, place), sentences.FOLDER_OF_ONE_MACHINE)


def _times(menu: Menu, key: str) -> Iterator[WrongAt]:
    """Yield where the usual time of an entry is cut at a site, and the most that nobody gets at any."""
    most = []
    for site_key in filter(menu.sites.__contains__, menu.sites_of(key)):
        what, where = menu.offering(key, site_key), Where(menu.section, key, menu.entries[key], site_key)
        bounds, written = what.resources.time, where.resource("time")
        longest = _longest(menu.sites[site_key], what)
        if not written or bounds.least > longest:
            # Nobody wrote it, or no launch is possible, which is told elsewhere.
            return
        if bounds.default > longest:
            yield _cut((*written, "default"), bounds.default, site_key, longest)
        elif bounds.max is not None:
            most.append((bounds.max > longest, _cut((*written, "max"), bounds.max, site_key, longest)))
    if all(is_cut for is_cut, _ in most):
        yield from (each for _, each in most)


def _longest(site: System, what: Work) -> float:
    """Return the minutes of the longest of an entry's partitions at a site; infinite if nothing is said of one."""
    names = what.partitions or tuple(site.partitions)
    limits = [site.partitions[name].time_max if name in site.partitions else None for name in names]
    return max((math.inf if limit is None else limit for limit in limits), default=math.inf)


def _cut(path: Path, asked: int, site: str, longest: float) -> WrongAt:
    most = units.say_minutes(int(longest)) if math.isfinite(longest) else ""
    return WrongAt(path, sentences.TIME_IS_CUT.format(asked=units.say_minutes(asked), site=site, most=most))
