"""How the machine stands on which a hub runs: as whom, where its files are, what it needs."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.sentences import settings as sentences

_MOUNTS = Path("/proc/self/mounts")
_IN_MEMORY = ("tmpfs", "ramfs")
_ROOT_UID = 0
_GIGABYTE = 1 << 30
# A database that grows by some hundred bytes for each launch has room then for years.
_FREE_BYTES = _GIGABYTE


@dataclass(frozen=True)
class Files:
    """Where a hub keeps what: folders of its databases, and of people's tickets (None: it has none)."""

    databases: tuple[Path, ...] = ()
    tickets: Path | None = None
    secrets: tuple[Path, ...] = ()


def machine(files: Files) -> Iterator[Outcome]:
    """Yield what is so of this process's machine."""
    if os.geteuid() == _ROOT_UID:
        yield Outcome("A3", State.WARN, sentences.RUNS_AS_ROOT, sentences.USE_ACCOUNT)
    else:
        yield Outcome("A3", State.OK, sentences.RUNS_AS.format(uid=os.geteuid()))
    yield from _folders(files)
    if shutil.which("kinit") is None and files.tickets is not None:
        yield Outcome("A10", State.FAIL, sentences.NO_KINIT, sentences.INSTALL_KINIT)


def _folders(files: Files) -> Iterator[Outcome]:
    if files.tickets is not None and (kind := _kind_of(files.tickets)) and kind not in _IN_MEMORY:
        named = {"folder": files.tickets, "kind": kind}
        yield Outcome("A4", State.WARN, sentences.TICKETS_ON_DISK.format(**named), sentences.USE_RUN)
    for folder in dict.fromkeys(files.databases):
        yield from _of_database(folder)
    for path in files.secrets:
        if path.is_file() and (mode := path.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH):
            named = {"path": path, "mode": f"{stat.S_IMODE(mode):04o}"}
            fix = sentences.CLOSE_FILE.format(path=path)
            yield Outcome("A4", State.WARN, sentences.FILE_OPEN.format(**named), fix)


def _of_database(folder: Path) -> Iterator[Outcome]:
    if not folder.is_dir():
        yield Outcome("A9", State.FAIL, sentences.NO_FOLDER.format(folder=folder), sentences.MAKE_FOLDER)
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        named = {"folder": folder, "uid": os.geteuid()}
        yield Outcome("A9", State.FAIL, sentences.FOLDER_CLOSED.format(**named), sentences.MEND_FOLDER)
        return
    if stat.S_IMODE(folder.stat().st_mode) & stat.S_IWOTH and not folder.stat().st_mode & stat.S_ISVTX:
        fix = sentences.CLOSE_FOLDER.format(folder=folder)
        yield Outcome("A4", State.WARN, sentences.FOLDER_OPEN.format(folder=folder), fix)
    if (free := shutil.disk_usage(folder).free) < _FREE_BYTES:
        said = sentences.DISK_NEARLY_FULL.format(folder=folder, megabytes=free >> 20)
        yield Outcome("A4", State.WARN, said, sentences.MAKE_ROOM)


def _kind_of(folder: Path) -> str:
    """Return what kind of file system a folder is on, "" if that is not known."""
    real, found = str(folder.resolve()), ("", "")
    try:
        mounts = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in mounts:
        _, point, kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(found[0]):
            found = point, kind
    return found[1]
