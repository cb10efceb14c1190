"""Hook: a named contribution to a job, with settings of its own, found by entry point.

A site writes its own: a subclass of Hook in a package that names it in the entry point group of GROUP.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from pydantic import BaseModel, ConfigDict

from kernels.fragment import Fragment

GROUP = "jupyterhub_sites.hooks"


@dataclass(frozen=True)
class JobContext:
    """What a hook, a kernel or an environment may know of the job it contributes to.

    Paths are at the site.  `launch_folder` is made before any contribution runs, private to the owner, and removed
    when the job is over; `kernel_store` is where built kernels are shared (None: the owner's own store).
    `memory_mib` is for each of `nodes`.
    """

    launch_id: str
    mark: str
    owner: str
    profile_key: str
    site_key: str
    launch_folder: str
    slurm_path: str
    module_init: str | None
    kernel_store: str | None
    partition: str | None
    project: str | None
    cores: int
    memory_mib: int
    nodes: int
    slurm_environment: Mapping[str, str]


class Hook(BaseModel, ABC):
    """Settings (the model's fields, each with a description) and the fragment that they mean for a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def fragment(self, job: JobContext) -> Fragment:
        """Return what the hook adds to the script of `job`; pure: `jupyterhub-sites script` shows it."""


@cache
def hooks() -> Mapping[str, type[Hook]]:
    """Return the hooks installed beside this package, by the name that the catalogue uses."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}
