"""From Choices to a Launch: `resolve` is the single gate, and nothing after it checks again.  Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from kernels.environment import Environment
from profiles import units
from profiles.errors import ChoiceRefused
from profiles.facts import UNKNOWN, Facts, SiteFacts
from profiles.schema import Bounds, Catalogue, Profile, Site

FIELDS = (
    "profile",
    "site",
    "partition",
    "project",
    "time",
    "cores",
    "memory",
    "gpus",
    "reservation",
    "qos",
)
_NONE_RUN: Mapping[str, int] = MappingProxyType({})
_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_PARAMETER = re.compile(r"param\.[a-z][a-z0-9_]{0,39}")
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

    `time_minutes` and `queue_wait_minutes` are minutes, `memory_mib` is MiB for the whole job.
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
    cores: int
    memory_mib: int
    gpus: int
    queue_wait_minutes: int
    environments: tuple[Environment, ...]
    command: tuple[str, ...]
    choices: Choices


def resolve(
    catalogue: Catalogue, facts: Facts, user: str, choices: Choices, running: Mapping[str, int] = _NONE_RUN
) -> Launch:
    """Return the Launch that `choices` mean for `user` (hub name).

    `{}` means the catalogue's first profile at its first site.  `running` counts the servers that the user has
    besides, by profile key.  Raises ChoiceRefused, naming the field and what would be accepted.
    """
    profile_key = _one_of("profile", choices, tuple(catalogue.profiles)) or next(iter(catalogue.profiles))
    profile = catalogue.profiles[profile_key]
    offered = catalogue.sites_of(profile_key)
    site_key = _one_of("site", choices, offered) or offered[0]
    site = catalogue.sites[site_key]
    partition = _partition(site, choices)
    _no_parameters(profile, choices)
    _one_more(profile, running.get(profile_key, 0))
    return Launch(
        user=user,
        owner=site.login_name.get(user, user),
        profile_key=profile_key,
        profile_name=profile.name,
        site_key=site_key,
        site=site,
        partition=partition,
        project=_project(site, facts.get(site_key, UNKNOWN), choices),
        reservation=_one_of("reservation", choices, site.reservations),
        qos=_one_of("qos", choices, site.qos),
        time_minutes=_time(profile, site, partition, choices),
        cores=_within("cores", choices, profile.resources.cores, units.count, str),
        memory_mib=_within("memory", choices, profile.resources.memory, units.mebibytes, units.say_mebibytes),
        gpus=_within("gpus", choices, profile.resources.gpus, units.count, str),
        queue_wait_minutes=profile.queue_wait,
        environments=(site.jupyter, profile.environment),
        command=profile.command,
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


def _partition(site: Site, choices: Choices) -> str | None:
    chosen = _one_of("partition", choices, tuple(site.partitions))
    return chosen or next(iter(site.partitions), None)


def _time(profile: Profile, site: Site, partition: str | None, choices: Choices) -> int:
    bounds = profile.resources.time
    longest = site.partitions[partition].time_max if partition else None
    if longest is not None and longest < bounds.max:
        bounds = Bounds(default=min(bounds.default, longest), min=min(bounds.min, longest), max=longest)
    return _within("time", choices, bounds, units.minutes, units.say_minutes)


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
    if bounds.min <= value <= bounds.max:
        return value
    accepted = f"{say(bounds.min)} to {say(bounds.max)}" if bounds.min < bounds.max else say(bounds.max)
    raise ChoiceRefused(name, f"The {name} {_shown(chosen)} is not on offer. Choose {accepted}.")


def _no_parameters(profile: Profile, choices: Choices) -> None:
    for name in choices.values:
        if name.startswith("param."):
            raise ChoiceRefused(name, f"{profile.name} has no parameter called {name.removeprefix('param.')}.")
