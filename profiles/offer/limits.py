"""Limits: how far the numbers of a profile go at a site, as its partitions and the calendar let them.  Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kernels import units
from languages import together
from profiles.catalogue.partition import Partition
from profiles.catalogue.resources import Bounds
from profiles.catalogue.work import Work
from profiles.errors import ChoiceRefused
from profiles.facts import Nodes, PartitionFacts
from profiles.offer.offer import Offer
from profiles.sentences import either, labels, refusals, shown
from profiles.sentences.refusals import Placed

NUMBERS = ("time", "cores", "memory", "gpus", "nodes")
"""The numbers of a profile that a person may ask for; time is in minutes, memory in MiB."""

_READ: Mapping[str, Callable[[str], int]] = {"time": units.minutes, "memory": units.mebibytes}
_SAY: Mapping[str, Callable[[int], str]] = {"time": units.say_minutes, "memory": units.say_mebibytes}
_SHOWN_KINDS = 4


@dataclass(frozen=True)
class Limit:
    """What may be asked of one number; `why` is the sentence why it is no more, "" if the profile says it."""

    name: str
    bounds: Bounds
    why: str = ""

    def chosen(self, text: str | None) -> int:
        """Return the number that somebody wrote, the default for None.

        Raises ChoiceRefused with what would be accepted.
        """
        if text is None:
            return self.bounds.default
        # The catalogue's bare numbers are MiB, as Slurm's; a person who writes 16 means gigabytes.
        if self.name == "memory" and text.strip().isdecimal():
            raise ChoiceRefused(self.name, refusals.MEMORY_WITHOUT_UNIT.format(value=shown(text.strip())))
        try:
            value = _READ.get(self.name, units.count)(text)
        except ValueError as error:
            sentence = refusals.UNREADABLE.format(label=labels.LABELS[self.name], problem=error)
            raise ChoiceRefused(self.name, sentence) from error
        bounds = self.bounds
        if value in bounds.options if bounds.options else bounds.least <= value <= bounds.most:
            return value
        sentence = refusals.NOT_WITHIN.format(
            label=labels.LABELS[self.name], value=shown(text), accepted=self.accepted
        )
        raise ChoiceRefused(self.name, together((sentence, self.why if value > bounds.most else "")))

    @property
    def accepted(self) -> str:
        """What may be asked, as people read it."""
        bounds = self.bounds
        if bounds.options:
            return either([self.said(option) for option in bounds.options])
        if bounds.least == bounds.most:
            return self.said(bounds.least)
        return refusals.RANGE.format(least=self.said(bounds.least), most=self.said(bounds.most))

    def said(self, value: int) -> str:
        """Return a value as people write it."""
        return _SAY.get(self.name, str)(value)


@dataclass(frozen=True)
class _Ceiling:
    most: int
    why: str


def partitions(offer: Offer, site: str, what: Work) -> tuple[str, ...]:
    """Return the partitions that a launch may ask for, the default first.

    Those whose nodes are known to be too small for the least of it are omitted, unless all are.
    """
    offered = what.partitions or tuple(offer.menu.sites[site].partitions)
    return tuple(each for each in offered if _fits(what, offer.real_partition(site, each))) or offered


def limits(offer: Offer, site: str, what: Work, partition: str | None) -> Mapping[str, Limit]:
    """Return the limits of NUMBERS as a partition lets them; `until` is for the calendar."""
    entry = offer.menu.sites[site].partitions.get(partition) if partition else None
    found = {name: Limit(name, bounds_in(what, entry, name)) for name in NUMBERS}
    for name, ceiling in _ceilings(offer, site, partition):
        found[name] = _lowered(found[name], ceiling)
    return found


def own_default(what: Work, partition: Partition | None, name: str) -> int | None:
    """Return the default that a partition has for one of NUMBERS, None if it has none that may be chosen."""
    value = None if partition is None else getattr(partition.defaults, name)
    bounds = getattr(what.resources, name)
    if value is None or bounds.least == bounds.most:
        return None
    if bounds.options:
        return value if value in bounds.options else None
    return int(max(bounds.least, min(value, bounds.most)))


def bounds_in(what: Work, partition: Partition | None, name: str) -> Bounds:
    """Return the bounds of one of NUMBERS, with the default that a partition has."""
    bounds: Bounds = getattr(what.resources, name)
    default = own_default(what, partition, name)
    return bounds if default is None else bounds.model_copy(update={"default": default})


def until(limit: Limit, now: datetime, moment: datetime, why: str) -> Limit:
    """Return the limit of a time that must be over at a moment."""
    return _lowered(limit, _Ceiling(int((moment - now).total_seconds() // 60), why))


def before_maintenance(
    offer: Offer, site: str, partition: str | None, limit: Limit, reservation: str | None = None
) -> Limit:
    """Return the limit of a time that must be over when the next maintenance begins: of a site, or of a partition.

    The one in whose `reservation` the job itself runs does not count.
    """
    if pause := offer.announced(site):
        title, time = offer.menu.sites[site].title, offer.moment(pause.begins)
        why = refusals.MAINTENANCE_BEGINS.format(site=title, time=time)
        limit = until(limit, offer.now, pause.begins, why)
    for each in offer.pauses(site, partition):
        if each.name != reservation and each.begins > offer.now:
            why = _about(refusals.SLURM_PAUSES, offer, site, partition, time=offer.moment(each.begins))
            limit = until(limit, offer.now, each.begins, why)
    return limit


def _about(sentence: Placed, offer: Offer, site: str, partition: str | None, **values: object) -> str:
    """Return a sentence about a partition, for None the site's own default one."""
    entry = offer.menu.sites[site].partitions.get(partition) if partition else None
    title = (entry.title if entry else "") or partition
    return sentence.about(offer.menu.sites[site].title, title, **values)


def least(what: Work) -> Mapping[str, int]:
    """Return the least that may be asked of each of NUMBERS."""
    return {name: getattr(what.resources, name).least for name in NUMBERS}


def why_too_small(
    offer: Offer, site: str, partition: str | None, asked: Mapping[str, int], kind: str | None
) -> str | None:
    """Return the sentence why a partition cannot hold what is asked, or None if it can, or is not known.

    `asked` has NUMBERS, `kind` is the type of GPU, None for any.
    """
    real = offer.real_partition(site, partition)
    if real is None or not real.nodes or asked["nodes"] <= _holding(real.nodes, asked, kind):
        return None
    sentence = refusals.TOO_FEW_NODES if asked["nodes"] > 1 else refusals.NO_SUCH_NODE
    wanted = _say_node(asked["cores"], asked["memory"], asked["gpus"], kind)
    nodes = "; ".join(dict.fromkeys(_say_kind(nodes) for nodes in real.nodes[:_SHOWN_KINDS]))
    return _about(sentence, offer, site, partition, count=asked["nodes"], wanted=wanted, nodes=nodes)


def _fits(what: Work, real: PartitionFacts | None) -> bool:
    if real is None or not real.nodes:
        return True
    return least(what)["nodes"] <= _holding(real.nodes, least(what), None)


def _holding(nodes: tuple[Nodes, ...], asked: Mapping[str, int], kind: str | None) -> int:
    return sum(
        each.count for each in nodes if each.whole.holds(asked["cores"], asked["memory"], asked["gpus"], kind)
    )


def _ceilings(offer: Offer, site: str, partition: str | None) -> Iterator[tuple[str, _Ceiling]]:
    entry = offer.menu.sites[site].partitions.get(partition) if partition else None
    no_more_time = _about(refusals.NO_MORE_TIME, offer, site, partition)
    if entry and entry.time_max is not None:
        yield "time", _Ceiling(entry.time_max, no_more_time)
    real = offer.real_partition(site, partition)
    if real is None:
        return
    if real.time_max_minutes is not None:
        yield "time", _Ceiling(real.time_max_minutes, no_more_time)
    if real.nodes:
        whole = [nodes.whole for nodes in real.nodes]
        why = _about(refusals.NO_LARGER_NODE, offer, site, partition)
        yield "cores", _Ceiling(max(each.cores for each in whole), why)
        yield "memory", _Ceiling(max(each.memory_mib for each in whole), why)
        yield "gpus", _Ceiling(max(each.gpus_of(None) for each in whole), why)
        no_more_nodes = _about(refusals.NO_MORE_NODES, offer, site, partition)
        yield "nodes", _Ceiling(sum(each.count for each in real.nodes), no_more_nodes)


def _lowered(limit: Limit, ceiling: _Ceiling) -> Limit:
    """Return the limit as far as it is not above the ceiling; the least is no reason to be above."""
    bounds, most = limit.bounds, ceiling.most
    if bounds.most <= most:
        return limit
    if bounds.options:
        options = tuple(option for option in bounds.options if option <= most) or (most,)
        default = bounds.default if bounds.default in options else max(options)
        changed = {"default": default, "options": options}
    else:
        changed = {"default": min(bounds.default, most), "min": min(bounds.least, most), "max": most}
    return Limit(limit.name, bounds.model_copy(update=changed), ceiling.why)


def _say_kind(nodes: Nodes) -> str:
    node = nodes.whole
    said = _say_node(node.cores, node.memory_mib, node.gpus_of(None), None)
    return refusals.NODES_ALIKE.format(count=nodes.count, node=said)


def _say_node(cores: int, memory_mib: int, gpus: int, kind: str | None) -> str:
    parts = [refusals.cores(cores), units.say_mebibytes(memory_mib)]
    if gpus:
        parts.append(refusals.gpus(gpus, kind))
    return ", ".join(parts)
