"""Parts of files: which bytes are wanted, and exactly these."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from job_service import errors, layout
from job_service.files.info import FileInfo, shown
from job_service.gateways.nsg.answers import File
from job_service.sentences import files as sentences
from slurm_ssh.errors import Unavailable

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Window:
    """Bytes of a file: `count` of them, `skipped` behind its beginning."""

    skipped: int
    count: int

    @classmethod
    def of(cls, size: int, start: int, length: int | None) -> Self:
        """Return what is wanted of a file of that size; a negative start counts from its end."""
        first = min(size, start if start >= 0 else max(0, size + start))
        return cls(first, size - first if length is None else min(length, size - first))


def info(file: File, path: str = "") -> FileInfo:
    """Return a file of NSG's, by the path that was asked for."""
    moment = int(file.modified.timestamp() * 1_000_000_000) if file.modified else 0
    return FileInfo(path or file.name, file.size, moment)


def is_fit(file: File) -> bool:
    """Return whether a file's name can be one in the folder of a job."""
    return "/" not in file.name and layout.is_path(file.name)


async def cut(chunks: AsyncIterator[bytes], window: Window, path: str) -> AsyncIterator[bytes]:
    """Yield the wanted bytes of a file.  Raises Unavailable if there are fewer."""
    skip, left = window.skipped, window.count
    if not left:
        return
    async for chunk in chunks:
        piece = chunk[skip : skip + left]
        skip = max(0, skip - len(chunk))
        if piece:
            left -= len(piece)
            yield piece
        if not left:
            return
    raise Unavailable(sentences.CHANGED_MEANWHILE.format(path=shown(path)))


@asynccontextmanager
async def local(
    place: Path | None, path: str, start: int, length: int | None
) -> AsyncGenerator[tuple[FileInfo, AsyncIterator[bytes]], None]:
    """Give a file of this machine.  Raises NotFound."""
    try:
        file = await asyncio.to_thread(place.open, "rb") if place else None
    except FileNotFoundError:
        file = None
    if place is None or file is None:
        raise errors.NotFound(sentences.NO_SUCH_FILE.format(path=shown(path)))
    with file:
        found = await asyncio.to_thread(place.stat)

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield chunk

        window = Window.of(found.st_size, start, length)
        yield FileInfo(path, found.st_size, found.st_mtime_ns), cut(chunks(), window, path)
