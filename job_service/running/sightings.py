"""What an answer of a site says of our jobs there, and what it means that it does not speak of some."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running import observing, tasks
from job_service.running.board import Change
from job_service.running.observing import Ended, Keep
from job_service.running.places import Places
from profiles.catalogue.identity import site_of
from slurm_ssh.job import JobReport, JobState
from slurm_ssh.scheduler import Listing, Row

ABSENT = timedelta(seconds=30)
"""How long a job has to be missing from answers before it is listed no more."""

WRITTEN = timedelta(seconds=60)
"""How often it is written down of the jobs at a system when Slurm last spoke of them."""


AGAIN = timedelta(seconds=30)
"""How often owners are asked the same at most, if nothing of it has changed."""

_Said = tuple[datetime, frozenset[tuple[str, JobState]]]
"""What was said of a job, since when: which jobs of Slurm's it has, in which states."""

_AT_SLURM = {"in_doubt", "sent"}
_SOON = timedelta(seconds=3)
_GROWTH = 1.5


@dataclass(frozen=True)
class Question:
    """A question to a site about our jobs there: `observer` put it, then, who may be the site's monitor."""

    system: str
    observer: str
    began: datetime
    is_of_monitor: bool = False

    def counts_for(self, record: JobRecord) -> bool:
        """Return whether the answer decides about a job: a person's own shell may say anything of others' jobs."""
        is_the_account = record.identity == "service" and site_of(self.observer) == record.system
        return self.is_of_monitor or self.observer == record.whom or is_the_account


@dataclass
class Judged:
    """What an answer means: `changes` to make; the rest has to be asked as the jobs' owners.

    Those `to_ask` of may be hidden from the observer, or something is said of them that nobody but their owner is
    believed.  `gone` are listed no more, in `doubt` Slurm may have them.  Of `twins` Slurm has several jobs, with
    these numbers.
    """

    changes: list[tuple[JobRecord, Change]] = field(default_factory=list)
    to_ask: list[JobRecord] = field(default_factory=list)
    gone: list[JobRecord] = field(default_factory=list)
    doubts: list[JobRecord] = field(default_factory=list)
    twins: list[tuple[JobRecord, tuple[Row, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """What is remembered of a job: who has seen it, when it was listed, and ran, last, since when it is missing.

    `heard` is when the last question was put whose answer counts.  `no_news` is what was no news last, of which
    version of it.  `twins` are those of Slurm's that were to be told apart last; `hearsay` is what was said last
    of which its owner was to be asked.
    """

    by: set[str] = field(default_factory=set)
    heard: datetime | None = None
    listed: datetime | None = None
    ran: datetime | None = None
    missing_since: datetime | None = None
    no_news: tuple[JobReport, int] | None = None
    twins: _Said | None = None
    hearsay: _Said | None = None


@dataclass(frozen=True)
class _Own:
    """The last question of the owner of jobs: when it was put, and about which versions of which.

    If nothing has changed, their next one has time for a `pause`.
    """

    began: datetime
    versions: frozenset[tuple[str, int]]
    pause: timedelta


class Sightings:
    """Owner of what is remembered of jobs between two answers.  A failed question is never told here."""

    def __init__(self, places: Places, keep: Keep) -> None:
        self._places = places
        self._keep = keep
        self._seen: dict[str, _Seen] = {}
        self._settled: set[tuple[str, str]] = set()
        self._written: dict[str, datetime] = {}
        self._own: dict[tuple[str, str], _Own] = {}

    def forget(self, record: JobRecord) -> None:
        """Drop what is remembered of a job that is over."""
        self._seen.pop(record.job_id, None)
        self._settled = {(job_id, number) for job_id, number in self._settled if job_id != record.job_id}

    def settle(self, record: JobRecord, number: str) -> None:
        """Pass over a further job of Slurm's with the mark of this one, which is dealt with."""
        self._settled.add((record.job_id, number))

    def last_ran(self, record: JobRecord) -> datetime | None:
        """Return when a job was last seen running, None if that is not remembered."""
        seen = self._seen.get(record.job_id)
        return seen.ran if seen else None

    def unwritten(self, system: str, records: Iterable[JobRecord], now: datetime) -> dict[str, datetime]:
        """Return when Slurm last spoke of which of the jobs at a system, if that is to be written down by now.

        For how long a job ran that vanishes, a service that was started meanwhile knows from there.
        """
        if now - self._written.setdefault(system, now) < WRITTEN:
            return {}
        self._written[system] = now
        listed = ((record, self._seen.get(record.job_id, _Seen()).listed) for record in records)
        return {record.job_id: at for record, at in listed if at and (not record.observed or at > record.observed)}

    def is_missing(self, record: JobRecord) -> bool:
        """Return whether the last answer that counts did not list a job that Slurm had."""
        seen = self._seen.get(record.job_id)
        return seen is not None and seen.missing_since is not None

    def judge(self, records: Iterable[JobRecord], listing: Listing, asked: Question) -> Judged:
        """Return what an answer means for these jobs at the system that was asked."""
        rows: dict[tuple[str, str], list[Row]] = {}
        for row in listing.rows:
            rows.setdefault((row.mark, row.owner), []).append(row)
        judged, records = Judged(), list(records)
        self._note_own(records, asked)
        for record in records:
            mark = self._places.mark(record)
            if record.kind == "array" and record.submission == "sent":
                # Its tasks say how it is.
                continue
            found = tasks.rows_of(record, rows.get((mark, record.login), []))
            # What is listed is there, whatever the clocks of then and now say.
            is_known = bool(found) or self._was_there(record, asked)
            if record.submission not in _AT_SLURM or mark in listing.odd or not is_known:
                continue
            if record.submission == "in_doubt":
                self._doubted(record, found, asked, judged)
            else:
                self._sent(record, found, asked, judged)
        return judged

    @staticmethod
    def _was_there(record: JobRecord, asked: Question) -> bool:
        """Return whether the job was there when the question began, so that the answer should speak of it."""
        since = record.queued if record.submission == "sent" else record.sent
        return since is None or since <= asked.began

    def _doubted(self, record: JobRecord, rows: list[Row], asked: Question, judged: Judged) -> None:
        if not rows:
            judged.doubts.append(record)
            return
        if not asked.counts_for(record):
            self._hearsay(record, rows, asked, judged)
            return
        title = self._places.title(record.system)
        # Of several the one that goes on; which of them is the job is found out once they are known.
        first = min(rows, key=lambda row: (row.report.state.is_over, int(row.job_id)))
        judged.changes.append((record, observing.adopted(first.job_id, asked.began, title)))

    def _sent(self, record: JobRecord, rows: list[Row], asked: Question, judged: Judged) -> None:
        seen = self._seen.setdefault(record.job_id, _Seen({record.observed_by} if record.observed_by else set()))
        own = next((row for row in rows if row.job_id == record.native_id), None)
        others = [row for row in rows if row is not own and (record.job_id, row.job_id) not in self._settled]
        if not (own or others) and asked.observer != record.whom and asked.observer not in seen.by:
            if self._is_due(record, asked):
                judged.to_ask.append(record)
            return
        if not asked.counts_for(record) and (others or (own and own.report.state.is_over)):
            self._hearsay(record, rows, asked, judged)
            return
        if seen.heard and asked.began < seen.heard:
            # Another question was put later, and answered before this one.
            return
        seen.heard = asked.began
        if others:
            self._twins(record, rows, asked, judged)
        elif own:
            self._listed(record, own, asked, judged)
        elif seen.missing_since is None:
            seen.missing_since = asked.began
        elif asked.began - seen.missing_since >= ABSENT:
            judged.gone.append(record)

    def _twins(self, record: JobRecord, rows: list[Row], asked: Question, judged: Judged) -> None:
        """Have two or more told apart, which is done in the owner's folder: not each time, while both wait."""
        seen = self._seen[record.job_id]
        seen.missing_since = None
        if said := _news(seen.twins, rows, asked):
            seen.twins = said
            judged.twins.append((record, tuple(rows)))

    def _hearsay(self, record: JobRecord, rows: list[Row], asked: Question, judged: Judged) -> None:
        """Have its owner asked about what could not be taken back: not each time, while the same is said."""
        seen = self._seen.setdefault(record.job_id, _Seen())
        if said := _news(seen.hearsay, rows, asked):
            seen.hearsay = said
            judged.to_ask.append(record)

    def _note_own(self, records: Iterable[JobRecord], asked: Question) -> None:
        """Note what somebody asks about their own jobs: soon again after a change, then less and less often."""
        theirs = (each for each in records if each.whom == asked.observer and each.submission in _AT_SLURM)
        versions = frozenset((each.job_id, each.version) for each in theirs)
        before = self._own.get((asked.system, asked.observer))
        if versions and (before is None or before.began <= asked.began):
            is_same = before is not None and before.versions == versions
            pause = min(before.pause * _GROWTH, AGAIN) if before and is_same else _SOON
            self._own[asked.system, asked.observer] = _Own(asked.began, versions, pause)

    def _is_due(self, record: JobRecord, asked: Question) -> bool:
        """Return whether to ask the owner of a job again, which whoever has asked does not see."""
        own = self._own.get((record.system, record.whom))
        is_known = own is not None and (record.job_id, record.version) in own.versions
        return own is None or not is_known or asked.began - own.began >= own.pause

    def _listed(self, record: JobRecord, row: Row, asked: Question, judged: Judged) -> None:
        seen, report = self._seen[record.job_id], row.report
        seen.by.add(asked.observer)
        seen.listed, seen.missing_since = asked.began, None
        if report.state is JobState.RUNNING:
            seen.ran = asked.began
        if seen.no_news == (report, record.version):
            return
        title = self._places.title(record.system)
        if report.state.is_over:
            end = Ended.of_report(report)
            change = observing.ended(record, end, asked.observer, asked.began, title, self._keep(record))
        else:
            change = observing.seen(record, report, asked.observer, asked.began, title)
        if change:
            judged.changes.append((record, change))
        else:
            seen.no_news = (report, record.version)


def _news(before: _Said | None, rows: Iterable[Row], asked: Question) -> _Said | None:
    """Return what is said of a job now, None if it is what was said lately."""
    said = frozenset((row.job_id, row.report.state) for row in rows)
    is_old = before and before[1] == said and asked.began - before[0] < AGAIN
    return None if is_old else (asked.began, said)
