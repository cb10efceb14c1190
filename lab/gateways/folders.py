"""Folders of jobs: what is asked for lies within them, and what comes in is bounded."""

import asyncio
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST_FILES = 10_000


class NotWithinError(ValueError):
    """A path leads out of its folder, or there cannot be a file of that name."""


class TooMuchError(ValueError):
    """More came in than is taken."""


@dataclass(frozen=True)
class Entry:
    """A file or folder; `path` is relative to the job's folder, with `/`; what is no UTF-8 in it is replaced."""

    path: str
    is_folder: bool
    size: int
    modified: float
    """Seconds since 1970."""


def within(root: Path, path: str) -> Path:
    """Return where a path of a request lies in a folder, with all links followed."""
    try:
        found = (root / path.lstrip("/")).resolve()
    except (OSError, ValueError) as error:
        raise NotWithinError(path) from error
    if not found.is_relative_to(root.resolve()):
        raise NotWithinError(path)
    return found


def entry(root: Path, path: Path) -> Entry:
    """Return what lies at a path; OSError if nothing does."""
    found = path.lstat()
    is_folder = stat.S_ISDIR(found.st_mode)
    name = os.fsencode(path.relative_to(root.resolve())).decode(errors="replace")
    return Entry(name, is_folder, found.st_size, found.st_mtime)


def entries(root: Path, folder: Path) -> list[Entry]:
    """Return what lies in a folder itself, in order of names."""
    return [entry(root, path) for path in sorted(folder.iterdir())[:_MOST_FILES]]


async def receive(target: Path, chunks: AsyncIterator[bytes], most_bytes: int) -> None:
    """Write what comes to a file, with the folders above it; if that breaks off, what came stays.

    Raises TooMuchError, and removes the file, if it is too long.
    """
    length = 0
    with await asyncio.to_thread(_new, target) as file:
        async for chunk in chunks:
            length += len(chunk)
            if length > most_bytes:
                await asyncio.to_thread(target.unlink)
                raise TooMuchError(target.name)
            await asyncio.to_thread(_append, file, chunk)


def _new(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def _append(file: BinaryIO, chunk: bytes) -> None:
    file.write(chunk)
    file.flush()


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def unpack(archive: Path, folder: Path, most_bytes: int) -> None:
    """Unpack a zip; TooMuchError if it has more than is taken, zipfile.BadZipFile if it is none."""
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        if len(members) > _MOST_FILES or sum(member.file_size for member in members) > most_bytes:
            raise TooMuchError(archive.name)
        # Names that lead out of the folder are mended by zipfile itself.
        opened.extractall(folder)  # noqa: S202


def pack(folder: Path, archive: Path) -> None:
    """Pack all that is in a folder."""
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(folder, folder.name)
