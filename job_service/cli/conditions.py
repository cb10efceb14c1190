"""What must hold before the service starts: its environment, its token, its folder; if not, a sentence."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from job_service.sentences import serving as sentences

TOKEN = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - the name of a variable
_MOST_BYTES = 4096


class CannotStart(Exception):  # noqa: N818
    """The service must not start, or what was asked cannot be done; the text is a sentence for an admin."""


def check_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Raise CannotStart if a ticket of this process's own could stand in for people's."""
    if "KRB5CCNAME" in environ:
        raise CannotStart(sentences.CCACHE_IS_SET)


def token(file: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Return the API token of the service: that of the environment, or of a file that is this account's alone.

    Raises CannotStart if there is none.
    """
    if given := environ.get(TOKEN, "").strip():
        return given
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:  # noqa: PTH123
            found = os.fstat(opened.fileno())
            if not _is_private(found):
                raise CannotStart(sentences.TOKEN_OPEN.format(path=file, uid=os.geteuid()))
            text = opened.read(_MOST_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise CannotStart(sentences.TOKEN_UNREADABLE.format(path=file, reason=error.strerror)) from error
    if not text:
        raise CannotStart(sentences.NO_TOKEN.format(path=file))
    return text


def _is_private(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


@contextmanager
def run_folder(path: Path) -> Iterator[None]:
    """Have a folder, which must be this account's alone, for this process alone for the length of a block.

    It is made if only itself is missing.  Raises CannotStart.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        if not _is_private(os.fstat(folder)):
            raise CannotStart(sentences.RUN_FOLDER_OPEN.format(path=path, uid=os.geteuid()))
        try:
            # On the folder itself: a lock file could be removed.
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                raise CannotStart(sentences.TAKEN.format(path=path)) from error
            raise _unusable(path, error) from error
        yield
    finally:
        os.close(folder)


def _unusable(path: Path, error: OSError) -> CannotStart:
    return CannotStart(sentences.NO_RUN_FOLDER.format(path=path, reason=error.strerror, uid=os.geteuid()))
