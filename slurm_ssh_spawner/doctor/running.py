"""What is known of the hub's own process, if it runs and is this account's: environment, limits, umask."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from slurm_ssh_spawner.doctor.listening import listeners

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_UMASK = re.compile(r"^Umask:\s+([0-7]{1,4})$", re.MULTILINE)
_MAX_FILES = re.compile(r"^Max open files\s+\S+\s+(\d+|unlimited)", re.MULTILINE)


@dataclass(frozen=True)
class Running:
    """A hub that runs.  `most_files` is how many files it may open, None if there is no limit or it is unknown.

    `umask` is None if the kernel does not tell it.
    """

    pid: int
    environ: Mapping[str, str] = field(repr=False)
    most_files: int | None
    umask: int | None = None


def running(hub_bind_url: str) -> Running | None:
    """Return the process that listens where the hub does; None if there is none, or it is another account's."""
    port = urlsplit(hub_bind_url).port
    inodes = {each.inode for each in listeners() if each.port == port and each.uid == os.geteuid()}
    pid = next((pid for pid in _pids() if inodes & _sockets(pid)), None) if inodes else None
    if pid is None:
        return None
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes().decode("utf-8", "replace")
        limits = _MAX_FILES.search((_PROC / str(pid) / "limits").read_text())
        umask = _UMASK.search((_PROC / str(pid) / "status").read_text())
    except OSError:
        return None
    pairs = (each.partition("=") for each in environ.split("\0") if "=" in each)
    most = int(limits[1]) if limits and limits[1].isdecimal() else None
    return Running(pid, {name: value for name, _, value in pairs}, most, int(umask[1], 8) if umask else None)


def _pids() -> list[int]:
    return [int(each.name) for each in _PROC.iterdir() if each.name.isdecimal()]


def _sockets(pid: int) -> set[int]:
    try:
        open_files = [str(each.readlink()) for each in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:
        return set()
    return {int(found[1]) for each in open_files if (found := _SOCKET.fullmatch(each))}
