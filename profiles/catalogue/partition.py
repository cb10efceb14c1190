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


class Partition(Entry):
    """One Slurm partition that the form offers."""

    title: Plain = Field(default="", description="Title shown in the form. Default: the partition's name.")
    time_max: Minutes | None = Field(default=None, description="Longest time that may be chosen here.")
    defaults: Defaults = Field(
        default_factory=Defaults,
        description="What jobs get here if nothing is chosen, in the place of what their profile says.",
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
