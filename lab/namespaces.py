"""The kernel calls behind a host that Python 3.11 lacks: namespaces and mounts. Every failure is an OSError."""

import ctypes
import os
from enum import IntFlag

_libc = ctypes.CDLL(None, use_errno=True)


class Clone(IntFlag):
    """Kinds of namespaces, as `unshare` and `setns` name them."""

    MOUNT = 0x00020000
    UTS = 0x04000000
    IPC = 0x08000000
    PID = 0x20000000
    NET = 0x40000000


class MountFlag(IntFlag):
    """Flags of `mount` that the lab uses."""

    NONE = 0
    READ_ONLY = 0x1
    NO_SUID = 0x2
    NO_DEV = 0x4
    REMOUNT = 0x20
    BIND = 0x1000
    RECURSIVE = 0x4000
    PRIVATE = 0x40000


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        said = ", ".join(argument.decode() for argument in arguments if isinstance(argument, bytes))
        raise OSError(error, f"{name}({said}): {os.strerror(error)}")


def unshare(kinds: Clone) -> None:
    """Put this process (for PID: its next children) into new namespaces."""
    _call("unshare", int(kinds))


def setns(namespace: int, kind: Clone) -> None:
    """Join the namespace behind an open file of `/proc/<pid>/ns`."""
    _call("setns", namespace, int(kind))


def mount(
    source: str, target: str, kind: str | None = None, flags: MountFlag = MountFlag.NONE, options: str = ""
) -> None:
    """Mount `source` on `target`, like mount(8) with `-t kind -o options`."""
    _call(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(int(flags)),
        options.encode(),
    )


def make_private() -> None:
    """Keep all later mounts of this mount namespace to itself."""
    mount("none", "/", flags=MountFlag.PRIVATE | MountFlag.RECURSIVE)


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show the folder `source`, with what is mounted below it, at `target` too."""
    mount(source, target, flags=MountFlag.BIND | MountFlag.RECURSIVE)
    if read_only:
        mount("none", target, flags=MountFlag.BIND | MountFlag.REMOUNT | MountFlag.READ_ONLY)


def tmpfs(target: str, options: str) -> None:
    """Mount an empty file system in memory on `target`."""
    mount("tmpfs", target, "tmpfs", options=options)


def enter_root(folder: str) -> None:
    """Make `folder` (a mount) the root of this mount namespace and drop the old one."""
    os.chdir(folder)
    # Both names are the folder itself: the old root then lies on top of it, and one unmount removes it.
    _call("pivot_root", b".", b".")
    lazily = 2
    _call("umount2", b".", lazily)
    os.chdir("/")
