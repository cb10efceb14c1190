"""How far a launch is: what was told, the stages that its job reported, the end of its output.  No I/O."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from languages import for_reader
from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner import sentences

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_LONGEST_TEXT = 3000
_SERVER = "starting"
# A job's owner can report as often as they like; what is kept of one launch stays small.
_MOST_REPORTS = 100
_MOST_TEXT = 60_000


@dataclass(frozen=True)
class Stage:
    """What the job did for a while.  Its owner may have written anything into `text`.

    Times are the hub's, in UTC; `ended` is None while it lasts.
    """

    name: str
    text: str
    began: datetime
    ended: datetime | None = None
    failed: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it lasts."""
        return (self.ended - self.began).total_seconds() if self.ended else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, times as seconds since 1970."""
        return {
            "name": self.name,
            "text": self.text,
            "began": self.began.timestamp(),
            "seconds": self.seconds,
            "failed": self.failed,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """Return the stage that `to_json` gave."""
        began, seconds = datetime.fromtimestamp(kept["began"], UTC), kept["seconds"]
        ended = None if seconds is None else began + timedelta(seconds=seconds)
        return cls(kept["name"], kept["text"], began, ended, kept["failed"])

    def __str__(self) -> str:
        """Return one line for people."""
        ended = sentences.STAGE_FAILED if self.failed else sentences.STAGE_DONE
        line = sentences.STAGE_LASTS if self.seconds is None else ended
        return line.format(name=self.name, text=self.text, seconds=self.seconds)


def stage_of(name: Any, text: Any = "") -> tuple[str, str] | None:
    """Return name and text of a stage that a job may report, or None."""
    if isinstance(name, str) and isinstance(text, str) and _NAME.fullmatch(name) and len(text) <= _LONGEST_TEXT:
        return name, "".join(c if c.isprintable() else " " for c in text)
    return None


class Progress:
    """One launch on its way.  Any number of people may watch `events`.

    `begun` is set by the first word of its job, `failing` is done when the job gives up.  `accepted_at` is when
    Slurm had accepted the job, `runs_since` when it was first seen to run: by the hub's clock, in UTC, None before
    and where an earlier hub saw it.  `report` is what Slurm said of it last.
    """

    def __init__(self) -> None:
        self.accepted_at: datetime | None = None
        self.runs_since: datetime | None = None
        self.report = JobReport(JobState.UNKNOWN)
        self.sentences: list[str] = []
        self.stages: list[Stage] = []
        self.notices: list[str] = []
        self.output = ""
        self.begun = asyncio.Event()
        self.failing: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watchers = self._reports = self._length = 0
        self._news = asyncio.Event()

    @classmethod
    def of(cls, stages: Sequence[Mapping[str, Any]]) -> Self:
        """Return the progress of a launch that an earlier hub began, with the stages of its record."""
        progress = cls()
        progress.stages = [Stage.of(each) for each in stages]
        progress.runs_since = progress.stages[0].began if stages else None
        progress._reports = len(stages)
        progress._length = sum(len(stage.text) for stage in progress.stages)
        return progress

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks at it now."""
        return self._watchers > 0

    def tell(self, sentence: str) -> None:
        """Show one more sentence."""
        self.sentences.append(sentence)
        self._changed()

    def accepted(self) -> None:
        """Slurm has accepted the job."""
        self.accepted_at = datetime.now(UTC)
        self._changed()

    def saw(self, report: JobReport) -> None:
        """Show what Slurm says of the job."""
        if self.runs_since is None and report.state in {JobState.RUNNING, JobState.ENDING}:
            self.runs_since = datetime.now(UTC)
        if report != self.report:
            self.report = report
            self._changed()

    def reported(self, name: str, text: str) -> bool:
        """Take note of a stage, or of a notice or a failure, which are none; return whether it was news."""
        self.begun.set()
        if name == "failed":
            if self.failing.done():
                return False
            self._end_stage(failed=True)
            self.failing.set_result(text)
            self.tell(text)
            return True
        self._reports, self._length = self._reports + 1, self._length + len(text)
        if self._reports > _MOST_REPORTS or self._length > _MOST_TEXT:
            return False
        if name == "notice":
            self.notices.append(text)
            self.tell(text)
        else:
            self._end_stage()
            self.stages.append(Stage(name, text, datetime.now(UTC)))
            self.runs_since = self.runs_since or self.stages[0].began
            self.tell(sentences.SERVER_STARTING if name == _SERVER else f"{name}: {text}")
        return True

    def show_output(self, text: str) -> None:
        """Show the end of the job's output."""
        if text != self.output:
            self.output = text
            self._changed()

    def end(self, failed: bool = False) -> None:
        """The server is up, or will not be."""
        self._end_stage(failed)
        self._changed()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield for ever what JupyterHub passes on to a page: sentences in their order, then how things stand.

        How things stand is `{"stages": [Stage.to_json()], "job": {...}, "output": text, "now": seconds since
        1970}`, without a message.  Of the job it has `state`, `reason`, `node`, `submitted`, `begins` and `ends`
        of its JobReport, times as seconds since 1970 or null.
        """
        told = 0
        stood = _NOTHING
        self._watchers += 1
        try:
            while True:
                # Taken before anything is looked at: what happens from here on sets it.
                news = self._news
                while told < len(self.sentences):
                    told += 1
                    yield {"progress": min(95, 12 * told), "message": for_reader(self.sentences[told - 1])}
                stands = self._stands()
                if stands != stood:
                    stood = stands
                    yield {**stands, "now": datetime.now(UTC).timestamp()}
                await news.wait()
        finally:
            self._watchers -= 1

    def _stands(self) -> dict[str, Any]:
        return {
            "stages": [stage.to_json() for stage in self.stages],
            "job": _job(self.report),
            "output": self.output,
        }

    def _end_stage(self, failed: bool = False) -> None:
        if self.stages and self.stages[-1].ended is None:
            self.stages[-1] = replace(self.stages[-1], ended=datetime.now(UTC), failed=failed)

    def _changed(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _job(report: JobReport) -> dict[str, Any]:
    moments = {name: getattr(report, name) for name in ("submitted", "begins", "ends")}
    return {
        "state": report.state.value,
        "reason": report.reason,
        "node": report.node,
        **{name: moment and moment.timestamp() for name, moment in moments.items()},
    }


_NOTHING: dict[str, Any] = {"stages": [], "job": _job(JobReport(JobState.UNKNOWN)), "output": ""}
