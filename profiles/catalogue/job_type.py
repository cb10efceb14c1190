"""The catalogue's job types: what may be run as a batch job, or started from datasets.  Frozen values."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from kernels.environment import Value
from kernels.units import Minutes
from profiles.catalogue.dataset import WantedDatasets
from profiles.catalogue.identity import Identity
from profiles.catalogue.parameter import Parameter
from profiles.catalogue.values import JobDirectives, Key, Plain, Whole
from profiles.catalogue.work import ForGroup, Listed, Work, listed
from profiles.catalogue.wrong import WrongAt, WrongTogether
from profiles.sentences import mistakes

MOST_ARGUMENTS = 100
"""Words that a person may add to a program at most."""


def _has_program(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words[0].strip():
        raise WrongAt(("0",), mistakes.EMPTY_PROGRAM)
    return words


def _any(value: Any) -> Any:
    if value not in (None, "any"):
        raise ValueError(mistakes.COMMAND_NOT_ANY)
    return value


_Command = Annotated[Literal["any"] | None, BeforeValidator(_any, json_schema_input_type=Literal["any"])]
_Program = Annotated[tuple[Value, ...], Field(min_length=1), AfterValidator(_has_program)]


class JobForGroup(ForGroup):
    """What differs for members of a group; for those of several, the one that stands last counts."""

    directives: JobDirectives = Field(
        default_factory=dict, description="Further sbatch options, beside those of others."
    )


class JobOffering(Work):
    """What a job runs and what it gets; a job type's own, and again under its sites for what differs there."""

    parameters: dict[Key, Parameter] = Field(
        default_factory=dict,
        description="Further choices for people; `{param.<name>}` is the value in `run`, `modules`, "
        "`module_collection` and `environment`.",
    )
    directives: JobDirectives = Field(
        default_factory=dict,
        description='Further sbatch options, such as `constraint: ib` or `mail-user: "{owner}@example.org"`; '
        "`true` for a bare option.",
    )
    by_group: Mapping[Plain, JobForGroup] = Field(
        default_factory=dict,
        description="What differs for members of groups of the hub: `partitions`, `resources`, `directives`.",
    )
    run: _Program | None = Field(
        default=None,
        description="Program and its arguments, word by word, such as [/opt/recon/bin/recon, --out, results].",
    )
    identity: Identity = Field(
        default="person",
        description="`service`: it runs as the site's `run_as` account, also for people who have none there; only "
        "with `run` and without `free_arguments`. `person`: as whoever sends it.",
    )
    tasks: Literal["node", "core"] = Field(
        default="node", description="`core`: each core has a task, as MPI needs it. `node`: each node has one."
    )
    requeue: bool = Field(
        default=False,
        description="Whether Slurm may run a job again, from its beginning, if a node failed or it made room.",
    )
    datasets: WantedDatasets | None = Field(
        default=None,
        description="Which datasets its jobs take; the file `$JOB_DATASETS` names them. `{dataset}` in `run` is "
        "the location of the one that a job, or a task of an array, has, `{dataset_ids}` the ids of all. Default: "
        "they take none.",
    )
    free_arguments: Annotated[Whole, Field(ge=0, le=MOST_ARGUMENTS)] = Field(
        default=0,
        description="How many words of their own people may add behind the program and its options, up to 100.",
    )
    keep: Minutes | None = Field(
        default=None,
        description="How long the folder of a job is kept after its end, such as `7d`. Default: the site's.",
    )

    def templates(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the texts in which `{param.<name>}` may stand, each with its place."""
        yield from super().templates()
        for index, word in enumerate(self.run or ()):
            yield ("run", str(index)), word


_Sites = dict[Key, JobOffering | None] | Annotated[list[Key], Field(min_length=1)]


_THERE_OF_INTERACTIVE = frozenset({"datasets", "visible_to"})
_OF_INTERACTIVE = _THERE_OF_INTERACTIVE | {"name", "description", "icon", "sites", "profile"}
"""What may be written of an interactive type, at a site and at all: the rest is its profile's."""


def _others(entry: JobOffering, path: tuple[str, ...], known: frozenset[str]) -> Iterator[WrongAt]:
    """Yield what is written that an interactive type has from its profile, or has not at all."""
    for name in type(entry).model_fields:
        if name in entry.model_fields_set - known:
            is_shared = name in Work.model_fields
            yield WrongAt((*path, name), mistakes.OF_THE_PROFILE if is_shared else mistakes.OF_BATCH_JOBS)


def _wanted_at(sites: Mapping[str, JobOffering]) -> Iterator[tuple[tuple[str, ...], WantedDatasets | None]]:
    for site, there in sites.items():
        yield ("sites", site, "datasets"), there.datasets


class JobType(JobOffering, Listed):
    """One thing a person can run: a batch job, or a notebook server that knows some datasets (`profile`).

    A batch job is one of a program (`run`), or of lines of the person's own (`command: any`).
    """

    sites: Annotated[dict[Key, JobOffering], BeforeValidator(listed, json_schema_input_type=_Sites)] = Field(
        default_factory=dict,
        description="Sites that offer it, the default first: a list, or names with what differs there. "
        "Default: all sites that have `jobs`.",
    )
    command: _Command = Field(
        default=None, description="`any`: people write the line that is run. Instead of `run`."
    )
    profile: Key | None = Field(
        default=None,
        description="An interactive type: a server of this profile is started, which has all that it needs from "
        "there. With `datasets` the profile's parameter `datasets` is the path of a file that lists those that "
        "are chosen. Instead of `run`.",
    )

    @model_validator(mode="after")
    def _interactive_types_are_short(self) -> Self:
        if self.profile is None:
            return self
        wrong = [*_others(self, (), _OF_INTERACTIVE)]
        for site, there in self.sites.items():
            wrong += _others(there, ("sites", site), _THERE_OF_INTERACTIVE)
        for path, wanted in ((("datasets",), self.datasets), *_wanted_at(self.sites)):
            if wanted is not None and "modes" in wanted.model_fields_set and wanted.modes != ("single",):
                wrong.append(WrongAt((*path, "modes"), mistakes.ONE_SERVER))
        if wrong:
            raise WrongTogether(tuple(wrong))
        return self

    @model_validator(mode="after")
    def _says_once_what_runs(self) -> Self:
        if self.profile is not None:
            return self
        if self.command is None and self.run is None:
            raise ValueError(mistakes.NOTHING_TO_RUN)
        if self.command is not None and self.run is not None:
            raise WrongAt(("command",), mistakes.RUN_AND_COMMAND)
        if self.command is not None and self.free_arguments:
            raise WrongAt(("free_arguments",), mistakes.RUN_BESIDE_COMMAND)
        for site, there in self.sites.items():
            if self.command is not None and there.run is not None:
                raise WrongAt(("sites", site, "run"), mistakes.RUN_BESIDE_COMMAND)
            if self.command is not None and there.free_arguments:
                raise WrongAt(("sites", site, "free_arguments"), mistakes.RUN_BESIDE_COMMAND)
            if self.command is None and "run" in there.model_fields_set and there.run is None:
                raise WrongAt(("sites", site, "run"), mistakes.NOTHING_TO_RUN)
        return self

    @property
    def is_interactive(self) -> bool:
        """Whether it starts a server, and is no batch job."""
        return self.profile is not None

    @property
    def at_sites(self) -> Mapping[str, JobOffering]:
        """The sites that offer it, the default first, with what differs there; empty for all that take jobs."""
        return self.sites
