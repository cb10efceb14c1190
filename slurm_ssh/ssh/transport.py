"""Run one program at a site as its owner: what is sent, what comes back.  Pure.

The program travels in the remote command, written so that it means the same to every login shell; its data travel
on stdin.  Its answers stand between markers that no start-up file of the shell can know, so what that prints is no
part of them.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from kernels.shell import Shell, quote
from slurm_ssh import sentences

STOOD_IN = 97
"""Exit status of a shell that reads as its commands what is sent for the program's data."""

# In single quotes of sh, csh, tcsh and fish, and in double quotes of sh within them, these stand for themselves.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 #&()*+,-./:;<=>?@[]^_{|}~")
# Less than a packet of any SSH server, a word of any shell, and an argument of any kernel may have.
_LONGEST_COMMAND = 16 * 1024
# Before the data, so that a start-up file that reads a line or some leaves the line that begins them.
_LINES_TO_SPARE = 8

_PATH = "/usr/local/bin:/usr/bin:/bin"
_STATUS = re.compile(r"[0-9]{1,3}")
_UNREAD = "unread"


class ConnectionLost(Exception):  # noqa: N818
    """The connection ended before the program did: whether it ran to its end is not known."""

    sentence = sentences.CONNECTION_LOST


class ProgramKilled(ConnectionLost):
    """The program was ended before it was done, and the connection is up."""

    sentence = sentences.COMMAND_KILLED


class NotBegun(ConnectionLost):
    """The connection ended before the program was given the data that it waits for, so it has not run."""


class SessionRefused(NotBegun):
    """The front end opened no session for the program, which so has not run."""

    sentence = sentences.SESSION_REFUSED


class Late(TimeoutError):  # noqa: N818
    """The program has not ended in time; `heard` is what was heard of its stdout until then."""

    def __init__(self, heard: str = "") -> None:
        self.heard = heard
        super().__init__()


class NotBegunInTime(Late):
    """The program that waits for its data has not begun in time, and does not: its first word ends it."""


class InputTaken(Exception):  # noqa: N818
    """A start-up file of the login shell has read the program's data."""


@dataclass(frozen=True)
class Sent:
    """The remote command that runs a program, and what it finds on its stdin.

    One that `waits` does nothing before that is there.
    """

    command: str
    stdin: bytes
    waits: bool = False


@dataclass(frozen=True)
class Completed:
    """How a program ended, and what it printed."""

    status: int
    stdout: str
    stderr: str


def wrap(program: Shell, data: bytes, environ: Mapping[str, str], marker: str, *, more: bool = False) -> Sent:
    """Return what is sent to run the program with `data` on its stdin, in an emptied environment plus `environ`.

    HOME, USER, SHELL and the delegated ticket's KRB5CCNAME are kept from the login; nothing else is.  All but the
    data can be seen in the front end's list of processes.  If there is to be `more`, further data may follow.
    """
    begin = f"exit {STOOD_IN} #{marker}"
    waits = more or bool(data)
    before = f"exit {STOOD_IN}\n" * _LINES_TO_SPARE + f"{begin}\n"
    command = _command(_text(program, environ, marker, begin if waits else ""))
    if len(command) > _LONGEST_COMMAND:
        text = program.encode()
        # `head -c` takes no more than asked for from a pipe, so what follows is left for the program.
        command = _command(_text(Shell(f'eval "$(head -c {len(text)})"'), environ, marker, begin))
        data, waits = text + data, True
    return Sent(command, before.encode() + data, waits)


def _text(program: Shell, environ: Mapping[str, str], marker: str, begin: str) -> str:
    """Return a program for sh that runs `program` between markers.

    Its stdin is what follows the line `begin`, if one is given: where that does not come, somebody has taken it.
    """
    fixed = {"PATH": _PATH, "LC_ALL": "C", "TZ": "UTC", "SLURM_TIME_FORMAT": "standard", **environ}
    settings = " ".join(f"{name}={quote(value)}" for name, value in fixed.items())
    kept = 'HOME="$HOME" USER="$USER" LOGNAME="$USER" SHELL="$SHELL" ${KRB5CCNAME:+KRB5CCNAME="$KRB5CCNAME"}'
    taken = f"{{ printf '\\n%s {_UNREAD}\\n' {marker}; exit {STOOD_IN}; }}"
    to_begin = f"""l=; until [ "$l" = '{begin}' ]; do IFS= read -r l || {taken}; done"""
    return (
        f"{to_begin if begin else 'exec </dev/null'}\n"
        # A start-up file may have closed stderr.
        f"printf '\\n%s\\n' {marker} || exit; printf '\\n%s\\n' {marker} >&2\n"
        f"env -i {kept} {settings} /bin/sh -c {quote(program)}\n"
        f"s=$?; printf '\\n%s %s\\n' {marker} $s; printf '\\n%s\\n' {marker} >&2; exit $s"
    )


def _command(text: str) -> str:
    """Return a command that runs `text` by sh, on one line and without quotes, `!` and `$` of the text."""
    octal = "".join(chr(byte) if byte in _PLAIN else f"\\0{byte:03o}" for byte in text.encode())
    return f"""exec /bin/sh -c 'eval "$(printf %b "{octal}")"'"""


def unwrap(stdout: str, stderr: str, marker: str) -> Completed:
    """Return the answer between the markers, in time linear in its length.

    Raises ConnectionLost if the end is missing, InputTaken if nothing was left of the program's data.  A login
    shell may have seen the marker and repeat it: what stands between the first one and the last counts.
    """
    inner = _between(stdout, f"\n{marker}\n", f"\n{marker} ")
    if inner is None:
        if f"\n{marker}\n" not in stdout and f"\n{marker} {_UNREAD}\n" in stdout:
            raise InputTaken
        raise ConnectionLost("the answer ended before its marker")
    answer, rest = inner
    said = _between(stderr, f"\n{marker}\n", f"\n{marker}\n")
    return Completed(_status(rest), answer, said[0] if said else "")


def is_whole(stdout: bytearray, marker: str) -> bool:
    """Return whether an answer has come to the end that `unwrap` looks for."""
    last = f"\n{marker} ".encode()
    at = stdout.rfind(last)
    return at >= 0 and b"\n" in stdout[at + len(last) :]


def _status(rest: str) -> int:
    """Return the status in what follows the last marker."""
    status, line_end, _ = rest.partition("\n")
    if not line_end or not _STATUS.fullmatch(status):
        raise ConnectionLost("the answer ended within its marker")
    return int(status)


def _between(text: str, first: str, last: str) -> tuple[str, str] | None:
    """Return what stands between the first and the last of two markers, and what follows."""
    begin = text.find(first)
    end = text.rfind(last, begin + len(first)) if begin >= 0 else -1
    if end < 0:
        return None
    return text[begin + len(first) : end], text[end + len(last) :]


# Python looks for a text the slower, the more of the bytes around have the last six bits of one of its own.  Small
# letters, digits and zeros, of which most files are made, do not have those of these.
_LETTERS = "QVXZ"
_LENGTH = 32
SILENCE_BYTES = 2 * _LENGTH + 8
"""How long the answer of a program that prints nothing may be: two markers in lines of their own, and a status."""


def new_marker() -> str:
    """Return what stands around the answer of one program, and which no other program can know: 64 random bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


class AnswerReader:
    """Reads the stdout of an answer in whatever pieces it comes, as `unwrap` does a whole one, in linear time.

    It keeps only what may be part of a marker or stands outside them, in `kept`, so who feeds it can set a limit.
    """

    def __init__(self, marker: str) -> None:
        self.kept = bytearray()
        self.has_begun = False
        self._has_end = False
        self._first, self._last = f"\n{marker}\n".encode(), f"\n{marker} ".encode()
        self._taken = f"\n{marker} {_UNREAD}\n".encode()

    @property
    def is_whole(self) -> bool:
        """Whether its end has come, behind which only what is not the program's may follow."""
        return self._has_end and b"\n" in self.kept[len(self._last) :]

    def feed(self, piece: bytes) -> bytes:
        """Return what is certain to be the program's and was not returned before, often nothing."""
        if self.has_begun and not self.kept and self._is_plain(piece):
            return piece
        new = self._open_end()
        self.kept += piece
        if not self.has_begun:
            begin = self.kept.find(self._first, new)
            if begin < 0:
                return b""
            del self.kept[: begin + len(self._first)]
            self.has_begun, new = True, 0
        end = self.kept.rfind(self._last, new)
        if end >= 0:
            self._has_end = True
        else:
            end = 0 if self._has_end else self._undecided()
        answer = bytes(self.kept[:end])
        del self.kept[:end]
        return answer

    def status(self) -> int:
        """Return the program's status when all of the answer has been fed.  Raises as `unwrap` does."""
        if self._has_end:
            return _status(self.kept[len(self._last) :].decode("utf-8", "replace"))
        if not self.has_begun and self._taken in self.kept:
            raise InputTaken
        raise ConnectionLost("the answer ended before its marker")

    def _is_plain(self, piece: bytes) -> bool:
        """Return whether nothing of the end's marker is in what comes behind all that was returned."""
        tail = piece[1 - len(self._last) :]
        at = tail.rfind(b"\n")
        return not (at >= 0 and self._last.startswith(tail[at:])) and piece.rfind(self._last) < 0

    def _open_end(self) -> int:
        """Return where in what is kept the last marker may begin that has not come whole; both are as long."""
        return max(0, len(self.kept) + 1 - len(self._last))

    def _undecided(self) -> int:
        """Return from where on what is kept may be the beginning of the end's marker, which has one line end."""
        at = self.kept.rfind(b"\n", self._open_end())
        return at if at >= 0 and self._last.startswith(self.kept[at:]) else len(self.kept)


def last_words(stderr: str, marker: str) -> str:
    """Return what a program said on stderr, of which the beginning may have been cut off, marker and all."""
    said = stderr.rpartition(f"\n{marker}\n")[0]
    _, first, rest = said.partition(f"\n{marker}\n")
    return rest if first else said
