"""A job's folder, from the tar that the service streams to files here: whatever stands in it, only below there.

Files and folders are made, and links last, so that nothing is ever written through one.  A link is made if it
leads to somewhere in the folder; other links, devices and pipes are left out and named, and so are files with
holes: the service sends none, and one of a few bytes could fill the disk.
"""

import contextlib
import os
import secrets
import shutil
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from hubjobs import sentences, text
from hubjobs.errors import WrongFile

_MOST_BYTES_OF_A_NAME = 64 * 1024
_NAMED_ELSEWHERE = frozenset(
    {
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    }
)
_COPY_BYTES = 256 * 1024


@dataclass
class Unpacked:
    """What was made: so many files, of so many bytes; the names of what was left out."""

    files: int = 0
    bytes: int = 0
    left_out: list[str] = field(default_factory=list)


class _Member(tarfile.TarInfo):
    """A member whose name is not read whole into memory however long it claims to be."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _NAMED_ELSEWHERE and not 0 <= self.size <= _MOST_BYTES_OF_A_NAME:
            raise tarfile.ReadError(sentences.LONG_NAME)
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return member


class Unpacking:
    """Unpacks, in a thread of its own, a tar that comes in chunks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = Unpacked()
        self._failed: Exception | None = None
        reading, self._writing = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(reading,), name="hubjobs-unpack", daemon=True)
        self._thread.start()

    def feed(self, chunk: bytes) -> None:
        """Hand over what came next; waits while the disk is slow.  Raises what went wrong."""
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(self._writing, rest) :]
        except BrokenPipeError:
            self._thread.join()
            if self._failed is not None:
                raise self._failed from None
            # Behind the end of an archive may be more zeros.

    def end(self) -> Unpacked:
        """Return what was made, once all is on the disk.  Raises what went wrong."""
        self.close()
        if self._failed is not None:
            raise self._failed
        return self._done

    def close(self) -> None:
        """Stop; what was cut short leaves no half file."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1
        self._thread.join()

    def _run(self, reading: int) -> None:
        with open(reading, "rb") as stream:
            try:
                unpack(stream, self._folder, self._done)
            except (OSError, WrongFile) as error:
                self._failed = error
            except (tarfile.TarError, EOFError, ValueError, RecursionError) as error:
                said = text.one_line(str(error), 200)
                self._failed = WrongFile(sentences.BAD_ARCHIVE.format(reason=said), sentences.BAD_ARCHIVE_HINT)


class _Stream:
    """Reads an archive and knows whether it is whole: to tarfile, one that is cut between two files is, too."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._last = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        chunk = self._stream.read(size)
        self._last = (self._last + chunk)[-tarfile.BLOCKSIZE :]
        return chunk

    def finish(self) -> None:
        """Read what follows the last member.  Raises ReadError unless an archive ends with it."""
        while self.read(_COPY_BYTES):
            pass
        if self._last.count(0) != tarfile.BLOCKSIZE:
            raise tarfile.ReadError(sentences.CUT_SHORT)


def unpack(stream: BinaryIO, folder: Path, done: Unpacked) -> None:
    """Unpack a tar below a folder.  Raises OSError, TarError, WrongFile."""
    folder.mkdir(parents=True, exist_ok=True)
    links: list[tuple[PurePosixPath, tarfile.TarInfo]] = []
    source = _Stream(stream)
    with tarfile.open(fileobj=cast(BinaryIO, source), mode="r|", tarinfo=_Member, errorlevel=2) as tar:
        for member in _each(tar):
            path = _inside(member.name)
            if path is None:
                done.left_out.append(member.name)
            elif member.isdir():
                _folder(folder, path)
            elif member.isreg() and path.parts and not member.issparse():
                _file(tar, member, folder, path)
                done.files += 1
                done.bytes += member.size
            elif (member.issym() or member.islnk()) and path.parts:
                links.append((path, member))
            else:
                done.left_out.append(member.name)
    source.finish()
    done.left_out.extend(member.name for path, member in links if not _link(folder, path, member))


def _each(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Give the members; those that were read are not kept."""
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


def _inside(name: str) -> PurePosixPath | None:
    """Return a member's place in the folder, None if it would lie outside or has a name that is none."""
    path = PurePosixPath(name)
    odd = path.is_absolute() or ".." in path.parts or "\0" in name
    on_windows = os.name == "nt" and any(c in name for c in '\\:*?"<>|')
    return None if odd or on_windows else path


def _folder(root: Path, path: PurePosixPath) -> Path:
    """Make a folder and those above it, below the root, and return it.  No link is walked through."""
    place = root
    for part in path.parts:
        place /= part
        with contextlib.suppress(FileExistsError):
            place.mkdir()
        if place.is_symlink() or not place.is_dir():
            raise WrongFile(sentences.IN_THE_WAY.format(path=text.one_line(str(place), 500)))
    return place


def _file(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path, path: PurePosixPath) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise tarfile.ReadError(sentences.CUT_SHORT)
    place = _folder(root, path.parent) / path.name
    with source, replacing(place) as target:
        shutil.copyfileobj(source, target, _COPY_BYTES)
        if target.tell() != member.size:
            raise tarfile.ReadError(sentences.CUT_SHORT)
    if member.mode & 0o100:
        place.chmod(place.stat().st_mode | 0o100)


def _link(root: Path, path: PurePosixPath, member: tarfile.TarInfo) -> bool:
    """Make a link that leads to somewhere in the folder; False if it does not, or something is in its place."""
    to = PurePosixPath(member.linkname)
    place = _folder(root, path.parent) / path.name
    try:
        if member.islnk():
            target = _inside(member.linkname)
            if target is None or not _is_plain(root, target):
                return False
            os.link(root.joinpath(*target.parts), place, follow_symlinks=False)
        else:
            if not leads_inside(path, to):
                return False
            place.symlink_to(member.linkname)
    except (OSError, NotImplementedError):
        return False
    return True


def _is_plain(root: Path, path: PurePosixPath) -> bool:
    """Whether a file that was unpacked lies there, without a link on the way."""
    above = [root.joinpath(*path.parts[:n]) for n in range(1, len(path.parts) + 1)]
    return bool(above) and not any(each.is_symlink() for each in above) and above[-1].is_file()


def leads_inside(path: PurePosixPath, to: PurePosixPath) -> bool:
    """Whether a symbolic link at a place in the folder leads to a place in it, whatever other links there are.

    `..` may stand only at its begin, where it leads up through folders that are no links.
    """
    if to.is_absolute() or not to.parts:
        return False
    up = next((n for n, part in enumerate(to.parts) if part != ".."), len(to.parts))
    return up < len(path.parts) and ".." not in to.parts[up:]


@contextlib.contextmanager
def replacing(place: Path) -> Iterator[BinaryIO]:
    """Give a file that takes its place when it is whole; until then it has another name, and goes if it fails."""
    # Neither one that somebody gave a file of theirs, nor one that is longer than names may be.
    part = place.with_name(f".hubjobs-{secrets.token_hex(8)}.part")
    made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(made, "wb") as target:  # noqa: PTH123 - a descriptor
            yield target
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
