"""The catalogue's partitions, of sites and gateways.  Frozen values."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from kernels import units
from kernels.units import Mebibytes, Minutes
from profiles.catalogue.values import CountText, Entry, Plain, SlurmWord, named
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

_Count = Annotated[int, BeforeValidator(units.count, json_schema_input_type=CountText)]
_OneOrMore = Annotated[_Count, Field(ge=1)]


class Defaults(Entry):
    """What a job gets in a partition if nothing is chosen, as far as its profile lets people choose that."""

    cores: _OneOrMore | None = Field(default=None, description="CPU cores on each node.")
    memory: Mebibytes | None = Field(default=None, description="Memory on each node, such as `64G`.")
    gpus: _Count | None = Field(default=None, description="GPUs on each node.")
    nodes: _OneOrMore | None = Field(default=None, description="Nodes.")
    time: Minutes | None = Field(default=None, description="How long the job may run, such as `8h`.")


def _weight(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
        raise units.Unreadable(mistakes.NO_WEIGHT, str(value)[:40])
    return float(value)


_LARGEST = 10**9
_Weight = Annotated[
    float,
    BeforeValidator(_weight, json_schema_input_type=Annotated[int | float, Field(ge=0, le=_LARGEST)]),
]


class Cost(Entry):
    """What jobs cost in a partition, for people to see before they choose; nobody is charged by it."""

    nodes: _Weight = Field(default=0.0, description="Weight of each node, for an hour.")
    cores: _Weight = Field(default=0.0, description="Weight of each core, for an hour.")
    memory: _Weight = Field(default=0.0, description="Weight of each GB of memory, for an hour.")
    gpus: _Weight = Field(default=0.0, description="Weight of each GPU, for an hour.")
    unit: Annotated[Plain, Field(max_length=40)] = Field(
        default="", description="What an amount is called, such as `CPU hours` or `CHF`."
    )

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any((self.nodes, self.cores, self.memory, self.gpus)):
            raise ValueError(mistakes.NOTHING_WEIGHED)
        return self


class Partition(Entry):
    """One Slurm partition that the form offers."""

    title: Plain = Field(default="", description="Title shown in the form. Default: the partition's name.")
    time_max: Minutes | None = Field(default=None, description="Longest time that may be chosen here.")
    defaults: Defaults = Field(
        default_factory=Defaults,
        description="What jobs get here if nothing is chosen, in the place of what their profile says.",
    )

    cost: Cost | None = Field(
        default=None,
        description="Weights of what jobs have here; people see what their job costs with them. Default: nothing.",
    )

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        time, most = self.defaults.time, self.time_max
        if time is not None and most is not None and time > most:
            raise WrongAt(("defaults", "time"), mistakes.MORE_THAN_MOST.format(most=units.say_minutes(most)))
        return self


def _nothing_said(value: Any) -> Any:
    return {} if value is None else value


_Partition = Annotated[Partition, BeforeValidator(_nothing_said, json_schema_input_type=Partition | None)]


def _by_name(value: Any) -> Any:
    return named(value, mistakes.NO_PARTITION_NAME, "{normal: {}}")


_ByName = dict[SlurmWord, _Partition]
Partitions = Annotated[_ByName, BeforeValidator(_by_name, json_schema_input_type=_ByName | list[SlurmWord])]
"""Partitions by their names, the default first; a list of names says nothing more of them."""
