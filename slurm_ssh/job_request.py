"""A batch job as it is asked for: the value that every kind of job becomes before it is submitted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from kernels.fragment import Fragment


@dataclass(frozen=True)
class JobRequest:
    """All that Slurm is asked for, and what runs.

    `name` is the mark by which the job is found again; `log_path` is a path at the site.  `cores`, `memory_mib`
    (MiB) and `gpus`, of a `gpu_type` or of any, are for each of `nodes`.  `directives` are further options of
    sbatch, True for one without a value.  `script` is the text that bash runs, without options and without
    `secrets`, which the scheduler's adapter brings to the job.  A node has one task, or
    `has_task_per_core`; Slurm may put the job back into the queue only if it `may_begin_again`.
    """

    name: str
    log_path: str
    nodes: int
    cores: int
    memory_mib: int
    time_minutes: int
    partition: str | None
    project: str | None
    reservation: str | None
    qos: str | None
    directives: Mapping[str, str | Literal[True]]
    script: str = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)
    gpus: int = 0
    gpu_type: str | None = None
    has_task_per_core: bool = False
    may_begin_again: bool = False


Build = Callable[[Fragment], JobRequest]
"""Makes the request, given what brings the job its ticket.  Raises ValueError for what no job can hold."""
