"""Make the script of a batch job.  Pure; secrets are not in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from job_service import layout
from kernels.environment import Environment
from kernels.fragment import Fragment
from kernels.shell import join, quote, templates
from slurm_ssh.jobs import frame

_TEMPLATES = templates("job_service", frame.PACKAGE)


@dataclass(frozen=True)
class Work:
    """What a batch job does: all of it is decided.

    `folder` is the job's own at its site, and is there before the job begins, with `.job` in it.  `argv` is the
    program that runs in it, None for the line of its owner that was put into `.job/command`.  `module_init` and
    `slurm_path` are those of the site.
    """

    job_id: str
    title: str
    folder: str
    argv: tuple[str, ...] | None
    environments: tuple[Environment, ...]
    module_init: str | None
    slurm_path: str


def body(work: Work, fragments: Sequence[Fragment]) -> str:
    """Return what the job runs; `fragments` come after its environments.

    Raises ValueError for what no job script can hold.
    """
    parts = [environment.fragment(work.module_init) for environment in work.environments] + list(fragments)
    ours = f"{work.folder}/{layout.OURS}"
    return _TEMPLATES.get_template("command.sh.jinja").render(
        **frame.values(work.slurm_path, _environ(work, ours, parts), parts),
        before=[part.before for part in parts if part.before],
        folder=quote(work.folder),
        ours=quote(ours),
        needs_line=work.argv is None,
        command=join(work.argv or ("bash", layout.COMMAND)),
    )


def directives(folder: str, others: Mapping[str, str | Literal[True]]) -> dict[str, str | Literal[True]]:
    """Return the further options of sbatch for a job in this folder, whose output is `<folder>/stdout`.

    What a job that begins again, or its twin, says is appended.
    """
    return {**others, "error": f"{folder}/{layout.STDERR}", "open-mode": "append"}


def _environ(work: Work, ours: str, parts: Sequence[Fragment]) -> dict[str, str]:
    environ = {
        "JOB_ID": work.job_id,
        "JOB_TITLE": work.title,
        "JOB_FOLDER": work.folder,
        # What modules say while they are loaded.
        "JUPYTERHUB_SITES_LAUNCH_FOLDER": ours,
        # srun in it hands on what the job has, as without a batch job around it.
        "SLURM_EXPORT_ENV": "ALL",
    }
    for part in parts:
        environ.update(part.environ)
    return environ
