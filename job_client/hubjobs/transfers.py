"""Files and logs of jobs, over the engine: what is cut short goes on where it was."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hubjobs import calls, local, models
from hubjobs.archive import Unpacked, Unpacking, replacing
from hubjobs.calls import Call, Stream, Upload
from hubjobs.engine import Delays, Engine, unreadable
from hubjobs.transport import Answer, Lost

Progress = Callable[[int, int | None], None]
"""Told how many bytes have moved, of how many; None: nobody knows."""

TURN_S = 15
"""For how long a log is followed by one request: others of the same person's wait no longer for their turn."""

FIRST_LOOK_S, LONGEST_LOOK_S = 1.0, 10.0
"""How often a log is asked for at most that is followed: less often while nothing comes."""

_PARTIAL = 206


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

    It asks for what is behind that which it has, so nothing is lost or given twice when the connection is lost,
    the service is started again, or this machine sleeps; what a job prints after it has emptied its log itself may
    be given twice.
    """
    place: int | None = None
    look_s, delays = FIRST_LOOK_S, Delays(engine.patience_s)
    while True:
        began = time.monotonic()
        is_over = (await engine.do(calls.job(job_id))).is_over
        before = place
        try:
            async with engine.opened(calls.follow(job_id, stream, TURN_S, tail, place)) as answer:
                before = place = _offset(answer)
                async for chunk in answer.chunks():
                    place += len(chunk)
                    yield chunk
        except Lost:
            if place != before:
                delays = Delays(engine.patience_s)
            if not await delays.over(engine.transport):
                raise
            continue
        if is_over:
            return
        look_s = FIRST_LOOK_S if place != before else min(look_s * 1.5, LONGEST_LOOK_S)
        delays = Delays(engine.patience_s)
        await engine.transport.sleep(max(0.0, look_s - (time.monotonic() - began)))


def _offset(answer: Answer) -> int:
    """Return which byte of a log an answer begins with."""
    said = answer.headers.get("Log-Offset", "")
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        raise unreadable("Log-Offset")
    return int(said)


__all__ = ["FIRST_LOOK_S", "Progress", "follow", "get", "get_all", "log", "put", "quietly", "range_of"]
