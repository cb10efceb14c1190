"""The Unix socket between a hub and its tunnel daemon: who is on the other side, and where it lies."""

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
import struct
from pathlib import Path

from slurm_ssh.sentences import tunnels as sentences

_CLOSE_SECONDS = 1.0

_CREDENTIALS = struct.Struct("3i")


def is_ours(writer: asyncio.StreamWriter) -> bool:
    """Return whether the process at the other end has this process's own uid, or is root's."""
    ends: socket.socket = writer.get_extra_info("socket")
    _, uid, _ = _CREDENTIALS.unpack(ends.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return uid in {0, os.geteuid()}


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, once what was written is sent; one that does not take it is cut."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
    writer.transport.abort()


def bound(path: Path) -> tuple[socket.socket, int]:
    """Return a socket of mode 0600 at `path`, and a descriptor that keeps others from its folder while it is open.

    The folder is made if missing.  Raises ValueError with a sentence if it is not private to this account, or if
    another daemon uses it; OSError if the socket cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise ValueError(sentences.TUNNELS_FOLDER_OPEN.format(folder=path.parent))
        try:
            # On the folder itself: a lock file could be removed.
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(sentences.TUNNELS_RUN_ALREADY.format(path=path)) from error
        # What an earlier daemon has left.
        path.unlink(missing_ok=True)
        return _bound(path), folder
    except BaseException:
        os.close(folder)
        raise


def remove(path: Path, folder: int) -> None:
    """Undo `bound`."""
    path.unlink(missing_ok=True)
    os.close(folder)


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener
