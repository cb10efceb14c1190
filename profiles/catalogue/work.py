"""Work: what any job may need and get, a notebook's or another's, and how it differs from site to site.

Frozen values.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from kernels.environment import Collection as ModuleCollection
from kernels.environment import Environment, Value, Variable, VariableValue
from kernels.units import Mebibytes
from profiles.catalogue.hooks import Hooks
from profiles.catalogue.parameter import Parameter
from profiles.catalogue.resources import Count, Counts, Resources, Sizes
from profiles.catalogue.values import AbsolutePath, Directives, Entry, Key, Plain, SlurmWord
from profiles.catalogue.visibility import Reservations, Visibility
from profiles.catalogue.wrong import WrongAt, WrongTogether
from profiles.conditions import Together, Values
from profiles.sentences import mistakes

PARAMETER = re.compile(r"\{param\.([^{}]*)\}")
"""Where a text holds the value of a parameter; the group is its name."""

ICON = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def filled(text: str, parameters: Mapping[str, str]) -> str:
    """Return a text with the values picked for parameters (name to value) put in; nothing for one not offered."""
    return PARAMETER.sub(lambda found: parameters.get(found[1], ""), text)


def _long(name: str) -> str:
    return f"resources: {{{name}: }}"


def _one_value(name: str) -> BeforeValidator:
    """Return what tells those who write more than one value behind the short form of a resource."""

    def check(value: Any) -> Any:
        if isinstance(value, dict | list):
            raise ValueError(mistakes.SHORT_FOR_ONE.format(long=_long(name)))
        return value

    return BeforeValidator(check)


class ForGroup(Entry):
    """What differs for members of a group; for those of several, the one that stands last counts."""

    partitions: tuple[SlurmWord, ...] = Field(
        default=(), description="Partitions that they may use, the default first. Default: as for others."
    )
    resources: Resources = Field(
        default_factory=Resources, description="What their jobs get; joined with that of others entry by entry."
    )
    directives: Directives = Field(
        default_factory=dict, description="Further sbatch options, beside those of others."
    )

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(mistakes.SAME_FOR_GROUP)
        return self


class Work(Entry):
    """What runs and what it gets; an entry's own, and again under each of its sites for what differs there."""

    short_forms: ClassVar[tuple[str, ...]] = ("core", "memory")

    partitions: tuple[SlurmWord, ...] = Field(
        default=(), description="Partitions of the site it may use, the default first. Default: all of them."
    )
    resources: Resources = Field(default_factory=Resources, description="What its job gets.")
    core: Annotated[Count, Field(gt=0), _one_value("cores")] | None = Field(
        default=None, description="Short for `resources: {cores: }`."
    )
    memory: Annotated[Mebibytes, _one_value("memory")] | None = Field(
        default=None, description="Short for `resources: {memory: }`; a number is MB."
    )
    parameters: dict[Key, Parameter] = Field(
        default_factory=dict,
        description="Further choices for people; `{param.<name>}` is the value in `modules`, `module_collection` "
        "and `environment`.",
    )
    module_collection: ModuleCollection | None = Field(
        default=None,
        description="Collection of modules that `module save` has made, to restore before others are loaded; what "
        "the site itself has loaded stays.",
    )
    module_paths: tuple[Value, ...] = Field(
        default=(), description="Folders of module files to add with `module use`, before any is loaded."
    )
    modules: tuple[Value, ...] = Field(default=(), description="Modules to load, in this order.")
    prefix: Value | None = Field(
        default=None, description="Folder of a virtual or conda environment; its bin folder goes first on PATH."
    )
    environment: dict[Variable, VariableValue] = Field(
        default_factory=dict,
        description="Environment variables of the job, beside `variables` of the site's `jupyter`.",
    )
    hooks: Hooks = Field(
        default_factory=dict,
        description="What else belongs to the job, such as `spark`: a hook's name and its settings.",
    )
    container: AbsolutePath | None = Field(
        default=None, description="Image in which it runs, started by the site's `container` command."
    )
    directives: Directives = Field(
        default_factory=dict,
        description='Further sbatch options, such as `constraint: ib` or `mail-user: "{owner}@example.org"`; '
        "`true` for a bare option.",
    )
    reservations: Reservations = Field(
        default_factory=dict,
        description="Reservations that may be chosen for it, such as that of a course, beside the site's: a "
        "list, or names with what is said of them.",
    )
    by_group: Mapping[Plain, ForGroup] = Field(
        default_factory=dict,
        description="What differs for members of groups of the hub: `partitions`, `resources`, `directives`.",
    )
    visible_to: Visibility | None = Field(default=None, description="Who may see it. Default: everybody.")

    @model_validator(mode="after")
    def _short_forms_stand_alone(self) -> Self:
        for short, long in (("core", "cores"), ("memory", "memory")):
            if short in self.model_fields_set and long in self.resources.model_fields_set:
                raise WrongAt((short,), mistakes.SHORT_AND_LONG.format(long=_long(long)))
        return self

    def needs(self, parameters: Mapping[str, str]) -> Environment:
        """Return what its programs need, with the values picked for its parameters (name to value) put in."""
        picked = {
            each.variable: parameters[name]
            for name, each in self.parameters.items()
            if each.variable and name in parameters
        }
        environment = Environment(
            module_paths=self.module_paths,
            modules=tuple(filled(module, parameters) for module in self.modules),
            prefix=self.prefix,
            variables={**{name: filled(value, parameters) for name, value in self.environment.items()}, **picked},
        )
        # What people have typed, the job itself looks at.
        collection = filled(self.module_collection or "", parameters)
        return environment.model_copy(update={"module_collection": collection or None})

    def offered(self, datasets: tuple[Values, ...]) -> dict[str, Parameter]:
        """Return the parameters that are offered for the chosen datasets, by their parameters; () is for none."""
        chosen = Together(datasets or ({},))
        return {name: each for name, each in self.parameters.items() if each.is_for_all(chosen)}

    def argv(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """Return the words behind a program for the values of parameters (name to value), in the file's order."""
        return tuple(
            word
            for name, each in self.parameters.items()
            if name in parameters
            for word in each.argv(parameters[name])
        )

    def templates(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the texts in which `{param.<name>}` may stand, each with its place."""
        yield ("module_collection",), self.module_collection or ""
        for index, module in enumerate(self.modules):
            yield ("modules", str(index)), module
        for name, value in self.environment.items():
            yield ("environment", name), value

    def literals(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the texts in which braces stand for themselves, each with its place."""
        yield ("prefix",), self.prefix or ""
        yield ("container",), self.container or ""
        for index, each in enumerate(self.module_paths):
            yield ("module_paths", str(index)), each

    def written_out(self) -> Self:
        """Return the same without short forms."""
        resources: dict[str, Any] = {}
        if self.core is not None:
            resources["cores"] = Counts(default=self.core, options=(self.core,))
        if self.memory is not None:
            resources["memory"] = Sizes(default=self.memory, options=(self.memory,))
        changed: dict[str, Any] = dict.fromkeys(set(self.short_forms) & self.model_fields_set)
        if resources:
            changed["resources"] = self.resources.model_copy(update=resources)
        return self.model_copy(update=changed)

    def of_groups(self, groups: Collection[str]) -> Self:
        """Return what holds for a member of these groups."""
        found = self
        for group, differing in self.by_group.items():
            if group in groups:
                found = found.overridden(differing)
        return found

    def overridden(self, other: "Work | ForGroup") -> Self:
        """Return what holds where `other` differs: its values; mappings and resources entry by entry."""
        changed: dict[str, Any] = {}
        for name in other.model_fields_set - set(self.short_forms):
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(theirs, dict):
                changed[name] = {**mine, **theirs}
            elif isinstance(theirs, Resources):
                update = {each: getattr(theirs, each) for each in theirs.model_fields_set}
                changed[name] = mine.model_copy(update=update)
            else:
                changed[name] = theirs
        return self.model_copy(update=changed)


def listed(value: Any) -> Any:
    """Turn a list of sites, and sites with nothing behind them, into sites where nothing differs.

    Raises ValueError for a single text or an empty list, WrongTogether for names that are none or there twice.
    """
    if isinstance(value, dict):
        return {name: {} if what is None else what for name, what in value.items()}
    if isinstance(value, str):
        raise ValueError(mistakes.ONE_SITE.format(value=value[:40] or mistakes.NAMES_OF_SITES))
    if not isinstance(value, list):
        return value
    if not value:
        raise ValueError(mistakes.NO_SITES)
    wrong = tuple(
        WrongAt((str(index),), text) for index, name in enumerate(value) if (text := _no_site(name, value[:index]))
    )
    if wrong:
        raise WrongTogether(wrong)
    return {name: {} for name in value}


def _no_site(name: Any, before: list[Any]) -> str | None:
    if not isinstance(name, str):
        return mistakes.NO_SITE_NAME
    return mistakes.THERE_TWICE if name in before else None


def _without_prefix(icon: str) -> str:
    if icon.startswith("fa-"):
        raise ValueError(mistakes.ICON_PREFIX.format(icon=icon, name=icon[3:]))
    return icon


class Listed(Work):
    """Work that has a name: an entry of a menu."""

    name: Plain = Field(description="Name shown to people.")
    description: str = Field(
        default="", max_length=4000, description="What it is for, in Markdown; shown when it is chosen."
    )
    icon: Annotated[str, Field(pattern=ICON), AfterValidator(_without_prefix)] | None = Field(
        default=None,
        description="Name of a Font Awesome icon, such as `brain`, shown beside the description.",
    )

    @property
    def heading(self) -> str:
        """The title under which it is listed, "" for none."""
        return ""

    @property
    def most(self) -> int | None:
        """How many of it one person may have at once; None for any number."""
        return None

    @property
    def at_sites(self) -> Mapping[str, Work]:
        """The sites that offer it, the default first, with what differs there; empty for all sites."""
        raise NotImplementedError
