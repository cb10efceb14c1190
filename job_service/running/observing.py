"""What an observation of a job means for what is kept of it.  Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from job_service import stages
from job_service.record import JobRecord
from job_service.running.board import Change
from job_service.running.folder import Left
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_keeping
from slurm_ssh.job import JobReport, JobState
from slurm_ssh.jobs import ending as reasons
from slurm_ssh.jobs import waiting
from slurm_ssh.scheduler import Ending
from slurm_ssh.slurm.accounting import Past
from slurm_ssh.text import one_line

Keep = Callable[[JobRecord], timedelta]
"""Returns how long the folder of a job is kept after its end."""

_TOLD_TO_END = 143
_SIGTERM = 15
# How much before its time limit a job may have been told to end because of it.
_SLACK = timedelta(seconds=90)
_LONGEST_REASON = 60


@dataclass(frozen=True)
class Ended:
    """How a job ended: Slurm's `word` for it, `status` and `signal` of its script, when, and on which `nodes`.

    `log` is what it said last.  Each is "", 0 or None where that is not known.
    """

    word: str
    status: int = 0
    signal: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    elapsed_s: int | None = None
    nodes: str = ""
    log: str = ""

    @classmethod
    def of_report(cls, report: JobReport) -> "Ended":
        """Return what squeue says of a job that is over."""
        status = report.wait_status or 0
        return cls(
            report.word,
            status >> 8,
            status & 0x7F,
            report.begins,
            report.ends,
            report.used_seconds,
            report.nodes,
        )

    @classmethod
    def of_past(cls, past: Past, left: Left | None) -> "Ended":
        """Return what the accounting says of a job that is over, with what that has left."""
        return cls(
            past.word,
            past.status,
            past.signal,
            past.began,
            past.ended,
            past.elapsed_seconds,
            past.nodes,
            left.log if left else "",
        )

    @classmethod
    def of_left(cls, record: JobRecord, left: Left) -> "Ended | None":
        """Return what a job has left that it wrote down at its end, None if it did not."""
        end = left.end
        if end is None or end.native_id != record.native_id:
            return None
        ran = end.at - began if (began := since(record, left)) else None
        word = "COMPLETED" if end.status == 0 else "FAILED"
        if end.status == _TOLD_TO_END:
            word = reasons.word_in(left.log) or _told_to_end(record, ran)
        elapsed = None if ran is None else max(0, int(ran.total_seconds()))
        return cls(word, end.status, 0, began, end.at, elapsed, log=left.log)


def since(record: JobRecord, left: Left) -> datetime | None:
    """Return since when a job runs, or ran: as Slurm said, else as it has left it; None if it never began."""
    return record.started or (left.since if left.started and left.started == record.native_id else None)


def _told_to_end(record: JobRecord, ran: timedelta | None) -> str:
    """Return Slurm's word for why, most likely, a job was told to end that `ran` so long; nobody says more."""
    if record.cancel_wanted or ran is None:
        return "CANCELLED"
    return "TIMEOUT" if ran > timedelta(seconds=record.limit_s) - _SLACK else "CANCELLED"


def adopted(native_id: str, now: datetime, title: str) -> Change:
    """Return what it means that Slurm has a job by this number."""
    sentence = say.QUEUED.format(site=title)
    changes = Changes(submission="sent", native_id=native_id, stage=Stage.QUEUED, queued=now, reason=sentence)
    return Change(changes, sentence)


def seen(record: JobRecord, report: JobReport, by: str, now: datetime, title: str) -> Change | None:
    """Return what a report on a job that goes on changes, None for nothing: a job that is over is `ended`."""
    stage = stages.of(report) or record.stage
    waits_again = for_keeping(say.WAITS_AGAIN.format(site=title))
    again = stage is Stage.QUEUED and record.stage in {Stage.RUNNING, Stage.STAGINGOUT}
    # Slurm then lets the job wait for a while, as if it had a time before which it does not start.
    again = again or (
        record.reason == waits_again and stage is Stage.QUEUED and report.reason in {"", "BeginTime"}
    )
    reason = waits_again if again else for_keeping(_why(report, stage, title))
    state = one_line(report.word, _LONGEST_REASON)
    begun = report.begins if stage in {Stage.RUNNING, Stage.STAGINGOUT} else None
    # What a job is said to have begun at while it waits is a guess of Slurm's.
    started = begun or (record.started if stage in {Stage.RUNNING, Stage.STAGINGOUT, Stage.HELD} else None)
    kept = (record.stage, record.native_state, record.reason, record.started)
    if (stage, state, reason, started) == kept:
        return None
    changes = Changes(
        stage=stage, native_state=state, reason=reason, started=started, observed=now, observed_by=by
    )
    is_news = stage is not record.stage or reason != record.reason
    return Change(changes, reason if is_news else "")


def _why(report: JobReport, stage: Stage, title: str) -> str:
    """Return in a sentence what a job that goes on does, or waits for."""
    if stages.of(report) is None:
        return say.SAID.format(word=one_line(report.word, _LONGEST_REASON))
    if stage is Stage.RUNNING:
        return say.RUNS.format(nodes=report.nodes) if report.nodes else say.RUNS_SOMEWHERE
    if stage is Stage.STAGINGOUT:
        return say.ENDS.format(site=title)
    return (_why_held if stage is Stage.HELD else _why_queued)(report, title)


def _why_held(report: JobReport, title: str) -> str:
    if report.word in {"SUSPENDED", "STOPPED"}:
        return say.SUSPENDED.format(site=title)
    return say.HELD_BY_ADMIN.format(site=title) if report.reason == "JobHeldAdmin" else say.HELD


def _why_queued(report: JobReport, title: str) -> str:
    said = say.QUEUED_SAYING.format(site=title, reason=one_line(report.reason, _LONGEST_REASON).rstrip("."))
    return waiting.in_words(report.reason or "None", title) or said


def ended(record: JobRecord, end: Ended, by: str, now: datetime, title: str, keep: timedelta) -> Change | None:
    """Return what the end of a job changes, None if the word for it means nothing to us.

    Its folder is kept for `keep`.
    """
    stage = stages.of(JobReport(JobState.ENDED, end.word))
    if stage is None or not stage.is_over:
        return None
    status, signal = _exit(end)
    reason = _in_words(record, end, stage, title)
    at = min(end.ended or now, now)
    changes = Changes(
        stage=stage,
        native_state=one_line(end.word, _LONGEST_REASON),
        reason=reason,
        exit_code=status,
        signal=signal,
        started=end.started if end.elapsed_s or end.word != "CANCELLED" else record.started,
        ended=at,
        elapsed_s=end.elapsed_s,
        observed=now,
        observed_by=by,
        remove_after=at + keep,
    )
    return Change(changes, reason)


def over(stage: Stage, reason: str, now: datetime, keep: timedelta, *, unsent: bool = False) -> Change:
    """Return the end of a job of which Slurm says nothing, or that it never got.

    One that is `unsent` is surely not at Slurm.
    """
    changes = Changes(stage=stage, reason=reason, ended=now, remove_after=now + keep)
    if unsent:
        changes["submission"] = "none"
    return Change(changes, reason)


def _exit(end: Ended) -> tuple[int | None, int | None]:
    """Return exit code and signal as people understand them, None for what there was not."""
    if end.word not in {"COMPLETED", "FAILED"} and end.status == _TOLD_TO_END:
        return None, _SIGTERM
    if end.word != "COMPLETED" and not end.status and not end.signal:
        return None, None
    return (None, end.signal) if end.signal else (end.status, None)


def _in_words(record: JobRecord, end: Ended, stage: Stage, title: str) -> str:
    if stage is Stage.SUCCESSFUL:
        return say.SUCCEEDED
    if stage is Stage.CANCELED:
        return say.CANCELED if record.cancel_wanted else say.CANCELED_ELSEWHERE
    return why(record, end, title)


def why(record: JobRecord, end: Ended, title: str) -> str:
    """Return in a sentence why a job failed."""
    asked = Ending(
        word=end.word,
        status=end.status,
        signal=end.signal,
        nodes=end.nodes,
        minutes=record.limit_s // 60,
        memory=f"{record.memory_mib * record.nodes}M" if record.memory_mib else "",
    )
    return reasons.why(title, asked, "", end.log)
