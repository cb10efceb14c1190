"""What is alike in the scripts of all jobs; `templates/frame.sh.jinja` is filled in with it.  Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kernels import environment
from kernels.fragment import Fragment
from kernels.hook import JobContext
from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from profiles.offer.launch import BatchLaunch, NotebookLaunch
from slurm_ssh import schedulers
from slurm_ssh.job_request import JobRequest

Launch = NotebookLaunch | BatchLaunch
"""What is sent to a site."""

PACKAGE = "slurm_ssh"
"""Whose templates those of a job's body extend."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROLOGUE_FAILED = '"The lines that this site runs first ended with status $?. See the log."'
_ON_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


def values(slurm_path: str, environ: Mapping[str, str], parts: Sequence[Fragment]) -> dict[str, Any]:
    """Return what the frame is filled in with: what the job finds Slurm with, its variables, what ends its parts.

    Raises ValueError for a name that no variable can have.
    """
    return {
        "functions": [environment.functions()],
        "exports": exports(environ),
        "slurm_path": "" if slurm_path in _ON_PATH else quote(slurm_path),
        "after": [part.after for part in reversed(parts) if part.after],
    }


def prologue(site: Site) -> Fragment:
    """Return the site's own lines, which come before all other parts of a job.

    They are one word, so that a mistake in them is said and breaks nothing else of the script.
    """
    if site.prologue is None:
        return Fragment()
    return Fragment(before=Shell(f"eval {quote(site.prologue)} || notice {_PROLOGUE_FAILED}"))


def context(launch: Launch, launch_id: str, mark: str, folder: str) -> JobContext:
    """Return what contributions to the launch's job may know of it; `folder` is where what is ours lies."""
    site = launch.site
    return JobContext(
        launch_id=launch_id,
        mark=mark,
        owner=launch.owner,
        profile_key=launch.entry_key,
        site_key=launch.site_key,
        launch_folder=folder,
        slurm_path=site.scheduler_path,
        slurm_cluster=site.slurm_cluster,
        module_init=site.module_init,
        kernel_store=site.kernel_store,
        partition=launch.partition,
        project=launch.project,
        cores=launch.cores,
        memory_mib=launch.memory_mib,
        nodes=launch.nodes,
        slurm_environment=site.environment,
        lookup=schedulers.of(site).lookup(site),
    )


def request(launch: Launch, mark: str, log_path: str, script: str) -> JobRequest:
    """Return the job that runs a text for a launch, with all that is asked of Slurm for any."""
    return JobRequest(
        name=mark,
        log_path=log_path,
        nodes=launch.nodes,
        cores=launch.cores,
        memory_mib=launch.memory_mib,
        time_minutes=launch.time_minutes,
        partition=launch.partition,
        project=launch.project,
        reservation=launch.reservation,
        qos=launch.qos,
        gpus=launch.gpus,
        gpu_type=launch.gpu_type,
        directives=launch.directives,
        script=script,
    )


def in_container(launch: Launch, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that run these words, in the launch's container if it has one.

    Raises ValueError if its site does not say how.
    """
    if launch.container is None:
        return words
    if launch.site.container is None:
        raise ValueError(f"{launch.site_key} does not say how a container is started")
    return (*(word.replace("{image}", launch.container) for word in launch.site.container), *words)


def exports(environ: Mapping[str, str]) -> list[Shell]:
    """Return the lines that set and export these variables.  Raises ValueError as `values` does."""
    return [Shell(f"export {_variable(name)}={quote(value)}") for name, value in environ.items()]


def _variable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an environment variable")
    return name
