"""A start as a page shows it: on its way, or why it came to nothing.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from languages import for_reader
from slurm_ssh_spawner.launch import forecast
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.elsewhere import Elsewhere
from slurm_ssh_spawner.launch.servers import ServerView, State
from slurm_ssh_spawner.launch.steps import Step, StepState
from slurm_ssh_spawner.sentences import labels

_HOUR, _MINUTE = 3600, 60


@dataclass(frozen=True)
class Failure:
    """Why a start came to nothing: a sentence, whose fault it is ("" if that is open), and what was said.

    `log_path` is the job's log at its site, "" if there is none.
    """

    sentence: str
    fault: str = ""
    log: str = ""
    log_path: str = ""


@dataclass(frozen=True)
class StartView:
    """One start of a user.

    `told` are the sentences about it, the oldest first, `lines` its stages; `output` is the end of the job's log.
    Its owner may have it waited for until `may_wait_until`, None if no longer than it is.
    `before` is how many jobs are before its own in the queue, None where that is not known.
    `started` is when JupyterHub began it, "" if that is not known: another value is another start.
    """

    user: str
    server: ServerView
    steps: tuple[Step, ...] = ()
    told: tuple[str, ...] = ()
    output: str = ""
    elsewhere: Elsewhere | None = None
    failure: Failure | None = None
    started: str = ""
    lines: tuple[str, ...] = ()
    may_wait_until: datetime | None = None
    before: int | None = None

    @property
    def minutes_longer(self) -> int:
        """By how many minutes the moment may be moved until which it is waited for, 0 if not at all."""
        waits_until = self.server.record.wait_until if self.server.record else None
        if self.may_wait_until is None or waits_until is None:
            return 0
        return (self.may_wait_until - waits_until) // timedelta(minutes=1)

    @property
    def waits(self) -> bool:
        """Whether its job waits in the queue."""
        return self.server.state is State.WAITING

    @property
    def why(self) -> str:
        """Why it waits, "" if it does not."""
        return self.server.why_waits

    @property
    def step(self) -> Step | None:
        """The step that is under way."""
        return next((step for step in self.steps if step.state is StepState.NOW), None)

    @property
    def headline(self) -> str:
        """What is going on, in a few words."""
        if self.waits:
            return labels.WAITING_FOR_NODE
        return self.step.text if self.step else labels.ALMOST_READY

    @property
    def begins(self) -> datetime | None:
        """When its site expects the job to begin, None if that is not known or was expected before now."""
        return self.server.begins

    @property
    def place(self) -> str:
        """How many jobs are before its own, as a sentence, "" if that is not known."""
        return "" if self.before is None else forecast.before(self.before)

    @property
    def page_title(self) -> str:
        """What the browser's tab says."""
        if self.failure:
            return labels.TITLE_FAILED.format(server=self.server.title)
        title = labels.TITLE_WAITING if self.waits else labels.TITLE_STARTING
        return title.format(server=self.server.title, time=lasting(self.server.minutes_since))

    @property
    def report(self) -> str:
        """All of a failure, as text for somebody who helps."""
        record, failure = self.server.record, self.failure
        head = [labels.REPORT_SERVER.format(server=self.server.title)]
        if record:
            what = {"profile": record.profile_key, "site": record.site_key, "job": record.job_id or "-"}
            head.append(labels.REPORT_LAUNCH.format(launch=record.launch_id, user=record.user, **what))
            head.append(", ".join(f"{name}={value}" for name, value in record.choices.items()))
            head.append(f"{record.begun:%Y-%m-%d %H:%M:%S} UTC")
        said = [for_reader(failure.sentence), failure.log_path, failure.log] if failure else []
        return "\n".join(line for line in (*head, "", *said) if line is not None)


def took(seconds: float) -> str:
    """Return how long a step took, for people: "0.3 s", "14 s", "12:04"."""
    if seconds < 10:
        return labels.SECONDS.format(seconds=f"{seconds:.1f}")
    return labels.SECONDS.format(seconds=f"{seconds:.0f}") if seconds < _MINUTE else ticking(seconds)


def ticking(seconds: float) -> str:
    """Return how long a step lasts already: "0:05", "1:02:04"."""
    minutes, rest = divmod(int(max(0, seconds)), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
