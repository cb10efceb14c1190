"""Sources: the files that a catalogue was read from, and whether they are still the same."""

import errno
import glob
import os
import stat
from dataclasses import dataclass
from pathlib import Path

Look = tuple[int, ...]
"""What can be seen of a file without reading it; nothing if there is none."""


@dataclass(frozen=True)
class Sources:
    """The files in the order they were read (also those that could not be), and the globs that named some of them.

    `looks` has what was seen of each file just before it was read, so no edit is missed.  A glob is a folder,
    a pattern relative to it, and the files that matched.
    """

    files: tuple[Path, ...]
    looks: tuple[Look, ...]
    globs: tuple[tuple[Path, str, tuple[Path, ...]], ...] = ()

    def changed(self) -> bool:
        """Return whether a file changed, went or came since it was read, or others match a glob now.

        Costs a look at each file and each folder of a glob; nothing is read.
        """
        return any(look(path) != before for path, before in zip(self.files, self.looks, strict=True)) or any(
            tuple(listed(folder, pattern)) != before for folder, pattern, before in self.globs
        )


LARGEST = 2 * 1024 * 1024
"""Bytes that one file of a catalogue may have."""


class TooLargeError(OSError):
    """A file has more than LARGEST bytes."""


class NotRegularError(OSError):
    """What bears the name is no file: a pipe, a device, a socket, a folder."""


def contents(path: Path, *, only_regular: bool) -> bytes:
    """Return what is in a file, which is looked at before anything of it is read.

    Raises OSError.  Without `only_regular` a pipe will do, such as that of a shell's `<(...)`.
    """
    is_regular = stat.S_ISREG(path.stat().st_mode)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if only_regular and not is_regular:
        raise NotRegularError(errno.EINVAL, os.strerror(errno.EINVAL))
    # It may be another one by now: a pipe without a writer would keep us waiting.
    flags = os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if only_regular else 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise TooLargeError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def listed(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a glob matches, by name; hidden ones only if the pattern has their dot."""
    # Path.glob matches hidden files, such as the locks of editors.
    names = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207
    return [folder / name for name in names if (folder / name).is_file()]


def look(path: Path) -> Look:
    """Return what can be seen of a file without reading it."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
