"""What one person is offered, as lines for an administrator, and why not the rest.  Pure."""

from collections.abc import Iterable, Iterator

from profiles.catalogue.parameter import FALSE, TRUE, Parameter
from profiles.catalogue.work import Work
from profiles.offer import demands, limits
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer
from profiles.sentences import either, labels, refusals
from profiles.sentences import show as say

# No GPUs and one node are what people expect.
_UNSAID = {"gpus": 0, "nodes": 1}


def summary(offer: Offer) -> str:
    """Return what the person can start now and where; below, what they cannot, each with the reason."""
    lines: list[str] = []
    refused: list[str] = []
    open_sites: dict[str, None] = {}
    for key, entry in offer.menu.entries.items():
        here: list[str] = []
        for site in offer.menu.sites_of(key):
            if why := offer.why_not(key, site):
                refused.append("  " + say.REFUSED.format(name=key, site=site, reason=why))
            else:
                open_sites[site] = None
                here += _offered(offer, site, offer.offering(key, site))
        if here:
            lines += [f"{key}: {entry.name}", *here]
    name, field = offer.person.name, offer.menu.field
    if not lines:
        lines.append(say.CANNOT_START_ANYTHING[field].format(user=name))
    if announced := [*_announced(offer, open_sites)]:
        lines += ["", *announced]
    if refused:
        lines += ["", say.CANNOT_START[field].format(user=name), *refused]
    return "\n".join(lines)


def _announced(offer: Offer, sites: Iterable[str]) -> Iterator[str]:
    """Yield which maintenance comes next at these sites, with the zone of its times."""
    for site in sites:
        if pause := offer.announced(site):
            times = {"begins": offer.moment(pause.begins), "ends": offer.moment(pause.ends)}
            said = labels.MAINTENANCE.format(site=offer.menu.sites[site].title, **times)
            yield f"{said} {pause.text}".strip()


def _offered(offer: Offer, site: str, what: Work) -> Iterator[str]:
    names = limits.partitions(offer, site, what)
    yield f"  {site}: {', '.join(_numbers(what))}"
    if names:
        yield "    " + say.PARTITIONS.format(names=", ".join(names))
    if projects := offer.projects(site):
        yield "    " + say.PROJECTS.format(names=", ".join(projects))
    elif projects is None:
        yield "    " + say.PROJECTS_OF_ACCOUNTING
    for name, parameter in what.parameters.items():
        accepted, value = _picked_from(parameter), parameter.default_text or say.NOTHING
        yield "    " + say.PARAMETER.format(name=name, accepted=accepted, value=value)
        if parameter.when is not None:
            yield "      " + say.WHEN.format(condition=parameter.when)


def _numbers(what: Work) -> Iterator[str]:
    for name in limits.NUMBERS:
        limit = Limit(name, getattr(what.resources, name))
        if limit.bounds.most > _UNSAID.get(name, -1):
            kinds = what.resources.gpu_types if name == "gpus" else ()
            text = say.NUMBER_OF_KINDS if kinds else say.NUMBER
            yield text.format(name=name, accepted=limit.accepted, kinds=either(kinds) if kinds else "")


def _picked_from(parameter: Parameter) -> str:
    if parameter.options:
        return either(tuple(each or say.NOTHING for each in parameter.options))
    if parameter.flag:
        return either((TRUE, FALSE))
    if parameter.min is not None:
        return refusals.RANGE.format(least=parameter.min, most=parameter.max)
    return demands.accepted(parameter)
