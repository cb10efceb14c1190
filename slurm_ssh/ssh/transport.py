"""Run one program at a site as its owner: what is sent, what comes back.  Pure, but for the Protocol.

The remote command is fixed and means the same to every login shell.  The program and its data travel on
stdin: first the program's length, then the program, then the data.  Its answers stand between markers that
no rc file can know, so what a login shell prints is not part of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kernels.shell import Shell, quote

# Single quotes hold in sh, csh, tcsh and fish; there is no `!` (csh history) and no newline.  `read` takes
# single bytes from a pipe and `head -c` no more than asked, so what follows is left for the program.
REMOTE_COMMAND = """exec /bin/sh -c 'IFS= read -r n && eval "$(head -c "$n")"'"""

_PATH = "/usr/local/bin:/usr/bin:/bin"


class ConnectionLost(Exception):  # noqa: N818
    """The connection ended before the program did: whether it ran to its end is not known."""


@dataclass(frozen=True)
class Completed:
    """How a program ended, and what it printed."""

    status: int
    stdout: str
    stderr: str


class Transport(Protocol):
    """Somewhere programs run as one owner at one site."""

    async def run(
        self, program: Shell, data: bytes = b"", *, environ: Mapping[str, str], timeout_seconds: float
    ) -> Completed:
        """Run a shell program with `data` on its stdin, in an emptied environment plus `environ`.

        Raises ConnectionLost, or TimeoutError after `timeout_seconds`.
        """


def wrap(program: Shell, data: bytes, environ: Mapping[str, str], marker: str) -> bytes:
    """Return what goes to the stdin of REMOTE_COMMAND.

    HOME, USER, SHELL and the delegated ticket's KRB5CCNAME are kept from the login; nothing else is.
    """
    fixed = {"PATH": _PATH, "LC_ALL": "C", "TZ": "UTC", "SLURM_TIME_FORMAT": "standard", **environ}
    settings = " ".join(f"{name}={quote(value)}" for name, value in fixed.items())
    kept = 'HOME="$HOME" USER="$USER" LOGNAME="$USER" SHELL="$SHELL" ${KRB5CCNAME:+KRB5CCNAME="$KRB5CCNAME"}'
    text = (
        f"printf '\\n%s\\n' {marker}; printf '\\n%s\\n' {marker} >&2\n"
        f"env -i {kept} {settings} /bin/sh -c {quote(program)}\n"
        f"s=$?; printf '\\n%s %s\\n' {marker} $s; printf '\\n%s\\n' {marker} >&2; exit $s\n"
    ).encode()
    return b"%d\n" % len(text) + text + data


def unwrap(stdout: str, stderr: str, marker: str) -> Completed:
    """Return the answer between the markers.  Raises ConnectionLost if the end is missing."""
    inner = re.search(rf"\n{marker}\n(.*)\n{marker} ([0-9]+)\n", stdout, re.DOTALL)
    if not inner:
        raise ConnectionLost("the answer ended before its marker")
    said = re.search(rf"\n{marker}\n(.*)\n{marker}\n", stderr, re.DOTALL)
    return Completed(int(inner[2]), inner[1], said[1] if said else "")
