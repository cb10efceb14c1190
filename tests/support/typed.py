"""A command on a terminal, where somebody types answers as they are asked for.

Run as a program, for the terminals of another host, it reads both from stdin and prints the result, as JSON.
"""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence


def typed(command: Sequence[str], answers: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run a command on a terminal of its own; return its exit code and what stands on the terminal in the end.

    Each of the `answers` is typed once its question is there, in order: programs drop what is typed before.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    said, seen, waiting = "", 0, list(answers)
    try:
        while printed := _read(ours):
            said += printed.decode(errors="replace")
            if waiting and waiting[0][0] in said[seen:]:
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
                seen = len(said)
    finally:
        os.close(ours)
    return process.wait(), said.replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """Return what is printed next; b"" once nobody has the terminal open any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    json.dump(typed(*json.load(sys.stdin)), sys.stdout)
