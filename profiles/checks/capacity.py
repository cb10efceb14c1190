"""Whether a site can give what the catalogue promises, by what its Slurm said.  Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.profile import Offering
from profiles.catalogue.resources import Bounds
from profiles.catalogue.site import Site
from profiles.catalogue.spelling import meant
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Where
from profiles.facts import Nodes, PartitionFacts, SiteFacts

_SAY: Mapping[str, Callable[[int], str]] = {"memory": units.say_mebibytes, "time": units.say_minutes}
_UNITS = {"cores": " cores", "memory": " of memory", "gpus": " GPUs", "nodes": " nodes", "time": ""}
_ENDLESS = 10**9


@dataclass(frozen=True)
class _Room:
    """The largest of each thing that a profile's partitions at one site have, and all their kinds of nodes."""

    site: str
    partitions: tuple[str, ...]
    largest: Mapping[str, int]
    nodes: tuple[Nodes, ...]

    @property
    def place(self) -> str:
        names = self.partitions
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{listed} of {self.site}"


def misfits(catalogue: Catalogue, facts: Mapping[str, SiteFacts]) -> Iterator[WrongAt]:
    """Yield what cannot be had at the sites in `facts` (by key), which must have answered.

    A default must be had at every site, the most at one of them: the form offers less where there is less.
    """
    for key, said in facts.items():
        yield from _of_site(("sites", key), catalogue.sites[key], said)
    for key, profile in catalogue.profiles.items():
        rooms = []
        for site in catalogue.sites_of(key):
            if site not in facts:
                continue
            where, what = Where(key, profile, site), catalogue.offering(key, site)
            yield from _unknown_partitions(where, what, catalogue.sites[site], facts[site])
            room = _room(site, what, catalogue.sites[site], facts[site])
            if room:
                rooms.append((where, what, room))
                yield from _defaults(where, what, room)
        yield from _most(rooms)


def _of_site(path: tuple[str, ...], site: Site, said: SiteFacts) -> Iterator[WrongAt]:
    known = said.partitions or {}
    for name, partition in site.partitions.items():
        here = (*path, "partitions", name)
        if name not in known:
            yield WrongAt(here, f"Slurm has no such partition; {meant(name, known, 'it has')}")
            continue
        if not known[name].is_up:
            yield WrongAt(here, "is down in Slurm, so no job starts there; leave it out until it is up")
        limit = known[name].time_max_minutes
        if limit is not None and partition.time_max is not None and partition.time_max > limit:
            most = units.say_minutes(limit)
            text = f"is {units.say_minutes(partition.time_max)}, but Slurm allows {most} there; write {most}"
            yield WrongAt((*here, "time_max"), text)
    names = [each.name for each in said.reservations or ()]
    for index, name in enumerate(site.reservations):
        if said.reservations is not None and name not in names:
            text = f"Slurm has no reservation `{name}`; {meant(name, names, 'it has')}"
            yield WrongAt((*path, "reservations", str(index)), text)


def _unknown_partitions(where: Where, what: Offering, site: Site, said: SiteFacts) -> Iterator[WrongAt]:
    """Find partitions of a profile that Slurm does not have, where the site itself lists none."""
    known = said.partitions or {}
    for index, name in enumerate(what.partitions):
        if not site.partitions and name not in known:
            text = f"{where.site_key} has no partition `{name}`; {meant(name, known, 'it has')}"
            yield WrongAt(where.path("partitions", str(index)), text)


def _room(key: str, what: Offering, site: Site, said: SiteFacts) -> _Room | None:
    """Return what there is; None if no partition of it is known, or none has nodes, which is said elsewhere."""
    known = said.partitions or {}
    names = what.partitions or tuple(site.partitions)
    if not names:
        names = tuple(name for name, each in known.items() if each.is_default)
    there: dict[str, PartitionFacts] = {name: known[name] for name in names if name in known}
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


def _limit(partition: PartitionFacts, site: Site, name: str) -> int:
    own = site.partitions[name].time_max if name in site.partitions else None
    return min(_ENDLESS if each is None else each for each in (partition.time_max_minutes, own))


def _defaults(where: Where, what: Offering, room: _Room) -> Iterator[WrongAt]:
    too_much = False
    for name, largest in room.largest.items():
        asked = getattr(what.resources, name).default
        if asked > largest:
            too_much = True
            written = where.resource(name)
            sentence = _sentence(name, asked, room)
            yield (
                WrongAt((*written, "default"), sentence)
                if written
                else WrongAt(where.top, f"its {name} {sentence}")
            )
    resources = what.resources
    kinds = {kind for each in room.nodes for kind, _ in each.whole.gpus}
    wanted = resources.gpu_types[0] if resources.gpu_types and resources.gpus.default else None
    if wanted is not None and wanted not in kinds and not too_much:
        text = f"no node in {room.place} has a GPU of type `{wanted}`; {meant(wanted, sorted(kinds), 'there are')}"
        yield WrongAt((*(where.resource("gpu_types") or where.top), "0"), text)
    elif not too_much and not _fits(what, room, wanted):
        text = f"no node in {room.place} has so many cores, so much memory and so many GPUs at once; write less"
        yield WrongAt(where.path("resources"), text)


def _fits(what: Offering, room: _Room, kind: str | None) -> bool:
    asked = what.resources
    return any(
        each.whole.holds(asked.cores.default, asked.memory.default, asked.gpus.default, kind)
        for each in room.nodes
    )


def _most(rooms: list[tuple[Where, Offering, _Room]]) -> Iterator[WrongAt]:
    """Find what may be asked for and can be had nowhere, and types of GPU that no node has."""
    for name in _UNITS:
        if all(_bounds(what, name).most > room.largest[name] for _, what, room in rooms):
            for where, what, room in rooms:
                bounds, written = _bounds(what, name), where.resource(name)
                # Of what nobody wrote, the form offers what there is.
                if bounds.default <= room.largest[name] and written:
                    inner = ("options", str(bounds.options.index(bounds.most))) if bounds.options else ("max",)
                    yield WrongAt((*written, *inner), _sentence(name, bounds.most, room))
    kinds = {kind for _, _, room in rooms for each in room.nodes for kind, _ in each.whole.gpus}
    for where, what, room in rooms:
        first = 1 if what.resources.gpus.default else 0
        for index, kind in list(enumerate(what.resources.gpu_types))[first:]:
            if kind not in kinds:
                known = meant(kind, sorted(kinds), "there are")
                text = f"no node in {room.place} has a GPU of type `{kind}`; {known}"
                yield WrongAt((*(where.resource("gpu_types") or where.top), str(index)), text)


def _bounds(what: Offering, name: str) -> Bounds:
    bounds: Bounds = getattr(what.resources, name)
    return bounds


def _sentence(name: str, asked: int, room: _Room) -> str:
    say = _SAY.get(name, str)
    largest = say(room.largest[name])
    if name == "time":
        return f"is {say(asked)}, but the longest in {room.place} is {largest}; write {largest} at most"
    of_what = "all nodes together are" if name == "nodes" else "the largest node has"
    return f"is {say(asked)}{_UNITS[name]}, but in {room.place} {of_what} {largest}; write {largest} at most"
