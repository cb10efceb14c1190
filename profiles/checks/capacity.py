"""Whether a site can give what the catalogue promises, by what its Slurm said.  Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.menu import Menu
from profiles.catalogue.resources import Bounds
from profiles.catalogue.site import Site
from profiles.catalogue.spelling import meant
from profiles.catalogue.system import System
from profiles.catalogue.work import Work
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Where
from profiles.facts import Nodes, PartitionFacts, SiteFacts
from profiles.sentences import both, checks

_SAY: Mapping[str, Callable[[int], str]] = {"memory": units.say_mebibytes, "time": units.say_minutes}
_NUMBERS = ("cores", "memory", "gpus", "nodes", "time")
_ENDLESS = 10**9


@dataclass(frozen=True)
class _Room:
    """The largest of each thing that an entry's partitions at one site have, and all their kinds of nodes."""

    site: str
    partitions: tuple[str, ...]
    largest: Mapping[str, int]
    nodes: tuple[Nodes, ...]

    @property
    def place(self) -> str:
        return checks.PLACE.format(partitions=both(self.partitions), site=self.site)


def misfits(catalogue: Catalogue, facts: Mapping[str, SiteFacts]) -> Iterator[WrongAt]:
    """Yield what cannot be had at the sites in `facts` (by key), which must have answered.

    A default must be had at every site, the most at one of them: the form offers less where there is less.
    """
    for key, said in facts.items():
        yield from _of_site(("sites", key), catalogue.sites[key], said)
    for menu in catalogue.menus:
        for key in menu.entries:
            if not menu.is_of_another(key):
                yield from _of_entry(menu, key, facts)


def at_site(catalogue: Catalogue, site: str, said: SiteFacts) -> Iterator[WrongAt]:
    """Yield what cannot be had at one site, of which alone it is known what its Slurm said.

    Of an entry that is offered elsewhere too, the most need not be had here, and nothing is yielded of it.
    """
    facts = {site: said}
    yield from _of_site(("sites", site), catalogue.sites[site], said)
    for menu in catalogue.menus:
        for key in menu.entries:
            if not menu.is_of_another(key) and site in menu.sites_of(key):
                yield from _of_entry(menu, key, facts, with_most=menu.sites_of(key) == (site,))


def _of_entry(
    menu: Menu, key: str, facts: Mapping[str, SiteFacts], *, with_most: bool = True
) -> Iterator[WrongAt]:
    rooms = []
    for site in menu.sites_of(key):
        if site not in facts:
            continue
        where, what = Where(menu.section, key, menu.entries[key], site), menu.offering(key, site)
        yield from _unknown_partitions(where, what, menu.sites[site], facts[site])
        for name, text in _unknown_reservations(what.reservations, facts[site]):
            yield WrongAt(where.path("reservations", name), text)
        room = _room(site, what, menu.sites[site], facts[site])
        if room:
            rooms.append((where, what, room))
            yield from _defaults(where, what, room)
    if with_most:
        yield from _most(rooms)


def _of_site(path: tuple[str, ...], site: Site, said: SiteFacts) -> Iterator[WrongAt]:
    known, scheduler = said.partitions or {}, site.scheduler.name
    for name, partition in site.partitions.items():
        here = (*path, "partitions", name)
        if name not in known:
            yield WrongAt(here, checks.NOT_THERE.format(scheduler=scheduler, hint=meant(name, known)))
            continue
        if not known[name].is_up:
            yield WrongAt(here, checks.DOWN.format(scheduler=scheduler))
        limit = known[name].time_max_minutes
        if limit is not None and partition.time_max is not None and partition.time_max > limit:
            most = units.say_minutes(limit)
            named = {"scheduler": scheduler, "time": units.say_minutes(partition.time_max), "most": most}
            yield WrongAt((*here, "time_max"), checks.OVER_ITS_LIMIT.format(**named))
    for name, text in _unknown_reservations(site.reservations, said):
        yield WrongAt((*path, "reservations", name), text)


def _unknown_reservations(named: Iterable[str], said: SiteFacts) -> Iterator[tuple[str, str]]:
    """Yield the names of reservations that there are not, each with what is wrong."""
    names = [each.name for each in said.reservations or ()]
    for name in named:
        if said.reservations is not None and name not in names:
            yield name, checks.NO_RESERVATION.format(name=name, hint=meant(name, names))


def _unknown_partitions(where: Where, what: Work, site: System, said: SiteFacts) -> Iterator[WrongAt]:
    """Find partitions of an entry that Slurm does not have, where the site itself lists none."""
    known = said.partitions or {}
    for index, name in enumerate(what.partitions):
        if not site.partitions and name not in known:
            text = checks.NO_PARTITION.format(site=where.site_key, name=name, hint=meant(name, known))
            yield WrongAt(where.path("partitions", str(index)), text)


def _room(key: str, what: Work, site: System, said: SiteFacts) -> _Room | None:
    """Return what there is; None if a partition of it is unknown, which is said elsewhere, or none has nodes."""
    known = said.partitions or {}
    names = what.partitions or tuple(site.partitions)
    if not names:
        names = tuple(name for name, each in known.items() if each.is_default)
    if any(name not in known for name in names):
        # It is told that there is no such one; what the others have says nothing of it.
        return None
    there: dict[str, PartitionFacts] = {name: known[name] for name in names}
    nodes = tuple(each for partition in there.values() for each in partition.nodes)
    if not nodes:
        return None
    largest = {
        "cores": max(each.whole.cores for each in nodes),
        "memory": max(each.whole.memory_mib for each in nodes),
        "gpus": max(each.whole.gpus_of(None) for each in nodes),
        "nodes": max(sum(each.count for each in partition.nodes) for partition in there.values()),
        "time": max(_limit(partition, site, name) for name, partition in there.items()),
    }
    return _Room(key, tuple(there), largest, nodes)


def _limit(partition: PartitionFacts, site: System, name: str) -> int:
    own = site.partitions[name].time_max if name in site.partitions else None
    return min(_ENDLESS if each is None else each for each in (partition.time_max_minutes, own))


def _defaults(where: Where, what: Work, room: _Room) -> Iterator[WrongAt]:
    too_much = False
    for name, largest in room.largest.items():
        asked = getattr(what.resources, name).default
        if asked > largest:
            too_much = True
            written = where.resource(name)
            texts = checks.TOO_MUCH if written else checks.ITS_DEFAULT_TOO_MUCH
            yield WrongAt(
                (*written, "default") if written else where.top, _sentence(texts[name], name, asked, room)
            )
    resources = what.resources
    kinds = {kind for each in room.nodes for kind, _ in each.whole.gpus}
    wanted = resources.gpu_types[0] if resources.gpu_types and resources.gpus.default else None
    if wanted is not None and wanted not in kinds and not too_much:
        hint = meant(wanted, sorted(kinds))
        text = checks.NO_GPU_OF_TYPE.format(place=room.place, name=wanted, hint=hint)
        yield WrongAt((*(where.resource("gpu_types") or where.top), "0"), text)
    elif not too_much and not _fits(what, room, wanted):
        yield WrongAt(where.path("resources"), checks.NOT_AT_ONCE.format(place=room.place))


def _fits(what: Work, room: _Room, kind: str | None) -> bool:
    asked = what.resources
    return any(
        each.whole.holds(asked.cores.default, asked.memory.default, asked.gpus.default, kind)
        for each in room.nodes
    )


def _most(rooms: list[tuple[Where, Work, _Room]]) -> Iterator[WrongAt]:
    """Find what may be asked for and can be had nowhere, and types of GPU that no node has."""
    for name in _NUMBERS:
        if all(_bounds(what, name).most > room.largest[name] for _, what, room in rooms):
            for where, what, room in rooms:
                bounds, written = _bounds(what, name), where.resource(name)
                # For what is not written, the form offers what there is.
                if bounds.default <= room.largest[name] and written:
                    inner = ("options", str(bounds.options.index(bounds.most))) if bounds.options else ("max",)
                    yield WrongAt((*written, *inner), _sentence(checks.TOO_MUCH[name], name, bounds.most, room))
    kinds = {kind for _, _, room in rooms for each in room.nodes for kind, _ in each.whole.gpus}
    for where, what, room in rooms:
        first = 1 if what.resources.gpus.default else 0
        for index, kind in list(enumerate(what.resources.gpu_types))[first:]:
            if kind not in kinds:
                hint = meant(kind, sorted(kinds))
                text = checks.NO_GPU_OF_TYPE.format(place=room.place, name=kind, hint=hint)
                yield WrongAt((*(where.resource("gpu_types") or where.top), str(index)), text)


def _bounds(what: Work, name: str) -> Bounds:
    bounds: Bounds = getattr(what.resources, name)
    return bounds


def _sentence(text: str, name: str, asked: int, room: _Room) -> str:
    say = _SAY.get(name, str)
    return text.format(asked=say(asked), place=room.place, most=say(room.largest[name]))
