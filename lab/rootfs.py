"""The file tree of a host: the machine's, under a private writable layer, with the host's own parts mounted in."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.namespaces import MountFlag, bind, enter_root, make_private, mount, tmpfs

SEPARATE_FILE_SYSTEMS = ("/usr", "/etc", "/var", "/opt")
"""Folders a machine may keep on disks of their own; each then needs a layer of its own."""

EMPTY_FOLDERS = {
    "/run": "mode=755",
    "/tmp": "mode=1777",
    "/root": "mode=700",
    "/home": "mode=755",
    "/dev/shm": "mode=1777",
}
"""Where a host sees nothing of the machine, with the options of the tmpfs there."""

STAGE = "/tmp"
"""Where the new tree is put together; only this host's mount namespace sees it."""

NEW_ROOT = f"{STAGE}/root"


@dataclass(frozen=True)
class Share:
    """A folder of the machine that a host sees too, perhaps at another path."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class View:
    """What a host sees of the machine's files, apart from its system."""

    shares: tuple[Share, ...]
    hidden: tuple[Path, ...] = ()
    """Folders it sees empty and files it does not see."""


def enter(view: View) -> None:
    """Build the file tree and make it this process's root.

    The process must be alone in new mount and PID namespaces. Nothing it writes afterwards reaches the machine,
    except in shares that are not read-only.
    """
    make_private()
    # Opened before anything is mounted over them: the shares may lie anywhere, also under /tmp or /root.
    sources = {share: os.open(share.source, os.O_PATH | os.O_DIRECTORY) for share in view.shares}
    tmpfs(STAGE, "mode=700")
    _overlay("/", "root")
    for path in filter(os.path.ismount, SEPARATE_FILE_SYSTEMS):
        _overlay(path, path.strip("/"))
    _mount_kernel_file_systems()
    for path, options in EMPTY_FOLDERS.items():
        Path(NEW_ROOT + path).mkdir(exist_ok=True)
        tmpfs(NEW_ROOT + path, options)
    _hide(view.hidden)
    for share, source in sources.items():
        _make_reachable(share.target)
        _bind(f"/proc/self/fd/{source}", NEW_ROOT + share.target, read_only=share.read_only)
        os.close(source)
    enter_root(NEW_ROOT)


def _overlay(path: str, name: str) -> None:
    layer = Path(STAGE) / f"{name}-layer"
    target = Path(NEW_ROOT + path)
    for folder in (layer / "upper", layer / "work", target):
        folder.mkdir(parents=True, exist_ok=True)
    (layer / "upper").chmod(0o755)
    mount(
        "overlay", str(target), "overlay", options=f"lowerdir={path},upperdir={layer}/upper,workdir={layer}/work"
    )


def _mount_kernel_file_systems() -> None:
    flags = MountFlag.NO_SUID | MountFlag.NO_DEV
    mount("proc", f"{NEW_ROOT}/proc", "proc", flags)
    mount("sysfs", f"{NEW_ROOT}/sys", "sysfs", flags | MountFlag.READ_ONLY)
    bind("/dev", f"{NEW_ROOT}/dev")
    mount("devpts", f"{NEW_ROOT}/dev/pts", "devpts", options="mode=620,ptmxmode=666,gid=5")


def _hide(paths: Iterable[Path]) -> None:
    for path in paths:
        place = Path(f"{NEW_ROOT}{path}")
        if place.is_dir():
            tmpfs(str(place), "mode=700,size=4k")
        else:
            place.unlink(missing_ok=True)


def _bind(source: str, target: str, *, read_only: bool) -> None:
    if Path(source).stat().st_mode & 0o001:
        bind(source, target, read_only=read_only)
        return
    # The folder itself is closed: show what is in it, in an open folder.
    tmpfs(target, "mode=755")
    for entry in os.scandir(source):
        place = Path(target) / entry.name
        if entry.is_symlink():
            place.symlink_to(Path(entry.path).readlink())
            continue
        place.mkdir() if entry.is_dir() else place.touch()
        bind(entry.path, str(place), read_only=read_only)


def _make_reachable(target: str) -> None:
    """Make the folder `target` and let every account pass the folders above it."""
    path = Path(NEW_ROOT)
    for part in Path(target).parts[1:]:
        path /= part
        if not path.exists():
            path.mkdir()
            path.chmod(0o755)  # whatever this process's umask is
        elif not path.stat().st_mode & 0o001:
            # A closed folder stays closed: what else lies in it is replaced, not opened.
            tmpfs(str(path), "mode=755")
