"""Count the processes that a job starts: in a pid namespace of its own their numbers are consecutive."""

import os
import shutil
import subprocess
from pathlib import Path

_HEADS_OFF = () if os.geteuid() == 0 else ("--map-root-user",)
_ALONE = ("unshare", *_HEADS_OFF, "--pid", "--fork", "--kill-child", "--mount-proc")


def can_be_counted() -> bool:
    """Return whether this machine lets us have a pid namespace."""
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode
    )


def alone(script: Path) -> list[str]:
    """Return the command that runs a bash script as process 1 of a namespace.

    So the n-th program that it starts, itself or by others, sees the number n + 1 as its own.
    """
    return [*_ALONE, "bash", str(script)]
