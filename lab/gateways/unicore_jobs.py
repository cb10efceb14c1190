"""Jobs of the stand-in for UNICORE: what was asked for, and what became of it.

The words are those of the REST API's "job description" and "job properties".
"""

import asyncio
import re
import shlex
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lab.gateways.programs import End, Program, Runner
from lab.gateways.settings import UnicoreSettings

_UNIT_SECONDS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class Status(StrEnum):
    """What a job may be at here; a real server knows STAGINGIN, STAGINGOUT and UNDEFINED besides."""

    READY = "READY"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"


class Resources(BaseModel):
    """What a job asks for; what is not named here is taken and left alone."""

    model_config = ConfigDict(extra="allow", frozen=True)

    seconds: float | None = Field(default=None, alias="Runtime")
    queue: str = Field(default="N/A", alias="Queue")

    @field_validator("seconds", mode="before")
    @classmethod
    def _in_seconds(cls, value: Any) -> float:
        found = re.fullmatch(r"(\d{1,9})\s*([a-z]*)", str(value).strip())
        if not found or found[2] not in _UNIT_SECONDS:
            raise ValueError(f"Runtime {str(value)[:40]!r} is no time")
        return float(found[1]) * _UNIT_SECONDS[found[2]]


class Description(BaseModel):
    """A job as it was sent; elements that are not named here are taken and left alone."""

    model_config = ConfigDict(extra="allow", frozen=True)

    executable: str = Field(alias="Executable", min_length=1, max_length=100_000)
    arguments: list[str] = Field(default=[], alias="Arguments", max_length=10_000)
    environment: dict[str, str] = Field(default={}, alias="Environment")
    resources: Resources = Field(default=Resources(), alias="Resources")
    name: str = Field(default="N/A", alias="Name")
    tags: list[str] = Field(default=[], alias="Tags", max_length=100)
    stdin: str = Field(default="", alias="Stdin")
    stdout: str = Field(default="stdout", alias="Stdout")
    stderr: str = Field(default="stderr", alias="Stderr")
    ignores_exit_code: bool = Field(default=False, alias="IgnoreNonZeroExitCode")
    waits_for_files: bool = Field(default=False, alias="haveClientStageIn")
    """Nothing runs before `start`."""

    @field_validator("environment", mode="before")
    @classmethod
    def _as_map(cls, value: Any) -> Any:
        """Take the list of `NAME=VALUE`, which the text of the manual has, and the map of its table."""
        if isinstance(value, list):
            return dict(str(line).partition("=")[::2] for line in value)
        return value

    def script(self) -> str:
        """Return what is run: the executable is a command line, variables in arguments are expanded."""
        quoted = ['"' + re.sub(r'(["\\`])', r"\\\1", argument) + '"' for argument in self.arguments]
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()]
        command = " ".join([self.executable, *quoted])
        return "\n".join(["#!/bin/bash", *lines, command, "echo $? >UNICORE_SCRIPT_EXIT_CODE", ""])


@dataclass
class Job:
    """One job; its folder is its working directory."""

    id: str
    owner: str
    description: Description
    folder: Path
    status: Status = Status.READY
    message: str = ""
    exit_code: int | None = None
    submitted: float = field(default_factory=time.time)
    tags: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.status in {Status.SUCCESSFUL, Status.FAILED}

    def say(self, status: Status, message: str = "") -> None:
        """Go on to a status."""
        self.status, self.message = status, message
        self.log.append(f"{moment(time.time())}: Status set to {status}. {message}".rstrip())

    def start(self, runner: Runner, settings: UnicoreSettings) -> None:
        """Have it run, unless it does or did."""
        if self.status is not Status.READY:
            return
        self.say(Status.QUEUED)
        self.task = asyncio.create_task(self._run(runner, settings))

    async def abort(self) -> None:
        """Kill it, unless it is over."""
        if self.is_over:
            return
        if self.task:
            self.task.cancel()
            await asyncio.wait([self.task])
        if not self.is_over:
            self.say(Status.FAILED, "Job was aborted by the user.")

    async def _run(self, runner: Runner, settings: UnicoreSettings) -> None:
        try:
            end = await runner.run(self._program(settings), lambda: self.say(Status.RUNNING))
        except OSError as error:
            self.say(Status.FAILED, f"The job could not be started: {error.strerror}.")
            return
        self._conclude(end)

    def _program(self, settings: UnicoreSettings) -> Program:
        script = self.folder / f"UNICORE_Job_{int(self.submitted * 1000)}"
        script.write_text(self.description.script())
        asked = self.description.resources.seconds
        return Program(
            job=self.id,
            command=["/bin/bash", str(script)],
            folder=self.folder,
            stdin=self.folder / self.description.stdin if self.description.stdin else Path("/dev/null"),
            stdout=self.folder / self.description.stdout,
            stderr=self.folder / self.description.stderr,
            seconds=min(settings.longest_seconds, asked or settings.longest_seconds),
            file_bytes=settings.file_bytes,
        )

    def _conclude(self, end: End) -> None:
        if end.is_late:
            self.say(Status.FAILED, "Job exceeded its runtime.")
            return
        self.exit_code = self._written_code(end.exit_code)
        if self.exit_code == 0 or self.description.ignores_exit_code:
            self.say(Status.SUCCESSFUL)
        else:
            self.say(Status.FAILED, f"Exit code {self.exit_code}.")

    def _written_code(self, of_script: int) -> int:
        """Return what the script wrote; of one that `exit` or a signal ended, how it ended itself."""
        try:
            return int((self.folder / "UNICORE_SCRIPT_EXIT_CODE").read_text())
        except (OSError, ValueError):
            return of_script


def moment(seconds: float) -> str:
    """Return a time as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(seconds))
