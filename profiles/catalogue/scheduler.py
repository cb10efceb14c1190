"""The catalogue's schedulers: what runs a site's jobs.  Frozen values."""

from typing import Literal, Self

from pydantic import Field, model_validator

from profiles.catalogue.values import AbsolutePath, Entry
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes


class Scheduler(Entry):
    """What runs a site's jobs."""

    kind: Literal["slurm", "pbs"] = Field(
        default="slurm",
        description="`slurm`, or `pbs` for OpenPBS: `partitions` are its queues, and notebooks alone run there.",
    )
    path: AbsolutePath | None = Field(
        default=None,
        description="For `pbs`: folder of qsub, qstat, qselect, qdel and pbsnodes. Default: /opt/pbs/bin.",
    )
    project_option: Literal["-A", "-P"] = Field(
        default="-A",
        description="For `pbs`: the option of qsub that takes one of `projects`: `-A`, the account string, or "
        "`-P`, PBS's own project, whichever the site charges.",
    )

    @property
    def name(self) -> str:
        """What people call it."""
        return {"slurm": "Slurm", "pbs": "PBS"}[self.kind]

    @model_validator(mode="after")
    def _slurm_has_neither(self) -> Self:
        if self.path is not None and self.kind == "slurm":
            raise WrongAt(("path",), mistakes.PATH_OF_SLURM)
        if "project_option" in self.model_fields_set and self.kind == "slurm":
            raise WrongAt(("project_option",), mistakes.OPTION_OF_PBS)
        return self
