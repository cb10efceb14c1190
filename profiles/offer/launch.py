"""From Choices to a Launch: `resolve` is the single gate, and nothing after it checks again.  Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from kernels.environment import Environment
from kernels.hook import Hook
from kernels.kernel import Kernel
from languages import together as one_after_the_other
from profiles.catalogue.profile import Offering, Profile
from profiles.catalogue.resources import Parameter, whole
from profiles.catalogue.site import Site
from profiles.errors import ChoiceRefused, together
from profiles.offer import limits
from profiles.offer.choices import Choices
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals, shown

_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Launch:
    """Choices resolved for one user: everything decided, nothing left to look up.

    `..._minutes` are minutes: for `queue_wait` the job may wait in the queue, for its `max` if its owner says so.
    `cores`, `memory_mib` (MiB) and `gpus` are for each of `nodes`.  With `copies` its server can be asked to copy
    a notebook.
    """

    user: str
    owner: str
    profile_key: str
    site_key: str
    site: Site
    partition: str | None
    project: str | None
    reservation: str | None
    qos: str | None
    time_minutes: int
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    gpu_type: str | None
    queue_wait_minutes: int
    queue_wait_max_minutes: int
    directives: Mapping[str, str | Literal[True]]
    environments: tuple[Environment, ...]
    kernels: tuple[Kernel, ...]
    hooks: Mapping[str, Hook]
    container: str | None
    command: tuple[str, ...]
    default_url: str | None
    copies: bool
    choices: Choices


def resolve(offer: Offer, choices: Choices) -> Launch:
    """Return the Launch that `choices` mean for the person whom `offer` is for.

    `{}` means the first profile that they see, at the first of its sites that is open.  Raises ChoiceRefused,
    naming each field that cannot be had and what would be accepted; a profile that they do not see is one that
    there is not.
    """
    profile_key = choices.one_of("profile", offer.profiles()) or _first_profile(offer)
    profile = offer.catalogue.profiles[profile_key]
    site_key = _site(offer, profile_key, choices)
    _one_more(profile, offer.person.running.get(profile_key, 0))
    return _launch(offer, choices, profile_key, site_key)


def _launch(offer: Offer, choices: Choices, profile_key: str, site_key: str) -> Launch:
    profile = offer.catalogue.profiles[profile_key]
    site, what = offer.catalogue.sites[site_key], offer.catalogue.offering(profile_key, site_key)
    checks: tuple[Callable[[], Any], ...] = (
        lambda: _place(offer, site_key, what, choices),
        lambda: _project(site, offer.projects(site_key), choices),
        lambda: choices.one_of("qos", site.qos),
        lambda: _parameters(profile, what, choices),
    )
    (reservation, partition, numbers, gpu_type), project, qos, parameters = together(checks)
    return Launch(
        user=offer.person.name,
        owner=offer.owner(site_key),
        profile_key=profile_key,
        site_key=site_key,
        site=site,
        partition=partition,
        project=project,
        reservation=reservation,
        qos=qos,
        time_minutes=numbers["time"],
        nodes=numbers["nodes"],
        cores=numbers["cores"],
        memory_mib=numbers["memory"],
        gpus=numbers["gpus"],
        gpu_type=gpu_type,
        queue_wait_minutes=what.queue_wait,
        queue_wait_max_minutes=what.queue_wait_max,
        directives={**site.directives, **what.directives},
        environments=(site.jupyter, what.needs(parameters)),
        kernels=what.kernels,
        hooks=what.hooks,
        container=what.container,
        command=what.command,
        default_url=what.default_url,
        copies=offer.catalogue.copy_from is not None,
        choices=choices,
    )


def _place(
    offer: Offer, site: str, what: Offering, choices: Choices
) -> tuple[str | None, str | None, Mapping[str, int], str | None]:
    """Return the reservation, the partition, the numbers that it lets, and the type of GPUs."""
    reservation = choices.one_of("reservation", offer.reservations(site))
    partition = _partition(offer, site, what, choices, reservation)
    return reservation, partition, *_numbers(offer, site, what, partition, choices, reservation)


def _first_profile(offer: Offer) -> str:
    for key in offer.profiles():
        return key
    raise ChoiceRefused("profile", labels.NOTHING_OFFERED)


def _site(offer: Offer, profile: str, choices: Choices) -> str:
    """Return the site chosen, or the first that is open.  Raises ChoiceRefused for one in maintenance."""
    offered = offer.sites(profile)
    is_open = [site for site in offered if offer.closed(site) is None]
    site = choices.one_of("site", offered) or (is_open[0] if is_open else offered[0])
    if sentence := offer.closed(site):
        advice = refusals.CHOOSE_ANOTHER.format(sites=", ".join(is_open)) if is_open else refusals.TRY_AGAIN
        raise ChoiceRefused("site", f"{sentence} {advice}")
    return site


def _project(site: Site, known: tuple[str, ...] | None, choices: Choices) -> str | None:
    """Return the project to charge; None leaves it to Slurm's default account of the person."""
    chosen = choices.get("project")
    if site.projects == "none" and chosen:
        raise ChoiceRefused("project", refusals.NO_PROJECT_CHARGED.format(site=site.title))
    if known is not None:
        default = site.projects[0] if isinstance(site.projects, tuple) else None
        return choices.one_of("project", known) or default
    # Nothing is known yet: Slurm itself decides, but only about what can be the name of a project.
    if chosen and not _PROJECT.fullmatch(chosen):
        raise ChoiceRefused("project", refusals.NO_PROJECT_NAME.format(project=shown(chosen)))
    return chosen


def _one_more(profile: Profile, running: int) -> None:
    if profile.servers_max is not None and running >= profile.servers_max:
        raise ChoiceRefused("profile", refusals.servers_max(running, profile.name))


def _partition(offer: Offer, site: str, what: Offering, choices: Choices, reservation: str | None) -> str | None:
    """Return the partition chosen, that of the reservation, or the first with nodes that are large enough."""
    every = what.partitions or tuple(offer.catalogue.sites[site].partitions)
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
    offer: Offer, site: str, what: Offering, partition: str | None, choices: Choices, reservation: str | None
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
        raise ChoiceRefused("site", one_after_the_other((refusals.NO_TIME_LEFT, limit.why)))
    return limit


def _gpu_type(what: Offering, gpus: int, choices: Choices) -> str | None:
    kinds = what.resources.gpu_types
    chosen = choices.one_of("gpu_type", kinds)
    if gpus:
        return chosen or next(iter(kinds), None)
    if chosen:
        raise ChoiceRefused("gpu_type", refusals.GPU_TYPE_ALONE.format(value=chosen))
    return None


def _parameters(profile: Profile, what: Offering, choices: Choices) -> Mapping[str, str]:
    """Return the value of every parameter."""
    for name in choices.values:
        key = name.removeprefix("param.")
        if key != name and key not in what.parameters:
            sentence = refusals.PARAMETERS_ARE if what.parameters else refusals.NO_PARAMETERS
            listed = ", ".join(what.parameters)
            raise ChoiceRefused(name, sentence.format(profile=profile.name, name=key, names=listed))
    names = tuple(what.parameters)
    values = together(partial(_parameter, f"param.{key}", what.parameters[key], choices) for key in names)
    return dict(zip(names, values, strict=True))


def _parameter(name: str, parameter: Parameter, choices: Choices) -> str:
    if parameter.options:
        return choices.one_of(name, tuple(parameter.options), parameter.title) or parameter.default_text
    chosen = choices.get(name)
    if chosen is None:
        return parameter.default_text
    number = whole(chosen)
    if parameter.holds(number):
        return str(number)
    raise ChoiceRefused(
        name,
        refusals.NOT_IN_RANGE.format(
            label=parameter.title, value=shown(chosen), least=parameter.min, most=parameter.max
        ),
    )
