"""Datasets: what the jobs of a type work on, and the sources that know them.  Frozen values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from profiles.catalogue.values import AbsolutePath, Entry, Key, OwnersFolder, Plain, Whole
from profiles.catalogue.wrong import WrongAt, WrongTogether
from profiles.sentences import mistakes

Mode = Literal["single", "each", "array"]
"""How datasets become jobs: one with all, one for each, or one array of Slurm's with a task for each."""

PLACE = "{dataset}"
"""Stands in a program for the location of the one dataset of a job, or of a task."""

IDS_PLACE = "{dataset_ids}"
"""Stands in a program for the ids of all datasets of a job, with commas between them."""

MOST = 1000
"""How many datasets one request may be about."""

DATASET_KEY = r"^[A-Za-z0-9_][A-Za-z0-9_.:+@-]*$"
PARAMETER_NAME = r"^[A-Za-z_][A-Za-z0-9_.]*$"
PATTERN = r"^[^\x00-\x1f\x7f/]+$"

Scalar = bool | int | float | str
"""What a parameter of a dataset may be."""


@dataclass(frozen=True)
class Dataset:
    """Something that a job works on.

    `id` is `<source>:<key>`, `location` a path at a site, `parameters` what is known of it, by name.  `system` is
    the only site where it is, None if it is the same everywhere.
    """

    id: str
    name: str
    type: str
    location: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    system: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return {**asdict(self), "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `to_json` gave; what a later version has added is passed over."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__ if name in kept})


_Text = Annotated[str, Field(max_length=200)]
_Value = bool | int | Annotated[float, Field(allow_inf_nan=False)] | _Text


def _kept_as_written(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(mistakes.NOT_ONE_VALUE)
    return value


class ListedDataset(Entry):
    """One dataset of a list."""

    id: Annotated[str, Field(pattern=DATASET_KEY, max_length=100)] = Field(
        description="Its key in the list: letters, digits and `_.:+@-`. People name it `<source>:<id>`."
    )
    name: Plain = Field(default="", description="Name shown to people. Default: the id.")
    type: Key = Field(description="What it is, such as `scan`: job types say which they take.")
    location: Annotated[AbsolutePath, Field(max_length=1000)] = Field(description="Its path at the sites.")
    parameters: dict[
        Annotated[str, Field(pattern=PARAMETER_NAME, max_length=40)],
        Annotated[_Value, BeforeValidator(_kept_as_written, json_schema_input_type=bool | int | float | _Text)],
    ] = Field(
        default_factory=dict, max_length=100, description="What is known of it, such as `{channels: 2}`, by name."
    )


def _each_once(listed: tuple[ListedDataset, ...]) -> tuple[ListedDataset, ...]:
    seen: set[str] = set()
    wrong = []
    for index, each in enumerate(listed):
        if each.id in seen:
            wrong.append(WrongAt((str(index), "id"), mistakes.DATASET_TWICE.format(id=each.id)))
        seen.add(each.id)
    if wrong:
        raise WrongTogether(tuple(wrong))
    return listed


def _read(value: Any) -> Any:
    # The name of a file has become what is in it, where files are read.
    return value


_Listed = Annotated[tuple[ListedDataset, ...], Field(max_length=10_000)]


class DatasetSource(Entry):
    """Where datasets are known: in a list, or as files and folders below a folder of the sites."""

    list: (
        Annotated[
            _Listed, AfterValidator(_each_once), BeforeValidator(_read, json_schema_input_type=Plain | _Listed)
        ]
        | None
    ) = Field(
        default=None,
        description="Name of a YAML file with the datasets, relative to this file; or the datasets themselves.",
    )
    folder: OwnersFolder | None = Field(
        default=None,
        description="Folder of datasets, which may have `{owner}` in it: listed at the site as the person, up to "
        "2,000 of them. Instead of `list`.",
    )
    pattern: Annotated[str, Field(pattern=PATTERN, max_length=100)] | None = Field(
        default=None, description="Which names in the folder are datasets, such as `*.nii`. Default: all."
    )
    type: Key | None = Field(default=None, description="What those in the folder are, such as `scan`.")
    sites: tuple[Key, ...] = Field(
        default=(), description="Sites that have the folder. Default: all sites that have `jobs`."
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.list is None) == (self.folder is None):
            raise ValueError(mistakes.LIST_OR_FOLDER)
        if self.folder is None:
            for name in ("pattern", "type", "sites"):
                if name in self.model_fields_set:
                    raise WrongAt((name,), mistakes.BESIDE_FOLDER.format(key=name))
        elif self.type is None:
            raise WrongAt(("folder",), mistakes.FOLDER_WITHOUT_TYPE)
        return self

    @property
    def types(self) -> frozenset[str]:
        """The types that its datasets have."""
        if self.folder is not None:
            return frozenset({self.type} if self.type else ())
        return frozenset(each.type for each in self.list or ())


class WantedDatasets(Entry):
    """Which datasets the jobs of a type take."""

    types: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(
        description="What they may be: `type` of the sources."
    )
    min: Whole = Field(default=1, ge=0, le=MOST, description="How many must be chosen at least; 0: none is fine.")
    max: Whole = Field(default=MOST, ge=1, le=MOST, description="How many may be chosen at most.")
    modes: Annotated[tuple[Mode, ...], Field(min_length=1)] = Field(
        default=("single", "each", "array"),
        description="What may become of several, the default first: `single`, one job with all; `each`, one job "
        "for each; `array`, one Slurm array with a task for each.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max < self.min:
            raise WrongAt(("max",), mistakes.DATASETS_MAX.format(least=self.min))
        return self
