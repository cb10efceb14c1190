"""Files and logs of jobs, over the engine: what is cut short goes on where it was."""

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from hubjobs import calls, local, models
from hubjobs.archive import Unpacked, Unpacking, replacing
from hubjobs.calls import Call, Stream, Upload
from hubjobs.engine import Delays, Engine, unreadable
from hubjobs.errors import Problem
from hubjobs.transport import Answer, Lost

Progress = Callable[[int, int | None], None]
"""Told how many bytes have moved, of how many; None: nobody knows."""

FIRST_LOOK_S, LONGEST_LOOK_S = 1.0, 10.0
"""How often a log is looked at that is followed: often while it grows."""

_PARTIAL, _NOT_FOUND, _BEHIND_ITS_END = 206, 404, 416
_LAST_BYTES = 256 * 1024


def quietly(_done: int, _total: int | None) -> None:
    """Tell nobody."""


async def put(engine: Engine, job_id: str, source: Path, name: str | None, progress: Progress) -> models.File:
    """Send a file into a job's folder, whole or not at all."""
    call = calls.put_file(job_id, name or source.name)
    upload = await engine.transport.do(local.upload, source)

    def counted() -> Iterator[bytes]:
        done = 0
        for chunk in upload.chunks():
            yield chunk
            done += len(chunk)
            progress(done, upload.length)

    return await engine.do(call, Upload(counted, upload.length, upload.digest))


async def get(engine: Engine, job_id: str, path: str, target: Path, progress: Progress) -> None:
    """Fetch a file of a job's; nothing has its name until it is whole."""
    call = calls.file(job_id, path)
    with replacing(target) as file:
        await _fetch(engine, call, file, progress)


async def _fetch(engine: Engine, call: Call[Any], file: BinaryIO, progress: Progress) -> None:
    done, etag, delays = 0, "", Delays(engine.patience_s)
    while True:
        before = done
        try:
            async with engine.opened(_from(call, done, etag)) as answer:
                done = await _begin(engine, answer, file, done)
                etag = answer.headers.get("ETag", "")
                total = _length(answer, done)
                async for chunk in answer.chunks():
                    await engine.transport.do(file.write, chunk)
                    done += len(chunk)
                    progress(done, total)
                return
        except Lost:
            if done != before:
                delays = Delays(engine.patience_s)
            if not await delays.over(engine.transport):
                raise


def _from(call: Call[Any], done: int, etag: str) -> Call[Any]:
    """Return the call for what is missing of a file, as long as it is the same file."""
    return call.with_headers(Range=f"bytes={done}-", If_Range=etag) if done and etag else call


async def _begin(engine: Engine, answer: Answer, file: BinaryIO, done: int) -> int:
    """Return from where on an answer has a file: where we were, or its begin, to which we go back then."""
    if answer.status == _PARTIAL:
        if range_of(answer)[0] != done:
            raise unreadable("Content-Range")
        return done
    await engine.transport.do(file.seek, 0)
    await engine.transport.do(file.truncate)
    return 0


def range_of(answer: Answer) -> tuple[int, int]:
    """Return the first byte that an answer has, and how many the file has; -1 for what it does not say."""
    unit, _, said = answer.headers.get("Content-Range", "").partition(" ")
    part, _, total = said.partition("/")
    first = part.partition("-")[0]
    numbers = [
        int(each) if each.isascii() and each.isdigit() and len(each) < 19 else -1 for each in (first, total)
    ]
    return (numbers[0], numbers[1]) if unit == "bytes" else (-1, -1)


def _length(answer: Answer, done: int) -> int | None:
    said = answer.headers.get("Content-Length", "")
    return done + int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


async def get_all(engine: Engine, job_id: str, folder: Path, progress: Progress) -> Unpacked:
    """Unpack all of a job's folder below a folder here."""
    async with engine.opened(calls.archive(job_id)) as answer:
        unpacking, done = Unpacking(folder), 0
        try:
            async for chunk in answer.chunks():
                await engine.transport.do(unpacking.feed, chunk)
                done += len(chunk)
                progress(done, None)
            return await engine.transport.do(unpacking.end)
        finally:
            await engine.transport.do(unpacking.close)


async def log(engine: Engine, job_id: str, stream: Stream, tail: int | None) -> AsyncGenerator[bytes, None]:
    """Give what a job has printed so far."""
    async with engine.opened(calls.log(job_id, stream, tail)) as answer:
        async for chunk in answer.chunks():
            yield chunk


async def follow(engine: Engine, job_id: str, stream: Stream, tail: int | None) -> AsyncGenerator[bytes, None]:
    """Give what a job prints, from its begin or its last `tail` lines on, until the job is over.

    It looks again and again for what has come behind that which it has, so nothing is lost or given twice when the
    connection is, the service is started again, or this machine sleeps.
    """
    place, look_s = 0, FIRST_LOOK_S
    if tail is not None:
        last, place = await _last_lines(engine, job_id, stream, tail)
        if last:
            yield last
    while True:
        is_over = (await engine.do(calls.job(job_id))).is_over
        before = place
        async for chunk in _behind(engine, job_id, stream, place):
            place += len(chunk)
            yield chunk
        if is_over and place == before:
            return
        look_s = FIRST_LOOK_S if place != before else min(look_s * 1.5, LONGEST_LOOK_S)
        if not is_over:
            await engine.transport.sleep(look_s)


async def _behind(engine: Engine, job_id: str, stream: Stream, place: int) -> AsyncGenerator[bytes, None]:
    """Give what a log has behind a place; what a lost connection cuts short, the next look has."""
    call = calls.file(job_id, stream).with_headers(Range=f"bytes={place}-")
    try:
        async with engine.opened(call) as answer:
            skip = place if answer.status != _PARTIAL else 0
            async for chunk in answer.chunks():
                if len(chunk) > skip:
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))
    except Lost:
        return
    except Problem as error:
        # It is not there before the job has begun, and may have nothing more.
        if error.status not in {_NOT_FOUND, _BEHIND_ITS_END}:
            raise


async def _last_lines(engine: Engine, job_id: str, stream: Stream, lines: int) -> tuple[bytes, int]:
    """Return the last lines of a log, and where they end."""
    call = replace(calls.file(job_id, stream), headers={"Range": f"bytes=-{_LAST_BYTES}"})
    try:
        async with engine.opened(call) as answer:
            end = range_of(answer)[1] if answer.status == _PARTIAL else -1
            kept, length = b"", 0
            async for chunk in answer.chunks():
                length += len(chunk)
                kept = (kept + chunk)[-_LAST_BYTES:]
    except Problem as error:
        if error.status not in {_NOT_FOUND, _BEHIND_ITS_END}:
            raise
        return b"", 0
    parts = kept.splitlines(keepends=True)
    return b"".join(parts[-lines:] if lines else []), end if end >= 0 else length


__all__ = ["FIRST_LOOK_S", "Progress", "follow", "get", "get_all", "log", "put", "quietly", "range_of"]
