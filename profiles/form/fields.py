"""Fields: what the form asks for a profile at a site, and what it says of each site.  Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kernels import units
from profiles.catalogue.profile import Offering
from profiles.catalogue.resources import Parameter
from profiles.facts import PartitionFacts, SiteFacts, could_hold, free_nodes
from profiles.offer import limits
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer
from profiles.sentences import labels
from profiles.sentences.labels import LABELS

_WORDS = ("time", "memory")
_ON_EACH_NODE = ("cores", "memory", "gpus")
_NEWS = timedelta(minutes=1)


@dataclass(frozen=True)
class Field:
    """One field as a pair of profile and site has it.

    `options` are values with what people read; None for a number from `least` to `most`, and for text.  `default`
    says what a launch gets if it is left empty.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] | None = None
    least: int | None = None
    most: int | None = None
    default: str = ""
    hint: str = ""


def fields(offer: Offer, site: str, what: Offering) -> Iterator[Field]:
    """Yield the fields by which something but a parameter may be changed, in the order of the form."""
    partitions = limits.partitions(offer, site, what)
    if len(partitions) > 1:
        titles = tuple((each, _partition(offer, site, each)) for each in partitions)
        yield _listed("partition", titles, _default(titles[0][1]))
    yield from _project(offer, site)
    for limit in _widest(offer, site, what, partitions):
        if limit.bounds.least < limit.bounds.most:
            yield _number(limit)
        if limit.name == "gpus" and limit.bounds.most and len(what.resources.gpu_types) > 1:
            yield _plain("gpu_type", what.resources.gpu_types, _default(what.resources.gpu_types[0]))
    if reservations := offer.reservations(site):
        yield _plain("reservation", reservations, labels.NONE)
    if qos := offer.catalogue.sites[site].qos:
        yield _plain("qos", qos, labels.DEFAULT)


def parameters(what: Offering) -> Iterator[Field]:
    """Yield the fields of the parameters that may be changed."""
    for name, parameter in what.parameters.items():
        if len(parameter.options) > 1 or parameter.min != parameter.max:
            yield _parameter(f"param.{name}", parameter)


def _default(value: str) -> str:
    return labels.DEFAULT_IS.format(value=value)


def _listed(name: str, options: tuple[tuple[str, str], ...], default: str, hint: str = "") -> Field:
    return Field(name, LABELS[name], options, default=default, hint=hint)


def _plain(name: str, values: tuple[str, ...], default: str, hint: str = "") -> Field:
    return _listed(name, tuple((value, value) for value in values), default, hint)


def _partition(offer: Offer, site: str, partition: str) -> str:
    entry = offer.catalogue.sites[site].partitions.get(partition)
    real = offer.real_partition(site, partition)
    longest = [entry.time_max if entry else None, real.time_max_minutes if real else None]
    most = min((each for each in longest if each is not None), default=None)
    title = (entry.title if entry else "") or partition
    news = [] if most is None else [labels.AT_MOST.format(time=units.say_minutes(most))]
    news += [labels.DOWN] if real and not real.is_up else []
    if ends := _paused_until(offer, site, [partition]):
        news.append(labels.IN_MAINTENANCE.format(time=offer.clock(ends)))
    return with_news(title, news)


def _paused_until(offer: Offer, site: str, partitions: Sequence[str | None]) -> datetime | None:
    """Return when the first of some partitions, all of which are in maintenance, is so no more; else None."""
    under_way = [
        [each.ends for each in offer.pauses(site, partition) if each.begins <= offer.now]
        for partition in partitions
    ]
    return min(map(max, under_way)) if all(under_way) else None


def with_news(title: str, news: Sequence[str]) -> str:
    """Return a title with what is to be known of it."""
    return labels.WITH_NEWS.format(title=title, news=", ".join(news)) if news else title


def _project(offer: Offer, site: str) -> Iterator[Field]:
    told, known = offer.catalogue.sites[site].projects, offer.projects(site)
    if told == "none":
        return
    if known is None:
        yield Field("project", LABELS["project"], default=labels.DEFAULT_PROJECT)
    else:
        own = labels.DEFAULT_PROJECT if known else labels.NO_PROJECT
        yield _plain("project", known, _default(told[0]) if isinstance(told, tuple) else own)


def _widest(offer: Offer, site: str, what: Offering, partitions: tuple[str, ...]) -> Iterator[Limit]:
    """Yield the limits of the numbers, each with the default of the first partition and the most of any."""
    found = {each: limits.limits(offer, site, what, each) for each in partitions or (None,)}
    for name in limits.NUMBERS:
        widest = _wider([limit[name] for limit in found.values()])
        if name == "time":
            today = [limits.before_maintenance(offer, site, each, found[each][name]) for each in found]
            most = max(today, key=_most)
            yield widest if _most(most) == _most(widest) else replace(_wider(today), why=most.why)
        else:
            yield widest


def _wider(found: Sequence[Limit]) -> Limit:
    most = max(found, key=_most)
    return Limit(most.name, most.bounds.model_copy(update={"default": found[0].bounds.default}))


def _most(limit: Limit) -> int:
    return limit.bounds.most


def _number(limit: Limit) -> Field:
    name, bounds = limit.name, limit.bounds
    default, of_a_node = limit.said(bounds.default), name in _ON_EACH_NODE
    if bounds.options:
        options = tuple(limit.said(each) for each in bounds.options)
        return _plain(name, options, _default(default), labels.ON_EACH_NODE if of_a_node else "")
    # Where a word such as `8h` may be typed, a browser must not insist on a number.
    least, most = (None, None) if name in _WORDS else (bounds.least, bounds.most)
    text = labels.RANGE_ON_EACH_NODE if of_a_node else labels.RANGE
    hint = text.format(least=limit.said(bounds.least), most=limit.said(bounds.most))
    return Field(name, LABELS[name], None, least, most, default, f"{hint} {limit.why}".strip())


def _parameter(name: str, parameter: Parameter) -> Field:
    if parameter.options:
        options, default = tuple(parameter.options.items()), _default(parameter.options[parameter.default_text])
        return Field(name, parameter.title, options, default=default, hint=parameter.description)
    hint = f"{labels.RANGE.format(least=parameter.min, most=parameter.max)} {parameter.description}".strip()
    return Field(name, parameter.title, None, parameter.min, parameter.max, parameter.default_text, hint)


def news(offer: Offer, site: str, what: Offering) -> list[str]:
    """Return what people should know of a site before they choose it for this."""
    if pause := offer.maintenance(site):
        return [labels.IN_MAINTENANCE.format(time=offer.clock(pause.ends))]
    facts = offer.facts_of(site)
    if facts.unreachable_since is not None:
        return [labels.UNREACHABLE.format(time=offer.clock(facts.unreachable_since))]
    if facts.partitions is None:
        return []
    names = limits.partitions(offer, site, what) or (None,)
    if ends := _paused_until(offer, site, names):
        return [labels.IN_MAINTENANCE.format(time=offer.clock(ends)), *_age(offer, facts)]
    real = [each for name in names if (each := offer.real_partition(site, name)) is not None]
    return [_available(what, real), *_age(offer, facts)] if real else []


def _available(what: Offering, real: list[PartitionFacts]) -> str:
    asked = what.resources
    kind = next(iter(asked.gpu_types), None)
    gpus = asked.gpus.default
    job = (asked.cores.default, asked.memory.default, gpus, kind if gpus else None)
    smallest = (asked.cores.least, asked.memory.least, asked.gpus.least, None)
    if not any(could_hold(each, *smallest) for each in real if each.nodes):
        return labels.TOO_SMALL
    # Whether they are in the groups of a partition is known only there.
    everybodys = [each for each in real if each.groups is None] or real
    free = max(free_nodes(each, *job) for each in everybodys)
    return labels.nodes_available(free) if free else labels.NO_NODES


def _age(offer: Offer, facts: SiteFacts) -> Iterator[str]:
    if facts.asked_at is None:
        return
    age = offer.now - facts.asked_at
    if facts.is_stale:
        yield labels.NO_NEWS_SINCE.format(time=offer.clock(facts.asked_at))
    elif age >= _NEWS:
        yield labels.MINUTES_AGO.format(minutes=age // timedelta(minutes=1))
