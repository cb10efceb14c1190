"""Spark: a standalone cluster with the notebook, as a second Slurm job of the same person.

`Spark` starts one for every launch of a profile; `InitCluster` gives kernel scripts the command that starts one.
"""

import re
from abc import ABC
from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from kernels.environment import Environment, Value
from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from kernels.shell import Shell, join, quote, templates
from kernels.units import Mebibytes

COMMAND = "init-cluster"
_WORD = re.compile(rf"(?<![\w./-]){COMMAND}(?![\w.-])")

_TEMPLATES = templates("kernels.spark")
_DAEMONS_MIB = 512
"""What Spark's master and worker use of the memory of a node, at most."""

_LEAST_DRIVER_MIB = 512
_LEAST_WORKER_MIB = 1536
"""Spark refuses to start a driver or an executor with a heap of less than some 450 MiB."""

_FILES = {
    "common.sh": "common.sh",
    "cluster.sh": "cluster.sh",
    "node.sh": "node.sh",
    "watch.sh": "watch.sh",
    "door.py": "door.py",
    "conf/spark-env.sh": "env.sh",
    "bin/init-cluster": "init-cluster.sh",
}
"""Where in the launch's Spark folder lies which file of kernels/spark/jobside."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$", max_length=100)]


class _Cluster(Hook, ABC):
    """What both hooks leave at the site: a job of its own."""

    def release(self, job: JobContext) -> Shell:
        """Return what cancels the cluster: a job that was killed has not, and a cluster in the queue cannot."""
        return join(_scancel(job, *((f"--clusters={job.slurm_cluster}",) if job.slurm_cluster else ())))


class Spark(_Cluster):
    """A Spark cluster that begins and ends with the notebook."""

    workers: int = Field(
        ge=1, le=1000, description="Workers, each on a node of its own; the master is on the first."
    )
    partition: Name | None = Field(
        default=None, description="Partition of the cluster's job. Default: the notebook's."
    )
    project: Name | None = Field(
        default=None, description="Project that the cluster's job charges. Default: the notebook's."
    )
    cores_per_worker: int = Field(default=1, ge=1, le=1024, description="CPU cores of each worker.")
    memory_per_worker: Mebibytes = Field(
        default=2048,
        ge=_LEAST_WORKER_MIB,
        description="Memory on each node, for all of it: Spark's own programs (512M), the heap of executors (60% "
        "of the rest) and Python.",
    )
    module: Value | None = Field(
        default=None, description="Module that provides Spark, if the profile's own modules do not."
    )
    check_seconds: int = Field(
        default=60,
        ge=1,
        le=600,
        description="Seconds after which each job asks Slurm again whether the other is over.",
    )

    def fragment(self, job: JobContext) -> Fragment:
        """Return what loads Spark and starts a cluster, and ends it with the job."""
        words = [COMMAND, self.project or job.project or "", self.partition or job.partition or ""]
        words += [str(self.workers), "--cores", str(self.cores_per_worker)]
        words += ["--memory", str(self.memory_per_worker), "--check-seconds", str(self.check_seconds)]
        found = Environment(modules=(self.module,) if self.module else ()).fragment(job.module_init)
        return _fragment(job, found.before, join(words))


class InitCluster(_Cluster):
    """The command `init-cluster`, for kernel scripts that start a Spark cluster themselves."""

    def fragment(self, job: JobContext) -> Fragment:
        """Return what makes the command ready, and ends with the job what it has started."""
        return _fragment(job, Shell(""), Shell(""))

    @classmethod
    def implied(cls, scripts: Iterable[str], hooks: Iterable[Hook]) -> Hook | None:
        """Return it if a kernel script names the command and no other hook brings it."""
        if any(isinstance(hook, _Cluster) for hook in hooks):
            return None
        return cls() if any(_WORD.search(script) for script in scripts) else None


def cluster_name(launch_id: str) -> str:
    """Return the name of the job that a launch's cluster is."""
    return f"spark_cluster-{launch_id}"


def _fragment(job: JobContext, first: Shell, command: Shell) -> Fragment:
    folder, name = quote(f"{job.launch_folder}/spark"), cluster_name(job.launch_id)
    before = _TEMPLATES.get_template("before.sh.jinja").render(
        folder=folder,
        files=[(quote("settings.sh"), _settings(job)), *((quote(to), _text(of)) for to, of in _FILES.items())],
        command=command,
    )
    after = _TEMPLATES.get_template("after.sh.jinja").render(
        folder=folder,
        cluster_name=quote(name),
        scancel=join([*(f"{name}={value}" for name, value in job.slurm_environment.items()), *_scancel(job)]),
    )
    lines = [first, Shell(before.rstrip("\n"))] if first else [Shell(before.rstrip("\n"))]
    return Fragment(before=Shell("\n".join(lines)), after=Shell(after.rstrip("\n")))


def _scancel(job: JobContext, *options: str) -> tuple[str, ...]:
    return (f"{job.slurm_path}/scancel", *options, f"--user={job.owner}", f"--name={cluster_name(job.launch_id)}")


def _settings(job: JobContext) -> Shell:
    text = _TEMPLATES.get_template("settings.sh.jinja").render(
        cluster_name=quote(cluster_name(job.launch_id)),
        notebook_name=quote(job.mark),
        owner=quote(job.owner),
        slurm_path=quote(job.slurm_path),
        slurm_environment=join([f"{name}={value}" for name, value in job.slurm_environment.items()]),
        # The rest is the notebook's own, and Python's.
        driver_mib=Shell(str(max(_LEAST_DRIVER_MIB, job.memory_mib // 2))),
        daemons_mib=Shell(str(_DAEMONS_MIB)),
    )
    return Shell(text.rstrip("\n"))


def _text(name: str) -> Shell:
    return Shell(files("kernels.spark.jobside").joinpath(name).read_text(encoding="utf-8").rstrip("\n"))
