"""What is known of one file in the folder of a job.  Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

Kind = Literal["file", "folder", "link", "other"]

# Moments that every zone has.
_FIRST = round(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LAST = round(datetime(9999, 12, 30, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class FileInfo:
    """One file: its place in the job's folder, its bytes, and when they last changed (nanoseconds since 1970).

    Bytes of a name that are no UTF-8 are lone surrogates in `path`, as Python's `os` has them; give people
    `name`, and programs `quoted`.
    """

    path: str
    size: int
    modified_ns: int
    kind: Kind = "file"

    @property
    def quoted(self) -> str:
        """The path as it stands in a URL, slashes and all; the same for every file, whatever it is called."""
        return quote(self.path, safe="/", errors="surrogateescape")

    @property
    def name(self) -> str:
        """The path for people: printable, and whole UTF-8."""
        return shown(self.path)

    @property
    def modified(self) -> datetime:
        """When its bytes last changed; what lies before the year 1 or behind 9999, as one in it.

        Whoever owns a file may give it any time, and file systems keep those of which a calendar knows nothing.
        """
        return datetime.fromtimestamp(min(max(self.modified_ns // 1_000_000_000, _FIRST), _LAST), UTC)

    @property
    def etag(self) -> str:
        """An entity tag, with its quotes: another one as soon as size or time of change are others."""
        return f'"{self.size:x}-{self.modified_ns:x}"'


def shown(path: str) -> str:
    """Return a path as people read it."""
    text = path.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True)
class Listing:
    """What lies in a folder and the folders in it, sorted by path; not all if it `is_cut`."""

    items: tuple[FileInfo, ...]
    is_cut: bool = False
