"""Jobs of the stand-in for NSG: which form is taken, and how one goes from stage to stage."""

import asyncio
import shlex
import shutil
import time
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from lab.gateways import folders
from lab.gateways.programs import End, Program, Runner
from lab.gateways.settings import NsgSettings

_NUMBERS = (
    "runtime_",
    "number_nodes_",
    "number_cores_",
    "tasks_per_node_",
    "number_gpus_",
    "number_gbmemorypernode_",
)
_TEXTS = ("filename_", "subdirname_", "cmdlineopts_")
_FIRST_DOCUMENT = 29057


@dataclass(frozen=True)
class Form:
    """What was sent but its file; names without `vparam.` and `metadata.`."""

    tool: str
    params: dict[str, str]
    metadata: dict[str, str]
    has_file: bool

    def mistakes(self, settings: NsgSettings) -> list[tuple[str, str]]:
        """Return which parameters are refused, each with why."""
        tool = settings.tools.get(self.tool)
        if tool is None:
            return [("tool", "invalid tool")]
        known = {*_NUMBERS, *_TEXTS}
        wrong = [(name, "Unknown parameter.") for name in self.params if name not in known]
        wrong += [(name, "Must be a number.") for name in _NUMBERS if not _is_number(self.params.get(name, "1"))]
        if not wrong and self.hours > tool.longest_hours:
            wrong.append(("runtime_", f"Must be no more than {tool.longest_hours}."))
        if not self.has_file:
            wrong.append(("infile_", "Parameter is required."))
        try:
            self.command(settings)
        except ValueError:
            wrong.append(("cmdlineopts_", "No closing quotation."))
        return wrong

    @property
    def hours(self) -> float:
        """How long it may run."""
        return float(self.params.get("runtime_", "0.5"))

    def command(self, settings: NsgSettings) -> list[str]:
        """Return what is run in the folder `subdirname_` of what was sent."""
        options = shlex.split(self.params.get("cmdlineopts_", ""))
        return [*settings.tools[self.tool].program, self.params.get("filename_", "input.py"), *options]


def _is_number(text: str) -> bool:
    whole, _, part = text.partition(".")
    digits = whole + part
    return digits.isascii() and digits.isdigit() and len(digits) <= 9


@dataclass(frozen=True)
class Message:
    """What happened to a job, when, and at which stage."""

    moment: float
    stage: str
    text: str


@dataclass
class Job:
    """One job. Its `folder` has `work`, where it runs, and `output`, which is there once it is over."""

    handle: str
    user: str
    application: str
    form: Form
    folder: Path
    submitted: float = field(default_factory=time.time)
    messages: list[Message] = field(default_factory=list)
    is_over: bool = False
    is_failed: bool = False
    """The gateway could not run it; a program that ended with an error is no failure to NSG."""

    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.say("QUEUE", "Added to cipres run queue.")

    @property
    def stage(self) -> str:
        """Where it is."""
        return self.messages[-1].stage

    @property
    def work(self) -> Path:
        """Its working directory."""
        return self.folder / "work"

    @property
    def output(self) -> Path:
        """Its results."""
        return self.folder / "output"

    def say(self, stage: str, text: str) -> None:
        """Go on to a stage."""
        self.messages.append(Message(time.time(), stage, text))

    def start(self, runner: Runner, settings: NsgSettings) -> None:
        """Have it run."""
        self.task = asyncio.create_task(self._run(runner, settings))

    async def cancel(self) -> None:
        """Kill it, if it runs."""
        if self.task:
            self.task.cancel()
            await asyncio.wait([self.task])

    def results(self) -> dict[int, Path]:
        """Return the files that it left, by the numbers of their documents; none before it is over."""
        paths = sorted(self.output.iterdir()) if self.is_over and self.output.is_dir() else []
        return dict(enumerate(paths, _FIRST_DOCUMENT))

    async def _run(self, runner: Runner, settings: NsgSettings) -> None:
        try:
            self.say("COMMANDRENDERING", "Command rendering successful.")
            program = self._staged(settings)
            self.say("INPUTSTAGING", "Input files staged.")
            self.say("SUBMITTED", "Submitted to the queue.")
            end = await runner.run(program, lambda: self.say("SUBMITTED", "Job is running."))
            self.say("LOAD_RESULTS", "Transferring results.")
            self._keep(end)
            self.say("COMPLETED", "Output files retrieved. Task is finished.")
        except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            self.is_failed = True
            self.say(self.stage, f"The job could not be run: {error}")
        self.is_over = True

    def _staged(self, settings: NsgSettings) -> Program:
        """Unpack what was sent, and return what is run there."""
        command = self.form.command(settings)
        if shutil.which(command[0]) is None:
            raise FileNotFoundError(f"there is no {command[0]} here")
        folders.unpack(self.folder / "infile_", self.work, settings.file_bytes)
        folder = folders.within(self.work, self.form.params.get("subdirname_", ""))
        return Program(
            job=self.handle,
            command=command,
            folder=folder,
            stdout=self.work / "stdout.txt",
            stderr=self.work / "stderr.txt",
            seconds=min(settings.longest_seconds, self.form.hours * 3600),
            file_bytes=settings.file_bytes,
        )

    def _keep(self, end: End) -> None:
        """Put results where they are fetched from."""
        self.output.mkdir()
        shutil.copy(self.work / "stdout.txt", self.output / "STDOUT")
        shutil.copy(self.work / "stderr.txt", self.output / "STDERR")
        late = (
            "slurmstepd: error: *** JOB 1 ON node CANCELLED AT now DUE TO TIME LIMIT ***\n" if end.is_late else ""
        )
        (self.output / "_scheduler_stderr.txt").write_text(late)
        (self.output / "done.txt").write_text(f"retval={end.exit_code}\n")
        folders.pack(self.work, self.output / "output.tar.gz")
        shutil.rmtree(self.work)
