"""Run one program at a site as its owner: what is sent, what comes back.  Pure.

The remote command is fixed and means the same to every login shell.  The program and its data travel on
stdin: first the program's length, then the program, then the data.  Its answers stand between markers that
no rc file can know, so what a login shell prints is not part of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kernels.shell import Shell, quote

# Single quotes hold in sh, csh, tcsh and fish; there is no `!` (csh history) and no newline.  `read` takes
# single bytes from a pipe and `head -c` no more than asked, so what follows is left for the program.
REMOTE_COMMAND = """exec /bin/sh -c 'IFS= read -r n && eval "$(head -c "$n")"'"""

_PATH = "/usr/local/bin:/usr/bin:/bin"
_STATUS = re.compile(r"[0-9]{1,3}")


class ConnectionLost(Exception):  # noqa: N818
    """The connection ended before the program did: whether it ran to its end is not known."""


@dataclass(frozen=True)
class Completed:
    """How a program ended, and what it printed."""

    status: int
    stdout: str
    stderr: str


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
    """Return the answer between the markers, in time linear in its length.

    Raises ConnectionLost if the end is missing.  A login shell may have seen the marker and repeat it: what stands
    between the first one and the last counts.
    """
    inner = _between(stdout, f"\n{marker}\n", f"\n{marker} ")
    if inner is None:
        raise ConnectionLost("the answer ended before its marker")
    answer, rest = inner
    status, line_end, _ = rest.partition("\n")
    if not line_end or not _STATUS.fullmatch(status):
        raise ConnectionLost("the answer ended within its marker")
    said = _between(stderr, f"\n{marker}\n", f"\n{marker}\n")
    return Completed(int(status), answer, said[0] if said else "")


def _between(text: str, first: str, last: str) -> tuple[str, str] | None:
    """Return what stands between the first and the last of two markers, and what follows."""
    begin = text.find(first)
    end = text.rfind(last, begin + len(first)) if begin >= 0 else -1
    if end < 0:
        return None
    return text[begin + len(first) : end], text[end + len(last) :]
