"""What an attempt to send a job makes of its record.  Pure."""

from dataclasses import replace

from job_service.record import JobRecord
from job_service.running import observing, wishes
from job_service.running.board import Change
from job_service.running.clock import Clock
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from slurm_ssh import sentences
from slurm_ssh.jobs.attempt import Accepted


def sending(record: JobRecord, clock: Clock, title: str) -> Change | None:
    """Return that a job is sent now, None if it is not to be sent."""
    if (record.stage, record.submission) != (Stage.READY, "none"):
        return None
    changes = Changes(
        submission="sending",
        attempts=record.attempts + 1,
        sent=clock.now(),
        reason=say.IS_SENT_TO.format(site=title),
    )
    return Change(changes)


def doubted(record: JobRecord, clock: Clock) -> Change | None:
    """Return that nobody knows whether Slurm has a job that was being sent."""
    return wishes.doubted(clock.now()) if record.submission == "sending" else None


def taken(record: JobRecord, accepted: Accepted, clock: Clock, title: str) -> Change | None:
    """Return that Slurm has taken a job, and what it said about that."""
    if record.submission not in {"sending", "in_doubt"}:
        return None
    change = observing.adopted(accepted.native_id, clock.now(), title)
    said = sentences.SLURM_SAYS.format(site=title, reason=accepted.advice) if accepted.advice else ""
    return replace(change, event=f"{change.event} {said}".strip())
