"""Commands whose start is interrupted, or whose output goes nowhere: each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.folders import TREE

# Whether it is heard at once is the kernel's affair.
_SHIM = """import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(60)
"""


def of_interrupt(entry: str, tmp_path: Path) -> tuple[int, str]:
    """Return status and all output of an entry point that Ctrl-C meets when it begins to load libraries."""
    # Each of our commands loads it, and as good as nothing before it.
    (tmp_path / "typer.py").write_text(_SHIM, encoding="utf-8")
    ran = _run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {entry}", "--help 2>&1", subprocess.PIPE, {})
    return ran.returncode, ran.stdout


def of_redirected(entry: str, line: str, **environ: str) -> tuple[int, str]:
    """Return status and standard error of an entry point; a shell has read what is behind it, as `>/dev/full`."""
    ran = _run(entry, line, subprocess.PIPE, environ)
    return ran.returncode, ran.stderr


def of_left_alone(entry: str, line: str, **environ: str) -> tuple[int, str]:
    """Return the same of one whose output goes into a pipe from which nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = _run(entry, line, writer, environ)
    finally:
        os.close(writer)
    return ran.returncode, ran.stderr


def _run(entry: str, line: str, stdout: int, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{TREE}:{TREE / 'job_client'}"
    return subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {line}', sys.executable, entry],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=TREE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "LC_ALL": "C.UTF-8", **environ},
    )
