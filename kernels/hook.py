"""Hook: a named contribution to a job, with settings of its own, found by entry point.

A site writes its own: a subclass of Hook in a package that names it in the entry point group of GROUP.
"""

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel, ConfigDict

from kernels import sentences
from kernels.environment import VARIABLE
from kernels.fragment import Fragment
from kernels.shell import Shell, quote

GROUP = "jupyterhub_sites.hooks"
_LONGEST_REASON = 300

_log = logging.getLogger(__name__)


class HookFailed(Exception):  # noqa: N818
    """The code of a hook raised something, or did what no hook may; the text says what, `name` which hook."""

    def __init__(self, name: str, error: BaseException) -> None:
        said = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        super().__init__("".join(c if c.isprintable() else " " for c in said))
        self.name = name


@dataclass(frozen=True)
class JobLookup:
    """How a program in a job learns of its site's scheduler whether another job is over.

    `own` is the variable that holds the job's own number.  `command` is run with the other's in place of the word
    `{job_id}`.  That one is over if the command fails and says one of `gone`, or, where `silence_is_over`, if it
    succeeds and prints nothing; whatever else happens, it may go on.
    """

    own: str
    command: tuple[str, ...]
    gone: tuple[str, ...]
    silence_is_over: bool


@dataclass(frozen=True)
class JobContext:
    """What a hook, a kernel or an environment may know of the job it contributes to.

    Paths are at the site.  `launch_folder` is made before any contribution runs, private to the owner, and removed
    when the job is over; `kernel_store` is where built kernels are shared (None: the owner's own store).
    `memory_mib` is for each of `nodes`; `slurm_cluster` is what `-M` of Slurm's commands needs, if anything.
    `slurm_path` is the folder of the commands of the site's scheduler, whichever it has, and `slurm_environment`
    the variables for them.
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
    lookup: JobLookup
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


@contextmanager
def contained(name: str) -> Iterator[None]:
    """Turn whatever the code of a hook raises into HookFailed: it is another package's, and may be anything."""
    try:
        yield
    except HookFailed:
        raise
    except (Exception, SystemExit) as error:
        raise HookFailed(name, error) from error


@cache
def installed() -> Mapping[str, EntryPoint]:
    """Return the hooks installed beside this package, by the name that the catalogue uses; loads none of them."""
    return {point.name: point for point in entry_points(group=GROUP)}


def find(name: str) -> type[Hook]:
    """Return one of the installed hooks.  Raises HookFailed if it cannot be loaded."""
    found = _loaded(name)
    if isinstance(found, HookFailed):
        raise found
    return found


@cache
def _loaded(name: str) -> type[Hook] | HookFailed:
    try:
        with contained(name):
            kind = installed()[name].load()
            if not (isinstance(kind, type) and issubclass(kind, Hook)):
                raise TypeError(sentences.NO_HOOK_CLASS.format(value=installed()[name].value))
    except HookFailed as error:
        _log.warning("The hook %s cannot be loaded: %s", name, error)
        return error
    return kind


def fragment(name: str, hook: Hook, job: JobContext) -> Fragment:
    """Return what the hook of this name adds to the script of `job`.

    Raises HookFailed, also if it is nothing that a script can hold.
    """
    with contained(name):
        found = hook.fragment(job)
        if (
            not isinstance(found, Fragment)
            or not isinstance(found.before, Shell)
            or not isinstance(found.after, Shell)
        ):
            raise TypeError(sentences.NO_FRAGMENT)
        for variable, value in found.environ.items():
            if not re.fullmatch(VARIABLE, variable):
                raise ValueError(sentences.NO_VARIABLE.format(name=variable))
            quote(value)
    return found


def release(name: str, hook: Hook, job: JobContext) -> Shell | None:
    """Return what ends whatever the hook of this name may have left.  Raises HookFailed."""
    with contained(name):
        found = hook.release(job)
        if found is not None and not isinstance(found, Shell):
            raise TypeError(sentences.NO_SHELL)
    return found


def implied(scripts: Iterable[str], own: Iterable[Hook]) -> Mapping[str, Hook]:
    """Return the hooks, by name, that a profile needs besides its own because of its kernel scripts.

    A hook that cannot say so, which nobody asked for, is passed by.
    """
    texts, given = tuple(scripts), tuple(own)
    found: dict[str, Hook] = {}
    for name in installed() if texts else ():
        try:
            with contained(name):
                hook = find(name).implied(texts, given)
                if hook is not None and not isinstance(hook, Hook):
                    raise TypeError(sentences.NO_IMPLIED_HOOK)
        except HookFailed as error:
            _log.debug("The hook %s does not say whether it is needed: %s", name, error)
        else:
            found |= {name: hook} if hook else {}
    return found
