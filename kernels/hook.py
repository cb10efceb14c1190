"""Hook: a named contribution to a job, with settings of its own, found by entry point.

A site writes its own: a subclass of Hook in a package that names it in the entry point group of GROUP.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from pydantic import BaseModel, ConfigDict

from kernels.fragment import Fragment
from kernels.shell import Shell

GROUP = "jupyterhub_sites.hooks"


@dataclass(frozen=True)
class JobContext:
    """What a hook, a kernel or an environment may know of the job it contributes to.

    Paths are at the site.  `launch_folder` is made before any contribution runs, private to the owner, and removed
    when the job is over; `kernel_store` is where built kernels are shared (None: the owner's own store).
    `memory_mib` is for each of `nodes`; `slurm_cluster` is what `-M` of Slurm's commands needs, if anything.
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
    slurm_cluster: str | None = None


class Hook(BaseModel, ABC):
    """Settings (the model's fields, each with a description) and the fragment that they mean for a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def fragment(self, job: JobContext) -> Fragment:
        """Return what the hook adds to the script of `job`; pure: `jupyterhub-sites script` shows it."""

    def release(self, job: JobContext) -> Shell | None:  # noqa: ARG002 - a hook that starts nothing needs no job
        """Return what ends whatever the fragment may have left at the site, None for nothing; pure.

        It runs there as the owner once the job is over, also a job that was killed or never began.
        """
        return None

    @classmethod
    def implied(cls, scripts: Iterable[str], hooks: Iterable["Hook"]) -> "Hook | None":  # noqa: ARG003
        """Return the hook that a profile needs besides its own `hooks` because of its kernel scripts, or None."""
        return None


@cache
def hooks() -> Mapping[str, type[Hook]]:
    """Return the hooks installed beside this package, by the name that the catalogue uses."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def implied(scripts: Iterable[str], own: Iterable[Hook]) -> tuple[Hook, ...]:
    """Return the hooks that a profile needs besides its own, because of its kernel scripts."""
    texts, given = tuple(scripts), tuple(own)
    found = (kind.implied(texts, given) for kind in hooks().values())
    return tuple(hook for hook in found if hook is not None)
