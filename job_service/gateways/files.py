"""The files of jobs, wherever they are: at sites as their owners, at gateways by their Backends."""

import asyncio
import contextlib
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from job_service.errors import NotFound
from job_service.files import paths
from job_service.files.files import Files, Log
from job_service.files.info import FileInfo, Listing
from job_service.files.upload import Upload
from job_service.gateways.backend import Backend, Handle
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.sentences import files as sentences
from slurm_ssh.errors import Unavailable

LOOK_SECONDS = 5.0
"""How often it is looked whether a log that is followed has more."""

_PIECE_BYTES = 1 << 16
_LOOKED_AT = 1 << 20


class FilesAnywhere:
    """The files of all jobs: `sites` has those at sites, and says what the methods do and raise."""

    def __init__(
        self,
        sites: Files,
        backends: Backends,
        handle: Callable[[JobRecord], Handle],
        most_mib: int | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._sites = sites
        self._backends = backends
        self._handle = handle
        self._most_mib = most_mib
        self._look_seconds = look_seconds

    def _there(self, record: JobRecord) -> Backend | None:
        """Return the gateway where a job is, None for one at a site."""
        return self._backends.of(record.system) if record.is_at_gateway else None

    async def put(
        self,
        record: JobRecord,
        path: str,
        chunks: AsyncIterator[bytes],
        length: int | None = None,
        digest: bytes | None = None,
    ) -> FileInfo:
        """Put a file into the job's folder, whole or not at all; see `Files`."""
        backend = self._there(record)
        if backend is None:
            return await self._sites.put(record, path, chunks, length, digest)
        paths.parts(path)
        upload = Upload(path, self._backends.gateways[record.system], length, digest, self._most_mib)
        async with aclosing(upload.checked(chunks)) as checked:
            return await backend.put(self._handle(record), path, checked, length)

    async def list(self, record: JobRecord, path: str = "") -> Listing:
        """Return what lies in the job's folder, or in one in it; see `Files`."""
        backend = self._there(record)
        if backend is None:
            return await self._sites.list(record, path)
        return await backend.files(self._handle(record), "/".join(paths.folder_parts(path)))

    def get(
        self, record: JobRecord, path: str, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[tuple[FileInfo, AsyncIterator[bytes]]]:
        """Give a file, and its bytes; see `Files`."""
        backend = self._there(record)
        if backend is None:
            return self._sites.get(record, path, start, length)
        return backend.read(self._handle(record), "/".join(paths.parts(path)), start, length)

    async def delete(self, record: JobRecord, path: str) -> None:
        """Remove a file, or a folder with all that is in it; see `Files`."""
        backend = self._there(record)
        if backend is None:
            await self._sites.delete(record, path)
        else:
            await backend.remove(self._handle(record), "/".join(paths.parts(path)))

    def archive(self, record: JobRecord) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the job's folder as a tar file; see `Files`."""
        backend = self._there(record)
        return self._sites.archive(record) if backend is None else _archive(backend, self._handle(record))

    def log(
        self,
        record: JobRecord,
        which: Log,
        tail: int | None = None,
        follow: asyncio.Event | None = None,
        offset: int | None = None,
    ) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[bytes]]]:
        """Give what the job has printed, and with which byte that begins; see `Files`."""
        backend = self._there(record)
        if backend is None:
            return self._sites.log(record, which, tail, follow, offset)
        return _log(backend, self._handle(record), which, tail, follow, offset, self._look_seconds)

    async def sweep(self, record: JobRecord) -> None:
        """Remove what is left of uploads; at a gateway, that goes with the job."""
        if self._there(record) is None:
            await self._sites.sweep(record)


@asynccontextmanager
async def _archive(backend: Backend, handle: Handle) -> AsyncIterator[AsyncIterator[bytes]]:
    async with aclosing(_tar(backend, handle)) as chunks:
        yield chunks


async def _tar(backend: Backend, handle: Handle) -> AsyncGenerator[bytes, None]:
    """Yield a tar file of all that lies in a job's folder, a file after the other.

    Raises Unavailable in place of its end if not all of it could be read.
    """
    listing, missing = await backend.files(handle), ""
    for each in listing.items:
        if each.kind == "folder":
            yield _head(each, 0)
        elif each.kind == "file":
            try:
                async with backend.read(handle, each.path) as (found, chunks):
                    yield _head(found, found.size)
                    async for chunk in chunks:
                        yield chunk
                    yield bytes(-found.size % tarfile.BLOCKSIZE)
            except NotFound:
                missing = each.name
    if missing or listing.is_cut:
        raise Unavailable(sentences.CHANGED_MEANWHILE.format(path=missing or "."))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _head(info: FileInfo, size: int) -> bytes:
    entry = tarfile.TarInfo(f"./{info.path}")
    entry.size, entry.mtime = size, info.modified_ns // 1_000_000_000
    entry.mode = 0o600
    if info.kind == "folder":
        entry.type, entry.mode = tarfile.DIRTYPE, 0o700
    return entry.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")


@asynccontextmanager
async def _log(
    backend: Backend,
    handle: Handle,
    which: str,
    tail: int | None,
    follow: asyncio.Event | None,
    offset: int | None,
    look_seconds: float,
) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
    size = await _size(backend, handle, which)
    begins = 0
    if offset is not None:
        begins = offset if offset <= size else 0
    elif tail is not None:
        begins = await _begin_of_last(backend, handle, which, tail, size)
    async with aclosing(_printed(backend, handle, which, begins, follow, look_seconds)) as chunks:
        yield begins, chunks


async def _size(backend: Backend, handle: Handle, which: str) -> int:
    """Return how long a log is, 0 if there is none yet."""
    try:
        async with backend.read(handle, which, 0, 0) as (found, _):
            return found.size
    except NotFound:
        return 0


async def _begin_of_last(backend: Backend, handle: Handle, which: str, lines: int, size: int) -> int:
    """Return where the last lines of a log begin, or the last that are looked at."""
    end = size
    # What ends the last line belongs to it.
    left = lines + 1
    while end and size - end < _LOOKED_AT:
        start = max(0, end - _PIECE_BYTES)
        data = b""
        async with backend.read(handle, which, start, end - start) as (_, chunks):
            async for chunk in chunks:
                data += chunk
        if end == size and not data.endswith(b"\n"):
            left -= 1
        at = len(data)
        while left > 0 and (at := data.rfind(b"\n", 0, at)) >= 0:
            left -= 1
            if not left:
                return start + at + 1
        end = start
    return end


async def _printed(
    backend: Backend, handle: Handle, which: str, begins: int, follow: asyncio.Event | None, look_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Yield what is in a log from a byte on; with `follow` also what comes to it, until that is set."""
    at = begins
    while True:
        is_last = follow is None or follow.is_set()
        try:
            async with backend.read(handle, which, at) as (_, chunks):
                async for chunk in chunks:
                    at += len(chunk)
                    yield chunk
        except NotFound:
            pass
        if is_last or follow is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_seconds):
                await follow.wait()
