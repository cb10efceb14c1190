"""Fields: what the form asks for a profile at a site.  Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from profiles.catalogue.parameter import FALSE, TRUE, Parameter
from profiles.catalogue.partition import Partition
from profiles.catalogue.work import Work
from profiles.form.places import cores_of, paused_until, with_news
from profiles.offer import cost, limits
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer
from profiles.sentences import labels

_WORDS = ("time", "memory")
_ON_EACH_NODE = ("cores", "memory", "gpus")
# So many groups of a partition are named.
_FEW = 3
_SAY: Mapping[str, Callable[[int], str]] = {"time": labels.duration, "memory": labels.memory}


@dataclass(frozen=True)
class Field:
    """One field as a pair of profile and site has it.

    `options` are values with what people read; None for a number from `least` to `most`, and for text.  `default`
    says what a launch gets if it is left empty; `usual` is the value that means the same, "" if none does.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] | None = None
    least: int | None = None
    most: int | None = None
    default: str = ""
    usual: str = ""
    hint: str = ""


def fields(offer: Offer, site: str, what: Work) -> Iterator[Field]:
    """Yield the fields by which something but a parameter may be changed, in the order of the form."""
    offer = offer.as_run(site, what)
    partitions = limits.partitions(offer, site, what)
    if len(partitions) > 1:
        titles = tuple((each, _partition(offer, site, what, each)) for each in partitions)
        yield _listed("partition", titles, _default(titles[0][1]), titles[0][0])
    yield from _project(offer, site)
    for limit in _widest(offer, site, what, partitions):
        if limit.bounds.least < limit.bounds.most:
            several = limit.name in _ON_EACH_NODE and what.resources.nodes.most > 1
            field = _number(limit, of_a_node=several)
            yield _by_partition(offer, site, what, field, partitions)
        if limit.name == "gpus" and limit.bounds.most and len(what.resources.gpu_types) > 1:
            first = what.resources.gpu_types[0]
            yield _plain("gpu_type", what.resources.gpu_types, _default(first), first)
    if reservations := offer.reservations(site, what):
        yield _listed("reservation", tuple(reservations.items()), labels.NONE)
    if qos := offer.menu.sites[site].qos:
        yield _plain("qos", qos, labels.DEFAULT)


def parameters(offer: Offer, what: Work) -> Iterator[Field]:
    """Yield the fields of the parameters that may be changed, for the datasets that are chosen."""
    for name, parameter in what.offered(offer.datasets).items():
        if not parameter.is_fixed:
            yield _parameter(f"param.{name}", parameter)


def _default(value: str) -> str:
    return labels.DEFAULT_IS.format(value=value)


def _listed(
    name: str, options: tuple[tuple[str, str], ...], default: str, usual: str = "", hint: str = ""
) -> Field:
    return Field(name, labels.LABELS[name], options, default=default, usual=usual, hint=hint)


def _plain(name: str, values: tuple[str, ...], default: str, usual: str = "") -> Field:
    return _listed(name, tuple((value, value) for value in values), default, usual)


def _partition(offer: Offer, site: str, what: Work, partition: str) -> str:
    entry = offer.menu.sites[site].partitions.get(partition)
    real = offer.real_partition(site, partition)
    longest = [entry.time_max if entry else None, real.time_max_minutes if real else None]
    most = min((each for each in longest if each is not None), default=None)
    title = (entry.title if entry else "") or partition
    news = [] if most is None else [labels.AT_MOST.format(time=labels.duration(most))]
    if entry is not None and entry.cost is not None:
        news.append(labels.AN_HOUR.format(amount=_cheapest(offer, site, what, partition, entry)))
    news += [labels.DOWN] if real and not real.is_up else []
    news += [labels.ONLY_FOR_GROUPS.format(groups=", ".join(real.groups[:_FEW]))] if real and real.groups else []
    if ends := paused_until(offer, site, [partition]):
        news.append(labels.IN_MAINTENANCE.format(time=offer.clock(ends)))
    elif real and real.is_up and real.nodes:
        news.append(labels.FREE.format(free=cores_of(real)))
    return with_news(title, news)


def _cheapest(offer: Offer, site: str, what: Work, name: str, partition: Partition) -> str:
    """Return what an hour costs at least in a partition."""
    least = {each: limit.bounds.least for each, limit in limits.limits(offer, site, what, name).items()}
    return cost.said(cost.an_hour(partition, least) or 0, partition)


def _project(offer: Offer, site: str) -> Iterator[Field]:
    told, known = offer.menu.sites[site].projects, offer.projects(site)
    if told == "none" or offer.served_at == site:
        return
    if known is None:
        yield Field("project", labels.LABELS["project"], default=labels.DEFAULT_PROJECT)
    else:
        # Which one is the default, the accounting does not say.
        is_told = isinstance(told, tuple) or len(known) == 1
        own = labels.DEFAULT_PROJECT if known else labels.NO_PROJECT
        yield _plain("project", known, _default(known[0]) if is_told else own, known[0] if is_told else "")


def _widest(offer: Offer, site: str, what: Work, partitions: tuple[str, ...]) -> Iterator[Limit]:
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


def _by_partition(offer: Offer, site: str, what: Work, field: Field, partitions: tuple[str, ...]) -> Field:
    """Return a field of a number, which has no default if each partition may have another."""
    name, entries = field.name, offer.menu.sites[site].partitions
    own = (limits.own_default(what, entries.get(each), name) for each in partitions)
    if len(partitions) < 2 or all(each is None for each in own):
        return field
    say = _SAY.get(name, str)
    listed = []
    for each in partitions:
        default = limits.limits(offer, site, what, each)[name].bounds.default
        title = entries[each].title if each in entries else ""
        listed.append(labels.DEFAULT_IN.format(value=say(default), partition=title or each))
    hint = f"{field.hint} {labels.DEFAULTS_ARE.format(values=', '.join(listed))}".strip()
    return replace(field, default=labels.BY_PARTITION, usual="", hint=hint)


def _wider(found: Sequence[Limit]) -> Limit:
    most = max(found, key=_most)
    return Limit(most.name, most.bounds.model_copy(update={"default": found[0].bounds.default}))


def _most(limit: Limit) -> int:
    return limit.bounds.most


def _number(limit: Limit, *, of_a_node: bool) -> Field:
    name, bounds, say = limit.name, limit.bounds, _SAY.get(limit.name, str)
    if bounds.options:
        options = tuple((limit.said(each), say(each)) for each in bounds.options)
        default, hint = _default(say(bounds.default)), labels.ON_EACH_NODE if of_a_node else ""
        return _listed(name, options, default, limit.said(bounds.default), hint)
    # Where a word such as `8h` may be typed, a browser must not insist on a number.
    least, most = (None, None) if name in _WORDS else (bounds.least, bounds.most)
    text = labels.RANGE_ON_EACH_NODE if of_a_node else labels.RANGE
    hint = f"{text.format(least=say(bounds.least), most=say(bounds.most))} {limit.why}".strip()
    usual = _written(limit)
    return Field(name, labels.LABELS[name], None, least, most, usual, usual, hint)


def _written(limit: Limit) -> str:
    """Return the default as somebody would type it, in whatever language they read the rest."""
    said = limit.said(limit.bounds.default)
    return {"G": f"{said[:-1]} GB", "M": f"{said[:-1]} MB"}[said[-1]] if limit.name == "memory" else said


def _parameter(name: str, parameter: Parameter) -> Field:
    usual = parameter.default_text
    if parameter.options or parameter.flag:
        options = tuple(parameter.options.items()) or ((TRUE, labels.YES), (FALSE, labels.NO))
        default = _default(dict(options)[usual])
        # What is left empty is the default: so is the empty option.
        chosen = tuple(pair for pair in options if pair[0])
        return Field(name, parameter.title, chosen, default=default, usual=usual, hint=parameter.description)
    hint = f"{_accepted(parameter)} {parameter.description}".strip()
    least, most = (parameter.min, parameter.max) if _is_bounded(parameter) else (None, None)
    return Field(name, parameter.title, None, least, most, usual, usual, hint)


def _is_bounded(parameter: Parameter) -> bool:
    """Return whether a browser can know how far a number goes: of what may be left out it cannot."""
    return parameter.min is not None and parameter.default_text != ""


def _accepted(parameter: Parameter) -> str:
    """Return what may be typed, as a sentence."""
    if parameter.text is not None:
        longest, pattern = labels.longest(parameter.text.longest), parameter.text.pattern
        return longest if pattern is None else f"{longest} {labels.PATTERN.format(pattern=pattern)}"
    least, most = parameter.ends
    if least is not None and most is not None:
        return labels.RANGE.format(least=least, most=most)
    return labels.open_range(least, most, is_whole=parameter.decimal is None)
