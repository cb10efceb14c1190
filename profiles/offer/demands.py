"""Demands: what of a person's choices can be had, part by part.  Pure.

Each function raises ChoiceRefused with what would be accepted.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from languages import together as one_after_the_other
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.parameter import FALSE, TRUE, Parameter
from profiles.catalogue.system import System
from profiles.catalogue.texts import LONGEST
from profiles.catalogue.work import Work
from profiles.errors import ChoiceRefused, together
from profiles.offer import limits
from profiles.offer.choices import Choices
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals, shown

_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def picked(offer: Offer, choices: Choices) -> str:
    """Return the entry chosen, or the first that the person sees."""
    field, seen = offer.menu.field, offer.entries()
    chosen = choices.one_of(field, seen) or next(iter(seen), None)
    if chosen is None:
        raise ChoiceRefused(field, labels.NOTHING_OFFERED)
    return chosen


def place(
    offer: Offer, site: str, what: Work, choices: Choices
) -> tuple[str | None, str | None, Mapping[str, int], str | None]:
    """Return the reservation, the partition, the numbers that it lets, and the type of GPUs."""
    reservation = choices.one_of("reservation", tuple(offer.reservations(site, what)))
    partition = _partition(offer, site, what, choices, reservation)
    return reservation, partition, *_numbers(offer, site, what, partition, choices, reservation)


def site(offer: Offer, key: str, choices: Choices) -> str:
    """Return the site chosen, or the first that is open.  Raises ChoiceRefused for one in maintenance."""
    offered = offer.sites(key)
    is_open = [each for each in offered if offer.closed(each) is None]
    chosen = choices.one_of("site", offered) or (is_open[0] if is_open else offered[0])
    if sentence := offer.closed(chosen):
        advice = refusals.CHOOSE_ANOTHER.format(sites=", ".join(is_open)) if is_open else refusals.TRY_AGAIN
        raise ChoiceRefused("site", f"{sentence} {advice}")
    return chosen


def project(site: System, known: tuple[str, ...] | None, choices: Choices) -> str | None:
    """Return the project to charge; None leaves it to Slurm's default account of the person."""
    chosen = choices.get("project")
    if site.projects == "none" and chosen:
        raise ChoiceRefused("project", refusals.NO_PROJECT_CHARGED.format(site=site.title))
    if known is not None:
        default = next(iter(known), None) if isinstance(site.projects, tuple) else None
        return choices.one_of("project", known) or default
    # Nothing is known yet: Slurm itself decides, but only about what can be the name of a project.
    if chosen and not _PROJECT.fullmatch(chosen):
        raise ChoiceRefused("project", refusals.NO_PROJECT_NAME.format(project=shown(chosen)))
    return chosen


def one_more(offer: Offer, key: str) -> None:
    """Refuse an entry of which the person has as many as one person may have."""
    entry, running = offer.menu.entries[key], offer.person.running.get(key, 0)
    if entry.most is not None and running >= entry.most:
        raise ChoiceRefused(offer.menu.field, refusals.servers_max(running, entry.name))


def _partition(offer: Offer, site: str, what: Work, choices: Choices, reservation: str | None) -> str | None:
    """Return the partition chosen, that of the reservation, or the first with nodes that are large enough."""
    every = what.partitions or tuple(offer.menu.sites[site].partitions)
    partition = choices.one_of("partition", every)
    if partition is None:
        reserved = [each.partition for each in offer.own_reservations(site) if each.name == reservation]
        large = limits.partitions(offer, site, what)
        partition = next((each for each in reserved if each in every), None) or next(iter(large), None)
    if sentence := limits.why_too_small(offer, site, partition, limits.least(what), None):
        field = "partition" if choices.get("partition") else "site"
        advice = refusals.ANOTHER_PARTITION if every else refusals.ANOTHER_CLUSTER
        raise ChoiceRefused(field, f"{sentence} {advice}")
    return partition


def _numbers(
    offer: Offer, site: str, what: Work, partition: str | None, choices: Choices, reservation: str | None
) -> tuple[Mapping[str, int], str | None]:
    """Return what the job gets of limits.NUMBERS, and the type of its GPUs."""
    within = dict(limits.limits(offer, site, what, partition))
    within["time"] = _before_it_ends(offer, site, partition, within["time"], reservation)
    chosen = together(partial(within[name].chosen, choices.get(name)) for name in limits.NUMBERS)
    numbers = dict(zip(limits.NUMBERS, chosen, strict=True))
    kind = _gpu_type(what, numbers["gpus"], choices)
    if sentence := limits.why_too_small(offer, site, partition, numbers, kind):
        asked = ("gpu_type", "gpus", "memory", "cores", "nodes", "partition")
        field = next((name for name in asked if choices.get(name)), "site")
        raise ChoiceRefused(field, f"{sentence} {refusals.ASK_FOR_LESS}")
    return numbers, kind


def _before_it_ends(
    offer: Offer, site: str, partition: str | None, allowed: Limit, reservation: str | None
) -> Limit:
    """Return the limit of the time as far as neither a maintenance nor the end of the reservation comes first."""
    limit = limits.before_maintenance(offer, site, partition, allowed, reservation)
    for each in offer.own_reservations(site):
        if each.name == reservation:
            why = refusals.RESERVATION_ENDS.format(reservation=each.name, time=offer.moment(each.ends))
            limit = limits.until(limit, max(offer.now, each.begins), each.ends, why)
    # A time of 0 would be none to Slurm, so without an end.
    shortest = 1 if allowed.bounds.options else max(1, allowed.bounds.least)
    if limit.bounds.most < shortest:
        raise ChoiceRefused("site", one_after_the_other((refusals.NO_TIME_LEFT[offer.menu.field], limit.why)))
    return limit


def _gpu_type(what: Work, gpus: int, choices: Choices) -> str | None:
    kinds = what.resources.gpu_types
    chosen = choices.one_of("gpu_type", kinds)
    if gpus:
        return chosen or next(iter(kinds), None)
    if chosen:
        raise ChoiceRefused("gpu_type", refusals.GPU_TYPE_ALONE.format(value=chosen))
    return None


def parameters(offer: Offer, name: str, what: Work, choices: Choices) -> Mapping[str, str]:
    """Return the value of every parameter of an entry that is offered; `name` is the entry's."""
    offered = what.offered(offer.datasets)
    for field in choices.values:
        key = field.removeprefix("param.")
        if key == field or key in offered:
            continue
        if key in what.parameters:
            sentence = refusals.NOT_FOR_THESE if offer.datasets else refusals.ONLY_FOR_DATASETS
            raise ChoiceRefused(field, sentence.format(label=what.parameters[key].title))
        sentence = refusals.PARAMETERS_ARE if what.parameters else refusals.NO_PARAMETERS
        listed = ", ".join(what.parameters)
        raise ChoiceRefused(field, sentence.format(profile=name, name=key, names=listed))
    values = together(partial(_parameter, f"param.{key}", each, choices) for key, each in offered.items())
    return dict(zip(offered, values, strict=True))


def _parameter(name: str, parameter: Parameter, choices: Choices) -> str:
    if parameter.options:
        options = tuple(filter(None, parameter.options))
        return choices.one_of(name, options, parameter.title) or parameter.default_text
    if parameter.flag:
        return choices.one_of(name, (TRUE, FALSE), parameter.title) or parameter.default_text
    chosen = choices.get(name)
    if chosen is None:
        return parameter.default_text
    if parameter.accepts(chosen):
        # A number is handed on as it was typed; a whole one has one spelling.
        return str(int(chosen)) if parameter.min is not None else chosen
    raise ChoiceRefused(
        name, refusals.NOT_WITHIN.format(label=parameter.title, value=shown(chosen), accepted=accepted(parameter))
    )


def accepted(parameter: Parameter) -> str:
    """Return what may be typed for a parameter that is no list."""
    if parameter.text is None:
        least, most = parameter.ends
        return refusals.number(least, most, is_whole=parameter.decimal is None)
    longest, pattern = parameter.text.longest, parameter.text.pattern
    return refusals.text(longest, pattern)


def arguments(what: Work, words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that a person adds to a program."""
    most = what.free_arguments if isinstance(what, JobOffering) else 0
    if len(words) > most:
        raise ChoiceRefused("arguments", refusals.free_arguments(most) if most else refusals.NO_FREE_ARGUMENTS)
    if any(len(word) > LONGEST or not word.isprintable() for word in words):
        raise ChoiceRefused("arguments", refusals.ARGUMENT_NOT_ONE_LINE.format(most=LONGEST))
    return tuple(words)
