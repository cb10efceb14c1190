"""The one error of this package, and how a log's end is put into it."""

from pathlib import Path


class LabError(Exception):
    """Something of the lab did not work; the text says what happened, what to do, and which log to read."""


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, indented, under a line with its name."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        text = ""
    last = text.splitlines()[-lines:] or ["(empty)"]
    return "\n".join([f"Last lines of {log}:", *(f"    {line}" for line in last)])
