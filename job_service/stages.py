"""Where a batch job is on its way, and what Slurm's words mean for that.  Pure."""

from enum import StrEnum

from slurm_ssh.job import JobReport


class Stage(StrEnum):
    """A job goes from NEW to one of the last four, most of the time in this order.

    NEW: accepted, not started.  STAGINGIN: started, inputs still come.  READY: to be sent to Slurm, being sent, or
    nobody knows whether Slurm has it.  STAGINGOUT: it is not over, files still move.
    """

    NEW = "NEW"
    STAGINGIN = "STAGINGIN"
    READY = "READY"
    QUEUED = "QUEUED"
    HELD = "HELD"
    RUNNING = "RUNNING"
    STAGINGOUT = "STAGINGOUT"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    DELETED = "DELETED"

    @property
    def is_over(self) -> bool:
        """Whether the job will never run again."""
        return self in _OVER

    def may_become(self, other: "Stage") -> bool:
        """Whether a job may go from this stage to another one.

        Somebody who looks now and then may miss some in between, and Slurm may let a job begin again.
        """
        if self.is_over:
            return other is Stage.DELETED and self is not Stage.DELETED
        return other in (Stage.FAILED, Stage.CANCELED) or other in _NEXT[self] - {self}


_OVER = frozenset({Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED, Stage.DELETED})
_AT_SLURM = frozenset({Stage.QUEUED, Stage.HELD, Stage.RUNNING, Stage.STAGINGOUT})
_NEXT = {
    Stage.NEW: frozenset({Stage.STAGINGIN, Stage.READY}),
    Stage.STAGINGIN: frozenset({Stage.READY}),
    **dict.fromkeys((Stage.READY, *_AT_SLURM), _AT_SLURM | {Stage.SUCCESSFUL}),
}

_HOLDS = frozenset({"JobHeldUser", "JobHeldAdmin"})
_STAGES = {
    **dict.fromkeys(("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED"), Stage.QUEUED),
    **dict.fromkeys(("REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", "SUSPENDED", "STOPPED"), Stage.HELD),
    **dict.fromkeys(("RUNNING", "RESIZING", "SIGNALING"), Stage.RUNNING),
    **dict.fromkeys(("COMPLETING", "STAGE_OUT"), Stage.STAGINGOUT),
    "COMPLETED": Stage.SUCCESSFUL,
    "CANCELLED": Stage.CANCELED,
    **dict.fromkeys(
        (
            "FAILED",
            "TIMEOUT",
            "DEADLINE",
            "OUT_OF_MEMORY",
            "NODE_FAIL",
            "BOOT_FAIL",
            "LAUNCH_FAILED",
            "PREEMPTED",
            "REVOKED",
        ),
        Stage.FAILED,
    ),
}


def of(report: JobReport) -> Stage | None:
    """Return the stage of a job that Slurm speaks of so, None for a word that means nothing to us."""
    if report.word == "PENDING" and report.reason in _HOLDS:
        return Stage.HELD
    return _STAGES.get(report.word)
