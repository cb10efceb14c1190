"""What can be run, where, on what, and what it counts against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """Something that jobs can work on, a path at a system (None: at every one); `id` names it in requests."""

    id: str
    name: str = ""
    type: str = ""
    location: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None


@dataclass(frozen=True)
class Datasets:
    """Some datasets; `next` is the cursor of those after them, `problems` say what could not be asked."""

    items: tuple[Dataset, ...] = ()
    next: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Partition:
    """A part of a system that can be chosen."""

    name: str
    title: str = ""
    is_up: bool | None = None
    time_max_s: int | None = None
    nodes: int | None = None


@dataclass(frozen=True)
class System:
    """Where jobs can run: `state` is open, closed, away or refused, and `reason` says why it is not open."""

    key: str
    title: str = ""
    support: str = ""
    state: str = ""
    reason: str = ""
    partitions: tuple[Partition, ...] = ()
    projects: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """One value of a choice."""

    value: str
    title: str = ""


@dataclass(frozen=True)
class Choice:
    """Something that may be set in a job type: one of `options`, a number from `least` to `most`, or a text.

    `default` says in words what a job gets that leaves it out.
    """

    name: str
    label: str = ""
    options: tuple[Option, ...] | None = None
    least: int | str | None = None
    most: int | str | None = None
    default: str = ""
    hint: str = ""


@dataclass(frozen=True)
class OnLine:
    """What a choice puts on the command line of a type's program.

    That is `argument` before its value (None: the value is not put there so), or the `words` of its value.
    """

    name: str
    argument: tuple[str, ...] | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A job type at one system: what may be set there, and whether a job would start at once.

    It runs there as you (`identity` "person"), or as an account of the system ("service").
    """

    system: str
    title: str = ""
    state: str = ""
    news: str = ""
    age: str = ""
    identity: str = "person"
    fields: tuple[Choice, ...] = ()
    on_line: tuple[OnLine, ...] = ()


@dataclass(frozen=True)
class WantedDatasets:
    """Which datasets the jobs of a type take; `modes` say what may become of several, the default first."""

    types: tuple[str, ...] = ()
    min: int = 0
    max: int = 0
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobType:
    """Something that can be run; `runs` is "line" if that is a line of one's own, else "program"."""

    key: str
    name: str = ""
    description: str = ""
    runs: str = ""
    systems: tuple[Place, ...] = ()
    datasets: WantedDatasets | None = None


@dataclass(frozen=True)
class Quota:
    """What is left of a project, in its seconds: for you, and for all.

    `charge` says what a second of a job counts: `wall` one, `node` one for each node, `core` one for each core.
    """

    charge: str = ""
    time_left_s: int = 0
    project_time_left_s: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """What jobs count against; `quota` None: there is no limit here."""

    system: str
    name: str
    title: str = ""
    account: str | None = None
    is_default: bool = False
    quota: Quota | None = None
