"""The catalogue's partitions, of sites and gateways.  Frozen values."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from kernels.units import Minutes, as_text
from profiles.catalogue.values import Entry, Plain, SlurmWord
from profiles.catalogue.wrong import WrongAt, WrongTogether
from profiles.sentences import mistakes


class Partition(Entry):
    """One Slurm partition that the form offers."""

    title: Plain = Field(default="", description="Title shown in the form. Default: the partition's name.")
    time_max: Minutes | None = Field(default=None, description="Longest time that may be chosen here.")


def _nothing_said(value: Any) -> Any:
    return {} if value is None else value


_Partition = Annotated[Partition, BeforeValidator(_nothing_said, json_schema_input_type=Partition | None)]


def _by_name(value: Any) -> Any:
    """Turn a list of names into partitions of which nothing is said."""
    if isinstance(value, str):
        raise ValueError(mistakes.ONE_TEXT.format(value=value[:40]))
    if not isinstance(value, list):
        return value
    names = [as_text(each) for each in value]
    wrong = []
    for index, name in enumerate(names):
        if not isinstance(name, str):
            wrong.append(WrongAt((str(index),), mistakes.NO_PARTITION_NAME.format(example="{normal: {}}")))
        elif name in names[:index]:
            wrong.append(WrongAt((str(index),), mistakes.THERE_TWICE))
    if wrong:
        raise WrongTogether(tuple(wrong))
    return {name: {} for name in names}


_ByName = dict[SlurmWord, _Partition]
Partitions = Annotated[_ByName, BeforeValidator(_by_name, json_schema_input_type=_ByName | list[SlurmWord])]
"""Partitions by their names, the default first; a list of names says nothing more of them."""
