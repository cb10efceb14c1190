"""Whose tickets another process needs: a list of names beside the tickets."""

import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from . import names

_NAME = ".hold-jobs"  # no user name begins with a dot
_NEW = ".hold-jobs-new"
_MOST_BYTES = 1 << 20  # 30,000 of the longest names
_DAY_SECONDS = 24 * 3600

_log = logging.getLogger(__name__)


class Holds:
    """The people whose tickets are kept though they may have no server and be logged out: a file, a name a line.

    The one process that runs their jobs replaces it whole every minute, and as soon as somebody is added; the hub
    reads it.  A list that was not replaced for a day holds nobody.  `folder` is that of a `TicketReader`; `clock`
    gives epoch seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._written = 0.0
        self._names: frozenset[str] = frozenset()
        self._wrong = ""

    def put(self, users: Iterable[str]) -> None:
        """Hold these people and nobody else.

        On a failure the list before stays as it was.  Raises OSError (disk full).
        """
        lines = "".join(f"{user}\n" for user in sorted(set(filter(names.is_user, users))))
        new = self._folder / _NEW
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(lines)
            new.rename(self._folder / _NAME)
        except OSError:
            new.unlink()
            raise

    def users(self) -> frozenset[str]:
        """Return who is held now; costs one small file read.

        While the list cannot be read, though there is one, whoever was in it the last time is held until that one
        is too old.
        """
        try:
            self._written, self._names = self._read()
            self._wrong = ""
        except FileNotFoundError:
            self._names = frozenset()
        except OSError as error:
            self._tell(str(error))
        # A time to come is as wrong: it would hold for ever.
        return self._names if abs(self._clock() - self._written) < _DAY_SECONDS else frozenset()

    def _read(self) -> tuple[float, frozenset[str]]:
        # O_NONBLOCK: opening a FIFO somebody put there must not wait for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(self._folder / _NAME, flags)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise PermissionError(errno.EPERM, f"{stat.filemode(found.st_mode)} of {found.st_uid}", _NAME)
            with open(fd, "rb", closefd=False) as file:
                return found.st_mtime, _named(file.read(_MOST_BYTES + 1))
        finally:
            os.close(fd)

    def _tell(self, wrong: str) -> None:
        if wrong != self._wrong:
            self._wrong = wrong
            _log.error("Whose tickets are held for jobs cannot be read, so it stays as it was: %s", wrong)


def _named(data: bytes) -> frozenset[str]:
    """Return the users among the lines; half a name at the end of what was read is none."""
    if len(data) > _MOST_BYTES:
        data = data[: data.rfind(b"\n", 0, _MOST_BYTES) + 1]
    return frozenset(filter(names.is_user, data.decode("ascii", "replace").split("\n")))
