"""What a link to a notebook names: from where it is copied, and whether this hub's catalogue allows it.  Pure.

Whoever opens a link has not written it: nothing of it is believed before it has passed `named`.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from profiles.catalogue.copying import WEB_ADDRESS, CopyFrom
from slurm_ssh.text import one_line
from slurm_ssh_spawner.sentences import copying as say

FROM, PATH, REF = PARTS = ("from", "path", "ref")
"""The names of a link's query that say which notebook it is."""

FOLDER = "from-links"
"""Where copies go, in the home."""

_ENDING = ".ipynb"
_LONGEST = 1000
_SHOWN = 200
_LONGEST_NAME = 200
"""Bytes of a file's name, of which there are 255; a number is added to some."""

_ADDRESS = re.compile(WEB_ADDRESS)
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_OF_GALLERY = re.compile(r"/notebooks/([A-Za-z0-9][A-Za-z0-9_-]{0,199})")
_NUMBERED = re.compile(r"[0-9]+-(?=.)")


class SourceRefused(Exception):  # noqa: N818
    """A link names nothing that may be copied; its text is a sentence for who has opened it."""


class Kind(StrEnum):
    """Where a notebook is."""

    FILE = "file"
    GIT = "git"
    GALLERY = "gallery"


@dataclass(frozen=True)
class Source:
    """A notebook that may be copied: `place` is its path on a cluster, the repository's address, or its own one.

    `path` and `ref` are those in a repository; the ref is "" for its main branch.  The copy is called `name`.
    """

    kind: Kind
    place: str
    name: str
    path: str = ""
    ref: str = ""

    @property
    def target(self) -> str:
        """The copy's place in the home, for people."""
        return f"~/{FOLDER}/{self.name}"

    @property
    def query(self) -> str:
        """The query of a link to it."""
        return urlencode({name: value for name, value in self.parts.items() if value})

    @property
    def parts(self) -> dict[str, str]:
        """What its link says, by the names of PARTS."""
        return {FROM: self.place, PATH: self.path, REF: self.ref}

    @property
    def asked(self) -> dict[str, str]:
        """What a server is asked for, see `jobside/copying.py`."""
        return {"kind": self.kind.value, "name": self.name, "folder": FOLDER, **self.parts}


def named(query: Mapping[str, str], allowed: CopyFrom | None) -> Source:
    """Return the notebook that a link's query names.

    Raises SourceRefused for what is none, for what could be read in two ways, and for what is not allowed.
    """
    if allowed is None:
        raise SourceRefused(say.OFF)
    place, path, ref = (query.get(name, "").strip() for name in PARTS)
    if not place:
        raise SourceRefused(say.NAMES_NOTHING)
    if place.startswith("/"):
        return _file(place, allowed.folders)
    if len(place) > _LONGEST or not _ADDRESS.fullmatch(place):
        raise SourceRefused(say.NO_SOURCE.format(what=shown(place)))
    place = place.rstrip("/")
    if path:
        return _in_repository(place, path, ref, allowed.repositories)
    if _is_in(place, allowed.repositories):
        raise SourceRefused(say.NAMES_NO_FILE)
    return _of_gallery(place, allowed.galleries)


def shown(text: str) -> str:
    """Return what somebody wrote, short and in one line."""
    return one_line(text, _SHOWN)


def _file(place: str, folders: Sequence[str]) -> Source:
    name = _name(place)
    if not any(_is_below(place, folder) for folder in folders):
        raise SourceRefused(say.NOT_ALLOWED.format(what=shown(posixpath.dirname(place))))
    return Source(Kind.FILE, place, name)


def _in_repository(place: str, path: str, ref: str, repositories: Sequence[str]) -> Source:
    name = _name(path)
    if path.startswith("/"):
        raise SourceRefused(say.NO_NOTEBOOK_NAME.format(what=shown(path)))
    # Of two dots git makes a range, of `@{` another state; neither is the name of anything.
    if ref and (not _REF.fullmatch(ref) or ".." in ref):
        raise SourceRefused(say.NO_REF.format(what=shown(ref)))
    if not _is_in(place, repositories):
        raise SourceRefused(say.NOT_ALLOWED.format(what=shown(place)))
    return Source(Kind.GIT, place, name, path, ref)


def _is_in(place: str, repositories: Sequence[str]) -> bool:
    whole = place.removesuffix(".git")
    return any(_is_at_or_below(whole, each.rstrip("/").removesuffix(".git")) for each in repositories)


def _of_gallery(place: str, galleries: Sequence[str]) -> Source:
    for gallery in galleries:
        base = gallery.rstrip("/")
        found = _OF_GALLERY.fullmatch(place.removeprefix(base)) if place.startswith(f"{base}/") else None
        if found:
            title = _NUMBERED.sub("", found[1], count=1).strip("-") or found[1]
            return Source(Kind.GALLERY, place, f"{title}{_ENDING}")
    raise SourceRefused(say.NOT_ALLOWED.format(what=shown(place)))


def _name(path: str) -> str:
    """Return the name of a notebook's file.  Raises SourceRefused for what is not the plain path of one."""
    name = posixpath.basename(path)
    is_plain = path.isprintable() and len(path) <= _LONGEST and posixpath.normpath(path) == path
    if (
        not is_plain
        or path.startswith(("//", "../"))
        or name.startswith(".")
        or not name.endswith(_ENDING)
        or len(name.encode(errors="replace")) > _LONGEST_NAME
    ):
        raise SourceRefused(say.NO_NOTEBOOK_NAME.format(what=shown(path)))
    return name


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


def _is_at_or_below(address: str, beginning: str) -> bool:
    return address == beginning or address.startswith(f"{beginning}/")
