"""What a catalogue that can be read says of this machine that is not so: its files, its groups, its keytabs."""

import grp
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kerberos_auth import keytab_file
from kerberos_auth.keytab_file import NoKeytab
from kerberos_auth.outcome import Outcome, State
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.site import Site
from profiles.catalogue.visibility import Reservation, Visibility
from profiles.catalogue.work import Work
from slurm_ssh_spawner.sentences import settings as sentences

Steps = tuple[str, ...]
"""The keys that lead to a value in a catalogue."""
Where = Callable[[Steps], str]
"""Returns the place of a value, `file:line` if that is known, else its path in the catalogue."""


def by_path(file: str) -> Where:
    """Return the places of a catalogue of which no lines are known."""
    return lambda path: f"{file}: {'.'.join(path)}"


def catalogue(read: Catalogue, files: Collection[Path], where: Where, has_groups: bool) -> Iterator[Outcome]:
    """Yield what is so; `has_groups` if people have the groups of this machine on the hub."""
    for file in files:
        yield from _file(file)
    for key, site in read.sites.items():
        yield from _site(key, site, where)
    if has_groups:
        yield from _groups(read, where)


def _file(file: Path) -> Iterator[Outcome]:
    try:
        found = file.stat()
    except OSError:
        return
    writers = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if writers & stat.S_IWOTH or found.st_uid not in (0, os.geteuid()):
        said = sentences.CATALOGUE_OPEN.format(file=file, mode=f"{stat.S_IMODE(found.st_mode):04o}")
        yield Outcome("D1", State.WARN, said, sentences.CLOSE_CATALOGUE.format(file=file), place=str(file))


def _site(key: str, site: Site, where: Where) -> Iterator[Outcome]:
    place = where(("sites", key, "maintenance"))
    if site.maintenance and all(each.ends < datetime.now(UTC) for each in site.maintenance):
        said = sentences.MAINTENANCE_OVER.format(site=key)
        yield Outcome("D2", State.WARN, said, sentences.REMOVE_IT, place=place)
    if site.monitor is not None:
        yield from monitor(key, Path(site.monitor.keytab), site.monitor.principal, where)


def monitor(key: str, path: Path, principal: str, where: Where) -> Iterator[Outcome]:
    """Yield what is wrong with the keytab of a site's monitor."""
    named, place = {"path": path, "site": key, "principal": principal}, where(("sites", key, "monitor", "keytab"))
    try:
        keys, mode = keytab_file.read(path), path.stat().st_mode
    except OSError as error:
        said = sentences.MONITOR_KEYTAB_UNREADABLE.format(**named, reason=error.strerror)
        yield Outcome("B7", State.WARN, said, sentences.MEND_KEYTAB, place=place)
        return
    except NoKeytab:
        yield Outcome(
            "B7", State.WARN, sentences.MONITOR_NO_KEYTAB.format(**named), sentences.MEND_KEYTAB, place=place
        )
        return
    if principal not in {each.principal for each in keys}:
        fix = sentences.ADD_KEY.format(**named)
        yield Outcome("B7", State.WARN, sentences.MONITOR_OF_OTHERS.format(**named), fix, place=place)
    elif mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH):
        said = sentences.FILE_OPEN.format(path=path, mode=f"{stat.S_IMODE(mode):04o}")
        yield Outcome("B7", State.WARN, said, sentences.CLOSE_FILE.format(path=path), place=place)


def _groups(read: Catalogue, where: Where) -> Iterator[Outcome]:
    known: dict[str, bool] = {}
    for path, group in _named(read):
        if not known.setdefault(group, is_group(group)):
            differs = path[-2] == "by_group"
            sentence = sentences.NOTHING_FOR_GROUP if differs else sentences.NO_SUCH_GROUP
            said = sentence.format(group=group, entry=".".join(path[:-2]))
            yield Outcome("D3", State.WARN, said, sentences.CORRECT_GROUP, place=where(path))


def _named(read: Catalogue) -> Iterator[tuple[Steps, str]]:
    """Yield the groups that are named, each with the path in the catalogue to where that is."""
    for key, site in read.sites.items():
        yield from _of_reservations(("sites", key), site.reservations)
    for section, entries in (("profiles", read.profiles), ("job_types", read.job_types)):
        for key, entry in entries.items():
            yield from _of_work((section, key), entry)
            for site_key, there in entry.at_sites.items():
                yield from _of_work((section, key, "sites", site_key), there)


def _of_work(path: Steps, what: Work) -> Iterator[tuple[Steps, str]]:
    yield from _seeing(path, what.visible_to)
    yield from (((*path, "by_group", group), group) for group in what.by_group)
    yield from _of_reservations(path, what.reservations)


def _of_reservations(path: Steps, reservations: Mapping[str, Reservation]) -> Iterator[tuple[Steps, str]]:
    for name, each in reservations.items():
        yield from _seeing((*path, "reservations", name), each.visible_to)


def _seeing(path: Steps, to: Visibility | None) -> Iterator[tuple[Steps, str]]:
    yield from (((*path, "visible_to", "groups"), group) for group in (to.groups if to else ()))


def is_group(group: str) -> bool:
    """Return whether this machine knows a group."""
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True
