"""Make the job of a batch launch.  Pure; secrets are not in its script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from job_service import layout
from kernels import hook
from kernels.fragment import Fragment
from kernels.hook import JobContext
from kernels.shell import Shell, join, quote, templates
from profiles.catalogue.dataset import Dataset
from profiles.offer.launch import DATASET, DATASET_IDS, BatchLaunch, JobLaunch
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import frame

_TEMPLATES = templates("job_service", frame.PACKAGE)
_OWNERS_LINE = ("bash", layout.COMMAND)
_NUMBER, _NUMBER_OF_TASK = Shell("$SLURM_JOB_ID"), Shell("${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID")
_OF_TASK = Shell(".$SLURM_ARRAY_TASK_ID")
_NOT_UNPACKED = "{name} could not be unpacked."
# A node may have no unzip.
_UNPACK = """\
unpack() {
  if command -v unzip >/dev/null; then attend unzip -q -o -- "$1"; else attend python3 -m zipfile -e "$1" .; fi ||
    give_up "$2"
}
"""


def build(
    launch: BatchLaunch,
    job_id: str,
    mark: str,
    title: str,
    fragments: Sequence[Fragment],
    datasets: Sequence[Dataset] = (),
    *,
    is_array: bool = False,
) -> JobRequest:
    """Return the job that does what `launch` says; `fragments` come after its environments and before its hooks.

    Its folder, with `.job` in it, the line of its owner and what is known of its datasets if it has these, is
    there before it begins.  An array has a task for each dataset; what `fragments` do at the end is left to when
    all are over.  Raises ValueError for what no job script can hold, HookFailed.
    """
    folder = layout.folder(launch.jobs, launch.owner, job_id)
    if is_array:
        fragments = [replace(each, after=Fragment().after) for each in fragments]
    else:
        launch = replace(launch, program=program(launch, datasets))
    own = {"JOB_TITLE": title, "JOB_FOLDER": folder}
    if datasets:
        own["JOB_DATASETS"] = f"{folder}/{layout.DATASETS}"
    tasks = tuple(datasets) if is_array else ()
    script = _body(launch, context(launch, job_id, mark), folder, own, fragments, tasks)
    suffix = ".%a" if is_array else ""
    return replace(
        frame.request(launch, mark, f"{folder}/{layout.STDOUT}{suffix}", script),
        directives=_directives(folder, launch.directives, suffix, tasks),
        has_task_per_core=launch.tasks == "core",
        may_begin_again=launch.requeue,
    )


def program(launch: JobLaunch, datasets: Sequence[Dataset]) -> tuple[str, ...] | None:
    """Return the words that are run, with the location of the dataset, and the ids of all, where they want it.

    Raises ValueError for words that want one location where there is not one dataset.
    """
    if launch.program is None:
        return None
    ids = ",".join(each.id for each in datasets)
    words = tuple(word.replace(DATASET_IDS, ids) for word in launch.program)
    if not any(DATASET in word for word in words):
        return words
    if len(datasets) != 1:
        raise ValueError(f"{launch.type_key} runs on one dataset, not on {len(datasets)}")
    return tuple(word.replace(DATASET, datasets[0].location) for word in words)


def context(launch: BatchLaunch, job_id: str, mark: str) -> JobContext:
    """Return what contributions to the launch's job may know of it."""
    ours = f"{layout.folder(launch.jobs, launch.owner, job_id)}/{layout.OURS}"
    return frame.context(launch, job_id, mark, ours)


def _directives(
    folder: str, others: Mapping[str, str | Literal[True]], suffix: str, tasks: Sequence[Dataset]
) -> dict[str, str | Literal[True]]:
    """Return the further options: what a job that begins again, or its twin, says is appended."""
    found = {**others, "error": f"{folder}/{layout.STDERR}{suffix}", "open-mode": "append"}
    return {**found, "array": f"0-{len(tasks) - 1}"} if tasks else found


def _body(
    launch: BatchLaunch,
    job: JobContext,
    folder: str,
    own: Mapping[str, str],
    fragments: Sequence[Fragment],
    tasks: Sequence[Dataset],
) -> str:
    parts = [frame.prologue(launch.site)]
    parts += [environment.fragment(launch.site.module_init) for environment in launch.environments]
    parts += [*fragments, *(hook.fragment(name, each, job) for name, each in launch.hooks.items())]
    return _TEMPLATES.get_template("command.sh.jinja").render(
        **frame.values(job.slurm_path, _environ(job, own, parts), parts),
        before=[part.before for part in parts if part.before],
        folder=quote(folder),
        ours=quote(job.launch_folder),
        needs_line=launch.program is None,
        command=_line(frame.in_container(launch, launch.program or _OWNERS_LINE)),
        locations=join([each.location for each in tasks]),
        ids=join([each.id for each in tasks]) if _wants(launch, DATASET_IDS) else Shell(""),
        own=_OF_TASK if tasks else Shell(""),
        number=_NUMBER_OF_TASK if tasks else _NUMBER,
    )


def _line(words: Sequence[str]) -> Shell:
    """Return the words as one command line, in which a task's dataset is a variable."""
    return Shell(" ".join(_word(word) for word in words))


def _word(word: str) -> Shell:
    if DATASET not in word:
        return quote(word)
    return _around(word, DATASET_IDS, "dataset_ids", lambda part: _around(part, DATASET, "dataset", quote))


def _around(word: str, stands_for: str, variable: str, inner: Callable[[str], Shell]) -> Shell:
    """Return a word in which a variable is put in, with what is around it as `inner` returns that."""
    return Shell(f'"${variable}"'.join(inner(part) if part else "" for part in word.split(stands_for)))


def _wants(launch: BatchLaunch, stands_for: str) -> bool:
    return any(stands_for in word for word in launch.program or ())


def _environ(job: JobContext, own: Mapping[str, str], parts: Sequence[Fragment]) -> dict[str, str]:
    environ = {
        "JOB_ID": job.launch_id,
        **own,
        # What modules say while they are loaded.
        "JUPYTERHUB_SITES_LAUNCH_FOLDER": job.launch_folder,
        # srun in it hands on what the job has, as without a batch job around it.
        "SLURM_EXPORT_ENV": "ALL",
    }
    for part in parts:
        environ.update(part.environ)
    return environ


def unpacking(names: Sequence[str]) -> Fragment:
    """Return what unpacks the zips among these files, which lie in the job's folder, before anything is run."""
    zips = [f"./{name}" for name in names if name.lower().endswith(".zip")]
    if not zips:
        return Fragment()
    each = "".join(f"unpack {quote(name)} {quote(_NOT_UNPACKED.format(name=name[2:]))}\n" for name in zips)
    return Fragment(before=Shell(f"{_UNPACK}stage unpack\n{each}"))
