"""Run a program with a time limit, so that nothing of it is left when it, or the job, ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Dict, List

from kernels.jobside.telling import Failure

GRACE_SECONDS = 2.0


class Ending:
    """Makes SIGTERM end the program in order: as SystemExit, but never while a child is being started.

    A child that is started but not known yet would be left running.
    """

    def __init__(self) -> None:
        self._is_held = False
        self._number = 0

    def install(self) -> None:
        """Take SIGTERM from here on."""
        signal.signal(signal.SIGTERM, self._take)

    def start(self, command: List[str], environ: Dict[str, str]) -> subprocess.Popen:
        """Start a child in a process group of its own, its output in the job's log."""
        self._is_held = True
        try:
            return subprocess.Popen(
                command, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
            )
        finally:
            self._is_held = False

    def check(self) -> None:
        """End now if a signal came while a child was being started."""
        if self._number:
            sys.exit(128 + self._number)

    def _take(self, number: int, _frame: object) -> None:
        self._number = number
        if not self._is_held:
            self.check()


ending = Ending()


def run(command: List[str], environ: Dict[str, str], end: float, limit: str) -> int:
    """Run a command, its output in the job's log, and return its status; `end` is a time.monotonic().

    Raises Failure when the time is over, which `limit` says in words.
    """
    child = ending.start(command, environ)
    try:
        ending.check()
        return child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Failure("it took longer than %s and was stopped" % limit) from None
    finally:
        end_group(child)


def end_group(child: subprocess.Popen) -> None:
    """End a child and whatever it has left running."""
    signalled = signal_group(child, signal.SIGTERM)
    if child.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    if signalled:
        signal_group(child, signal.SIGKILL)
    child.wait()


def signal_group(child: subprocess.Popen, number: int) -> bool:
    """Send a signal to the child's process group; return whether there was one."""
    try:
        os.killpg(child.pid, number)
    except OSError:
        return False
    return True
