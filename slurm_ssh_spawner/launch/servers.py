"""A person's servers as a page shows them: what JupyterHub has, what records and Slurm say of it.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh.jobs.waiting import why_waits
from slurm_ssh_spawner.launch.asked import Asked, asked
from slurm_ssh_spawner.launch.endings import time_was_up, why_ended
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stand import At, at
from slurm_ssh_spawner.launch.records.stops import OWNER, Reader

TOLD_FOR = timedelta(days=7)
"""How long an end is shown."""

LITTLE_MINUTES = 15
"""So much time left is little."""

_UNKNOWN = JobReport(JobState.UNKNOWN)
_MINUTE = timedelta(minutes=1)


class State(StrEnum):
    """What a server is at, the most urgent first."""

    RUNNING = "running"
    WAITING = "waiting"
    STARTING = "starting"
    STOPPING = "stopping"
    STOP_OWED = "stop-owed"
    FAILED = "failed"
    ENDED = "ended"
    OFF = "off"
    """It does not run, and nothing is known of an end."""


class Phase(StrEnum):
    """What JupyterHub does with a server."""

    UP = "up"
    STARTING = "starting"
    STOPPING = "stopping"
    OFF = "off"


@dataclass(frozen=True)
class Known:
    """A server as JupyterHub has it; `last_used` is in UTC, None if that was never told.

    `launch_id` is the launch of the start under way, None while the gate looks at what was chosen.
    """

    name: str
    title: str
    phase: Phase
    last_used: datetime | None = None
    launch_id: LaunchId | None = None


@dataclass(frozen=True)
class ServerView:
    """One server, or an earlier launch of it whose stop is owed.  Times are in UTC, None where nothing is known.

    `record` is its last launch, None if there is none that is told of; `report` is what Slurm said of it last.
    `unreachable_since` is set while its site does not answer.  `why` is the sentence that says why it ended.
    """

    name: str
    title: str
    state: State
    now: datetime
    record: LaunchRecord | None = None
    asked: Asked = field(default_factory=lambda: Asked("", ""))
    report: JobReport = _UNKNOWN
    why: str = ""
    last_used: datetime | None = None
    unreachable_since: datetime | None = None
    phase: Phase = Phase.OFF

    @property
    def is_jupyterhubs(self) -> bool:
        """Whether JupyterHub does something with it: without that there is no progress of it."""
        return self.phase is not Phase.OFF

    @property
    def is_left_alone(self) -> bool:
        """Whether its launch goes on without a server of JupyterHub, and nobody has asked for its end."""
        return not self.is_jupyterhubs and self.record is not None and self.record.is_open

    @property
    def node(self) -> str:
        """The first node of the job, "" if that is not known."""
        return self.report.node or (self.record.node if self.record else "")

    @property
    def why_waits(self) -> str:
        """Why its job waits in the queue, "" if it does not."""
        return why_waits(self.report.reason, self.asked.site) if self.state is State.WAITING else ""

    @property
    def begins(self) -> datetime | None:
        """When its site expects the job to begin, None if that is not known or was expected before now."""
        begins = self.report.begins
        return begins if self.state is State.WAITING and begins and begins > self.now else None

    @property
    def key(self) -> str:
        """What tells it apart from a person's other servers and owed stops on a page; without a colon."""
        if self.state is State.STOP_OWED and self.record:
            return f"launch-{self.record.launch_id}"
        return f"server-{quote(self.name, safe='')}" if self.name else "default-server"

    @property
    def is_heard_of(self) -> bool:
        """Whether it was used or has reported since its site does not answer, so that its job is known to run."""
        away = self.unreachable_since
        return away is not None and self.last_used is not None and self.last_used > away

    @property
    def minutes_left(self) -> int | None:
        """The minutes until the job's time is up."""
        if self.report.ends is None:
            return None
        return max(0, (self.report.ends - self.now) // _MINUTE)

    @property
    def is_little(self) -> bool:
        """Whether little of the time is left."""
        return self.minutes_left is not None and self.minutes_left <= LITTLE_MINUTES

    @property
    def minutes_since(self) -> int:
        """The minutes since its launch has begun or, if it is over, has ended."""
        if self.record is None:
            return 0
        return (self.now - (self.record.ended or self.record.begun)) // _MINUTE

    @property
    def time_was_up(self) -> bool:
        """Whether it ended because its time was up."""
        return self.state is State.ENDED and self.record is not None and time_was_up(self.record.end_reason)

    @property
    def again(self) -> Mapping[str, str]:
        """The choices that start it again, as the form sends them; none if that is not known."""
        return self.record.again if self.record else {}


@dataclass(frozen=True)
class Facts:
    """What is known besides records: the catalogue, Slurm's reports by launch, since when sites do not answer.

    `reader` is who is told.
    """

    catalogue: Catalogue
    reports: Mapping[LaunchId, JobReport] = field(default_factory=dict)
    unreachable: Mapping[str, datetime] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    reader: Reader = OWNER


def servers(known: Sequence[Known], records: Sequence[LaunchRecord], facts: Facts) -> tuple[ServerView, ...]:
    """Return a person's servers, the most urgent first; `records` are their launches, the newest first.

    Launches that go on without a server, and those whose stop is owed, are among them.
    """
    newest: dict[str, LaunchRecord] = {}
    for record in records:
        newest.setdefault(record.server, record)
    titles = {each.name: each.title for each in known}
    views = [_view(each, newest.get(each.name), facts) for each in known]
    shown = {view.record.launch_id for view in views if view.record}
    views += [
        _of_record(Known(record.server, titles.get(record.server, record.server), Phase.OFF), record, facts)
        for record in records
        if record.ended is None
        and record.launch_id not in shown
        and (record.stop_wanted or (record.server not in titles and record is newest[record.server]))
    ]
    order = list(State)
    return tuple(sorted(views, key=lambda view: (order.index(view.state), view.minutes_since)))


def is_worth_a_card(view: ServerView) -> bool:
    """Return whether there is anything to tell: of a default server that was never started there is not."""
    return bool(view.name) or view.state is not State.OFF


def _view(known: Known, record: LaunchRecord | None, facts: Facts) -> ServerView:
    if known.phase is Phase.OFF and (record is None or _is_old(record, facts.now)):
        return ServerView(known.name, known.title, State.OFF, facts.now, last_used=known.last_used)
    if record is not None and known.phase is Phase.STARTING and record.launch_id != known.launch_id:
        # What was before is no part of the start that was just asked for.
        record = None
    if record is None:
        state = State.RUNNING if known.phase is Phase.UP else State(known.phase)
        return ServerView(known.name, known.title, state, facts.now, last_used=known.last_used, phase=known.phase)
    return _of_record(known, record, facts)


def _of_record(known: Known, record: LaunchRecord, facts: Facts) -> ServerView:
    report = facts.reports.get(record.launch_id, _UNKNOWN)
    what = asked(facts.catalogue, record)
    return ServerView(
        name=known.name,
        title=known.title,
        state=_state(known.phase, record, report),
        now=facts.now,
        record=record,
        asked=what,
        report=report,
        why=why_ended(record, what.site, facts.reader) if record.ended else "",
        last_used=known.last_used,
        unreachable_since=facts.unreachable.get(record.site_key),
        phase=known.phase,
    )


def _state(phase: Phase, record: LaunchRecord, report: JobReport) -> State:
    if phase is Phase.UP:
        # JupyterHub hears of an end later than we do.
        return State.STOPPING if report.state.is_over or report.state is JobState.ENDING else State.RUNNING
    if phase is Phase.STOPPING:
        return State.STOPPING
    now = at(record, report)
    if now is At.WAITING or (phase is Phase.OFF and now is not At.RUNNING):
        return State(now)
    # One that goes on without a server of JupyterHub is about to get one.
    return State.STARTING


def _is_old(record: LaunchRecord, now: datetime) -> bool:
    return record.ended is not None and record.ended < now - TOLD_FOR
