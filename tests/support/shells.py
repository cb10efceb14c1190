"""Run text in real shells of this machine."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a program ended; the output is bytes, because tests compare it byte by byte."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def lines(self) -> list[str]:
        """The lines of its standard output."""
        return self.stdout.decode().splitlines()


def run(
    command: list[str], data: bytes = b"", environ: Mapping[str, str] | None = None, cwd: str | None = None
) -> Ended:
    """Run a command to its end, with `data` on its stdin and only `environ` and PATH in its environment."""
    done = subprocess.run(
        command,
        input=data,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", **(environ or {})},
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def bash(text: str, environ: Mapping[str, str] | None = None) -> Ended:
    """Run text as a bash script, without any rc file."""
    return run(["bash", "--norc", "--noprofile", "-s"], text.encode("utf-8", "surrogateescape"), environ)
