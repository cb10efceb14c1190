"""How far a launch is: what was told, the stages that its job reported, the end of its output.  No I/O."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

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
        return line.format(began=self.began, name=self.name, text=self.text, seconds=self.seconds)


def stage_of(name: Any, text: Any = "") -> tuple[str, str] | None:
    """Return name and text of a stage that a job may report, or None."""
    if isinstance(name, str) and isinstance(text, str) and _NAME.fullmatch(name) and len(text) <= _LONGEST_TEXT:
        return name, "".join(c if c.isprintable() else " " for c in text)
    return None


class Progress:
    """One launch on its way.  Any number of people may watch `events`.

    `begun` is set by the first word of its job, `failing` is done when the job gives up.
    """

    def __init__(self) -> None:
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

        How things stand is `{"stages": [Stage.to_json()], "output": text, "now": seconds since 1970}`, without a
        message.
        """
        told = 0
        stood: dict[str, Any] = {"stages": [], "output": ""}
        self._watchers += 1
        try:
            while True:
                # Taken before anything is looked at: what happens from here on sets it.
                news = self._news
                while told < len(self.sentences):
                    told += 1
                    yield {"progress": min(95, 12 * told), "message": self.sentences[told - 1]}
                stands = {"stages": [stage.to_json() for stage in self.stages], "output": self.output}
                if stands != stood:
                    stood = stands
                    yield {**stands, "now": datetime.now(UTC).timestamp()}
                await news.wait()
        finally:
            self._watchers -= 1

    def _end_stage(self, failed: bool = False) -> None:
        if self.stages and self.stages[-1].ended is None:
            self.stages[-1] = replace(self.stages[-1], ended=datetime.now(UTC), failed=failed)

    def _changed(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
