"""Sources: the files that a catalogue was read from, and whether they are still the same."""

import glob
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[tuple[Path, tuple[int, ...]], ...]
"""What `Sources.stamp` returns: to be compared, nothing else."""


@dataclass(frozen=True)
class Sources:
    """The files in the order they were read (also those that could not be), and the globs that named some of them.

    A glob is a folder and a pattern relative to it.
    """

    files: tuple[Path, ...]
    globs: tuple[tuple[Path, str], ...] = ()

    def stamp(self) -> Stamp:
        """Return a value that is another one as soon as a file changes, goes, comes, or begins to match a glob.

        Costs a look at each file and each folder of a glob; nothing is read.
        """
        matching = (path for folder, pattern in self.globs for path in listed(folder, pattern))
        return tuple((path, _look(path)) for path in dict.fromkeys((*self.files, *matching)))


def listed(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a glob matches, by name; hidden ones only if the pattern has their dot."""
    # Path.glob matches hidden files, such as the locks of editors.
    names = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207
    return [folder / name for name in names if (folder / name).is_file()]


def _look(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
