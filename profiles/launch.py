"""From Choices to a Launch: `resolve` is the single gate, and nothing after it checks again.  Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from kernels import units
from kernels.environment import Environment
from kernels.hook import Hook
from kernels.kernel import Kernel
from profiles.errors import ChoiceRefused
from profiles.facts import SiteFacts
from profiles.offer import Offer
from profiles.profile import Offering, Profile
from profiles.resources import Bounds, Durations, Parameter
from profiles.site import Site

FIELDS = (
    "profile",
    "site",
    "partition",
    "project",
    "time",
    "cores",
    "memory",
    "gpus",
    "gpu_type",
    "nodes",
    "reservation",
    "qos",
)
_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_PARAMETER = re.compile(r"param\.[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_VALUE = 200
_SHOWN = 60


@dataclass(frozen=True)
class Choices:
    """What a person asked: field name to text, as the form and the REST API send it; nothing is required."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the choices in `given`, leaving out empty ones.

        Raises ChoiceRefused for an unknown field, or a value that is not one line of text.
        """
        if not isinstance(given, Mapping):
            raise ChoiceRefused("profile", "Choices are names with texts, such as profile and site.")
        for name, value in given.items():
            if name not in FIELDS and not (isinstance(name, str) and _PARAMETER.fullmatch(name)):
                raise ChoiceRefused(_shown(name), f"There is no choice called {_shown(name)}.")
            if not isinstance(value, str) or len(value) > _LONGEST_VALUE or not value.isprintable():
                raise ChoiceRefused(name, f"The choice {name} must be one line of text, at most 200 characters.")
        return cls({name: value.strip() for name, value in given.items() if value.strip()})

    def get(self, name: str) -> str | None:
        """Return the text chosen for `name`, or None."""
        return self.values.get(name)


@dataclass(frozen=True)
class Launch:
    """Choices resolved for one user: everything decided, nothing left to look up.

    `time_minutes` and `queue_wait_minutes` are minutes; `cores`, `memory_mib` (MiB) and `gpus` are for each of
    `nodes`.  `parameters` holds the value of every parameter of the profile.
    """

    user: str
    owner: str
    profile_key: str
    profile_name: str
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
    directives: Mapping[str, str | Literal[True]]
    environments: tuple[Environment, ...]
    kernels: tuple[Kernel, ...]
    hooks: Mapping[str, Hook]
    container: str | None
    command: tuple[str, ...]
    default_url: str | None
    parameters: Mapping[str, str]
    choices: Choices


def resolve(offer: Offer, choices: Choices) -> Launch:
    """Return the Launch that `choices` mean for the person whom `offer` is for.

    `{}` means the catalogue's first profile at its first site.  Raises ChoiceRefused, naming the field and what
    would be accepted.
    """
    catalogue, user = offer.catalogue, offer.asker.name
    profile_key = _one_of("profile", choices, tuple(catalogue.profiles)) or next(iter(catalogue.profiles))
    profile = catalogue.profiles[profile_key]
    offered = catalogue.sites_of(profile_key)
    site_key = _one_of("site", choices, offered) or offered[0]
    site, what = catalogue.sites[site_key], catalogue.offering(profile_key, site_key)
    resources = what.resources
    partition = _partition(site, what, choices)
    parameters = _parameters(profile, what, choices)
    _one_more(profile, offer.asker.running.get(profile_key, 0))
    gpus = _within("gpus", choices, resources.gpus, units.count, str)
    return Launch(
        user=user,
        owner=site.login_name.get(user, user),
        profile_key=profile_key,
        profile_name=profile.name,
        site_key=site_key,
        site=site,
        partition=partition,
        project=_project(site, offer.facts_of(site_key), choices),
        reservation=_one_of("reservation", choices, site.reservations),
        qos=_one_of("qos", choices, site.qos),
        time_minutes=_time(what, site, partition, choices),
        nodes=_within("nodes", choices, resources.nodes, units.count, str),
        cores=_within("cores", choices, resources.cores, units.count, str),
        memory_mib=_within("memory", choices, resources.memory, units.mebibytes, units.say_mebibytes),
        gpus=gpus,
        gpu_type=_one_of("gpu_type", choices, resources.gpu_types) or next(iter(resources.gpu_types), None),
        queue_wait_minutes=what.queue_wait,
        directives={**site.directives, **what.directives},
        environments=(site.jupyter, what.needs(parameters)),
        kernels=what.kernels,
        hooks=what.hooks,
        container=what.container,
        command=what.command,
        default_url=what.default_url,
        parameters=parameters,
        choices=choices,
    )


def _shown(value: Any) -> str:
    """Return somebody's text cut short and harmless enough for a sentence."""
    text = str(value)
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")


def _one_of(name: str, choices: Choices, offered: tuple[str, ...]) -> str | None:
    chosen = choices.get(name)
    if chosen is None or chosen in offered:
        return chosen
    accepted = f"Choose one of: {', '.join(offered)}." if offered else "None is offered here; leave it out."
    raise ChoiceRefused(name, f"The {name} {_shown(chosen)} is not on offer. {accepted}")


def _project(site: Site, facts: SiteFacts, choices: Choices) -> str | None:
    """Return the project to charge; None leaves it to Slurm's default account of the person."""
    chosen = choices.get("project")
    if site.projects == "none":
        if chosen:
            raise ChoiceRefused("project", f"{site.title} charges no project. Leave the project out.")
        return None
    if site.projects != "accounting":
        return _one_of("project", choices, site.projects) or site.projects[0]
    if facts.projects is not None:
        return _one_of("project", choices, facts.projects)
    # Nothing is known yet: Slurm itself decides, but only about what can be the name of a project.
    if chosen and not _PROJECT.fullmatch(chosen):
        raise ChoiceRefused("project", f"{_shown(chosen)} cannot be the name of a project.")
    return chosen


def _one_more(profile: Profile, running: int) -> None:
    if profile.servers_max is not None and running >= profile.servers_max:
        raise ChoiceRefused(
            "profile",
            f"You have {running} of {profile.name} running, which is as many as one person may have. "
            f"Stop one, or choose another profile.",
        )


def _partition(site: Site, what: Offering, choices: Choices) -> str | None:
    offered = what.partitions or tuple(site.partitions)
    return _one_of("partition", choices, offered) or next(iter(offered), None)


def _time(what: Offering, site: Site, partition: str | None, choices: Choices) -> int:
    bounds: Bounds = what.resources.time
    longest = site.partitions[partition].time_max if partition else None
    if longest is not None and longest < bounds.most:
        bounds = _shortened(bounds, longest)
    return _within("time", choices, bounds, units.minutes, units.say_minutes)


def _shortened(bounds: Bounds, longest: int) -> Bounds:
    """Return the bounds as far as they are not longer than `longest` minutes."""
    options = tuple(option for option in bounds.options if option <= longest) or (longest,)
    if bounds.options:
        default = bounds.default if bounds.default in options else max(options)
        return Durations(default=default, options=options)
    return Durations(default=min(bounds.default, longest), min=min(bounds.least, longest), max=longest)


def _within(
    name: str, choices: Choices, bounds: Bounds, read: Callable[[str], int], say: Callable[[int], str]
) -> int:
    chosen = choices.get(name)
    if chosen is None:
        return bounds.default
    try:
        value = read(chosen)
    except ValueError as error:
        raise ChoiceRefused(name, f"The {name} cannot be used: {error}.") from error
    if value in bounds.options if bounds.options else bounds.least <= value <= bounds.most:
        return value
    raise ChoiceRefused(name, f"The {name} {_shown(chosen)} is not on offer. Choose {_accepted(bounds, say)}.")


def _accepted(bounds: Bounds, say: Callable[[int], str]) -> str:
    if bounds.options:
        return " or ".join(say(option) for option in bounds.options)
    return f"{say(bounds.least)} to {say(bounds.most)}"


def _parameters(profile: Profile, what: Offering, choices: Choices) -> Mapping[str, str]:
    """Return the value of every parameter."""
    for name in choices.values:
        key = name.removeprefix("param.")
        if key != name and key not in what.parameters:
            raise ChoiceRefused(name, f"{profile.name} has no parameter called {key}.")
    return {key: _parameter(f"param.{key}", each, choices) for key, each in what.parameters.items()}


def _parameter(name: str, parameter: Parameter, choices: Choices) -> str:
    if parameter.options:
        return _one_of(name, choices, tuple(parameter.options)) or parameter.usual
    chosen = choices.get(name)
    if chosen is None:
        return parameter.usual
    if re.fullmatch(r"-?[0-9]{1,18}", chosen) and parameter.holds(int(chosen)):
        return str(int(chosen))
    accepted = f"Choose a whole number from {parameter.min} to {parameter.max}."
    raise ChoiceRefused(name, f"{parameter.title}: {_shown(chosen)} is not on offer. {accepted}")
