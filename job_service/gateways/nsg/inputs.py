"""The files of jobs that were not sent yet: NSG takes them only with the job, so they lie here until then."""

import asyncio
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from job_service import errors
from job_service.files.info import FileInfo, shown
from job_service.sentences import files as sentences
from slurm_ssh.errors import Broken, Unavailable

Done = TypeVar("Done")

_NAME, _PART = ".name", ".part"


class Inputs:
    """A folder of this service alone, with one for each job, by its id.

    A file lies there under the hash of its path, so that no path leads anywhere; its name lies beside it.
    """

    def __init__(self, folder: Path, title: str, most_mib: int) -> None:
        self._folder = folder
        self._title = title
        self._most_bytes = most_mib << 20

    async def put(self, job_id: str, path: str, chunks: AsyncIterator[bytes], length: int | None) -> FileInfo:
        """Keep a file, whole or not at all.  Raises TooLarge, NoSpace, Unavailable, Broken; what chunks raise."""
        place, came = self._place(job_id, path), 0
        part = place.with_suffix(f".{secrets.token_hex(8)}{_PART}")
        try:
            with await self._done(path, _begun, part) as file:
                async for chunk in chunks:
                    came += len(chunk)
                    if came > self._most_bytes:
                        said = {"path": shown(path), "site": self._title, "megabytes": self._most_bytes >> 20}
                        raise errors.TooLarge(sentences.TOO_LARGE.format(**said))
                    await self._done(path, file.write, chunk)
            if length is not None and came != length:
                raise Unavailable(sentences.NOT_WHOLE.format(path=shown(path), site=self._title))
            return await self._done(path, _finished, part, place, path)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _done(self, path: str, do: Callable[..., Done], *given: Any) -> Done:
        """Return what is done in a thread; raise what went wrong with the disk as our errors."""
        try:
            return await asyncio.to_thread(do, *given)
        except OSError as error:
            said = {"path": shown(path), "site": self._title, "reason": error.strerror or ""}
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise errors.NoSpace(sentences.NO_SPACE.format(**said)) from error
            raise Broken(sentences.NOT_SENT.format(**said), str(error)) from error

    async def all(self, job_id: str) -> tuple[FileInfo, ...]:
        """Return the files of a job, by their paths."""
        return await asyncio.to_thread(self._all, job_id)

    async def at(self, job_id: str, path: str) -> Path | None:
        """Return where a file of a job lies, None if it is not there."""
        place = self._place(job_id, path)
        return place if await asyncio.to_thread(place.is_file) else None

    async def remove(self, job_id: str, path: str = "") -> None:
        """Remove a file of a job, or for "" all of them, if there are some.  Raises NotFound for a file."""
        if path:
            place = self._place(job_id, path)
            if not await asyncio.to_thread(place.is_file):
                raise errors.NotFound(sentences.NO_SUCH_FILE.format(path=shown(path)))
            for each in (place.with_suffix(_NAME), place):
                await asyncio.to_thread(each.unlink, missing_ok=True)
        else:
            await asyncio.to_thread(shutil.rmtree, self._folder / job_id, ignore_errors=True)

    def _all(self, job_id: str) -> tuple[FileInfo, ...]:
        found = []
        for name in (self._folder / job_id).glob(f"*{_NAME}"):
            place = name.with_suffix("")
            if place.is_file():
                found.append(_info(place, os.fsdecode(name.read_bytes())))
        return tuple(sorted(found, key=lambda each: each.path))

    def _place(self, job_id: str, path: str) -> Path:
        return self._folder / job_id / hashlib.sha256(os.fsencode(path)).hexdigest()


def _begun(part: Path) -> BinaryIO:
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return part.open("wb")


def _finished(part: Path, place: Path, path: str) -> FileInfo:
    place.with_suffix(_NAME).write_bytes(os.fsencode(path))
    part.replace(place)
    return _info(place, path)


def _info(place: Path, path: str) -> FileInfo:
    found = place.stat()
    return FileInfo(path, found.st_size, found.st_mtime_ns)
