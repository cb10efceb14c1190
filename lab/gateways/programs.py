"""What a job runs: a program in a folder of its own, bounded, of which nothing is left at its end."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_MARK = "GATEWAY_JOB"
_MEMORY_BYTES = 8 << 30


@dataclass(frozen=True)
class Program:
    """A command with all that it is given."""

    job: str
    command: list[str]
    folder: Path
    """It begins here."""

    stdout: Path
    stderr: Path
    seconds: float
    file_bytes: int
    environ: dict[str, str] = field(default_factory=dict)
    stdin: Path = Path("/dev/null")


@dataclass(frozen=True)
class End:
    """How a program ended; that of a signal is 128 and its number, as in a shell."""

    exit_code: int
    is_late: bool = False
    """Whether it was killed because its time was over."""


class Runner:
    """Runs programs, only so many at a time."""

    def __init__(self, slots: int) -> None:
        self._slots = asyncio.Semaphore(slots)

    async def run(self, program: Program, began: Callable[[], None]) -> End:
        """Wait for a slot, call `began`, run it to its end. Cancelled, it kills the program first."""
        async with self._slots:
            began()
            return await _run(program)


async def _run(program: Program) -> End:
    bounds = [f"--fsize={program.file_bytes}", f"--as={_MEMORY_BYTES}", "--core=0"]
    with ExitStack() as stack:
        stdin, stdout, stderr = _opened(program, stack)
        process = await asyncio.create_subprocess_exec(
            "prlimit",
            *bounds,
            "--",
            *program.command,
            cwd=program.folder,
            env=_environ(program),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(program.seconds):
            code = await process.wait()
        return End(code if code >= 0 else 128 - code)
    except TimeoutError:
        return End(128 + signal.SIGKILL, is_late=True)
    finally:
        _kill_all(process.pid, program.job)
        await process.wait()


def _opened(program: Program, stack: ExitStack) -> Iterable[int]:
    files = (program.stdin.open("rb"), program.stdout.open("wb"), program.stderr.open("wb"))
    return [stack.enter_context(file).fileno() for file in files]


def _environ(program: Program) -> dict[str, str]:
    plain = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(program.folder), "LANG": "C.UTF-8"}
    return plain | program.environ | {_MARK: program.job}


def _kill_all(group: int, job: str) -> None:
    """Kill what the program began: its group, and who left it, whom the environment gives away."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(_MARK) == job:
                process.kill()
