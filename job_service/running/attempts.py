"""What an attempt to send a job makes of its record.  Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running import observing, wishes
from job_service.running.board import Change
from job_service.running.clock import Clock
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_keeping
from slurm_ssh import sentences
from slurm_ssh.jobs.attempt import Accepted

ATTEMPTS = 3
"""How often a job is sent of which its system says again and again that it does not have it."""

ABSENCES = 2
SETTLED_AFTER = timedelta(seconds=60)
"""A job is absent that was not there so often, the last time so long after it was sent."""

_NAMES_TOLD = 5
_LONGEST_NAME = 60


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


def named(names: tuple[str, ...]) -> str:
    """Return the first of many names, cut: their owner gave them, and sees them."""
    cut = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names[:_NAMES_TOLD]]
    listed = ", ".join(cut)
    more = len(names) - len(cut)
    return say.INPUTS_MORE.format(names=listed, count=more) if more else listed


def noted(record: JobRecord, reason: str, *stages: Stage) -> Change | None:
    """Return what tells why a job that is in one of these stages waits."""
    is_news = record.stage in stages and record.reason != for_keeping(reason)
    return Change(Changes(reason=reason), reason) if is_news else None


def lacks(record: JobRecord, names: str, now: datetime, keep: timedelta) -> Change | None:
    """Return what it means that inputs of a job are not there."""
    if wishes.may_lack_inputs_for_good(record, now):
        return observing.over(Stage.CANCELED, say.INPUTS_FORGOTTEN.format(names=names), now, keep)
    return noted(record, say.INPUTS_LACK.format(names=names), Stage.STAGINGIN)


def complete(record: JobRecord) -> Change | None:
    """Return that all is there for which a job has waited."""
    if record.stage is not Stage.STAGINGIN:
        return None
    return Change(Changes(stage=Stage.READY, reason=say.INPUTS_THERE), say.INPUTS_THERE)


def not_sent(record: JobRecord, now: datetime, keep: timedelta) -> Change | None:
    """Return that an attempt was surely none; who has cancelled the job meanwhile wants no other."""
    if record.submission != "sending":
        return None
    if record.cancel_wanted:
        return observing.over(Stage.CANCELED, say.CANCELED_BEFORE, now, keep, unsent=True)
    return Change(Changes(submission="none", attempts=record.attempts - 1, sent=None))


def not_there(record: JobRecord, now: datetime, keep: timedelta, title: str) -> Change | None:
    """Return what it means that a system surely does not have a job."""
    if record.submission != "in_doubt":
        return None
    if record.cancel_wanted:
        return observing.over(Stage.CANCELED, say.CANCELED_BEFORE, now, keep, unsent=True)
    if record.attempts >= ATTEMPTS:
        sentence = say.NEVER_ARRIVED.format(site=title, count=record.attempts)
        return observing.over(Stage.FAILED, sentence, now, keep, unsent=True)
    sentence = say.SENT_AGAIN.format(site=title)
    return Change(Changes(submission="none", reason=sentence), sentence)
