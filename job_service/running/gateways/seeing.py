"""What a gateway says of a job, and what that means for what is kept of it.  Pure."""

from datetime import datetime, timedelta

from job_service.gateways.backend import Seen
from job_service.record import JobRecord
from job_service.running.board import Change
from job_service.sentences import gateways as say
from job_service.sentences import running as of_jobs
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_keeping
from slurm_ssh.text import one_line

_LONGEST_WORD = 60
_LONGEST_MESSAGE = 300
_HAS_BEGUN = frozenset({Stage.RUNNING, Stage.STAGINGOUT})
_SENTENCES = {Stage.QUEUED: say.QUEUED, Stage.RUNNING: say.RUNS, Stage.STAGINGOUT: say.ENDS}


def going_on(record: JobRecord, seen: Seen, by: str, now: datetime, title: str) -> Change | None:
    """Return what changes of a job that is not over, None for nothing.

    It is not known when it began if the gateway does not say: that is when it was first seen to run.
    """
    word = one_line(seen.word, _LONGEST_WORD)
    stage, sentence = _stage(record, seen, title, word)
    reason = for_keeping(sentence)
    begun = (seen.started or record.started or now) if stage in _HAS_BEGUN else record.started
    if (stage, word, reason, begun) == (record.stage, record.native_state, record.reason, record.started):
        return None
    is_news = stage is not record.stage or reason != record.reason
    changes = Changes(stage=stage, native_state=word, reason=reason, started=begun, observed=now, observed_by=by)
    return Change(changes, reason if is_news else "")


def _stage(record: JobRecord, seen: Seen, title: str, word: str) -> tuple[Stage, str]:
    if seen.stage is Stage.STAGINGIN:
        # It was sent: for us it waits.
        return Stage.QUEUED, say.STAGES_IN.format(site=title)
    if seen.stage is None or seen.stage not in _SENTENCES:
        return record.stage, say.CALLED.format(site=title, word=word)
    return seen.stage, _SENTENCES[seen.stage].format(site=title)


def ended(
    record: JobRecord, seen: Seen, ran: datetime | None, by: str, now: datetime, title: str, keep: timedelta
) -> Change:
    """Return the end of a job that is over; one that we had cancelled is CANCELED if that is why it ended.

    `ran` is when it was last seen to run: until then it has, if the gateway does not say for how long.
    """
    stage = seen.stage or Stage.FAILED
    if stage is Stage.FAILED and seen.is_abort and record.cancel_wanted:
        stage = Stage.CANCELED
    started, at = seen.started or record.started, min(seen.ended or now, now)
    until = seen.ended if seen.started and seen.ended else ran
    elapsed = max(0, int((until - started).total_seconds())) if until and started else None
    changes = Changes(
        stage=stage,
        native_state=one_line(seen.word, _LONGEST_WORD),
        reason=for_keeping(_why(record, seen, stage, title)),
        exit_code=seen.exit_code,
        started=started,
        ended=at,
        elapsed_s=elapsed,
        observed_by=by,
        remove_after=at + keep,
    )
    return Change(changes, changes["reason"])


def _why(record: JobRecord, seen: Seen, stage: Stage, title: str) -> str:
    if stage is Stage.SUCCESSFUL:
        return of_jobs.SUCCEEDED
    if stage is Stage.CANCELED:
        return of_jobs.CANCELED if record.cancel_wanted else say.CANCELED_ELSEWHERE.format(site=title)
    if seen.exit_code:
        return say.FAILED_WITH.format(code=seen.exit_code)
    message = one_line(seen.message, _LONGEST_MESSAGE).rstrip(". ")
    return (say.FAILED_SAYING if message else say.FAILED).format(site=title, reason=message)


def gone(record: JobRecord, now: datetime, title: str, keep: timedelta) -> Change:
    """Return the end of a job that its gateway does not have any more."""
    if record.cancel_wanted:
        stage, sentence = Stage.CANCELED, of_jobs.CANCELED
    else:
        stage, sentence = Stage.FAILED, say.GONE.format(site=title)
    changes = Changes(stage=stage, reason=for_keeping(sentence), ended=now, remove_after=now + keep)
    return Change(changes, changes["reason"])
