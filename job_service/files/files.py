"""Files of batch jobs, sent to their sites and had from there, as the jobs' owners."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Literal

from job_service import layout
from job_service.errors import NotMade
from job_service.files import answers, paths, programs
from job_service.files.info import FileInfo, Listing
from job_service.files.reading import Reading, busy
from job_service.files.upload import Upload
from job_service.record import JobRecord
from job_service.sentences import files as sentences
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed

Log = Literal["stdout", "stderr"]

# What base64 makes of a listing, and what a login shell says around it.
_LONGEST_LISTING = programs.LONGEST_LISTING * 3 // 2


class Files:
    """The files of all jobs; it keeps nothing of them.

    No file that is sent has more than `most_mib` MiB, whatever its site takes.
    `remote_of` gives access to a job's site as its owner, with a deadline that begins then, and may raise.  All
    methods raise what that does; Invalid (field `path`) for a path that cannot be one or that leads out of the
    job's folder, NotAFile for one that is a folder or a device; NotFound for what is not there, also if the
    folder was removed at the site; TooMany if the owner has as many transfers there as there may be; and
    LaunchError for what goes wrong at the site, such as Unavailable if a transfer came to a standstill.

    A path is relative to the job's folder, already decoded, with lone surrogates for bytes that are no UTF-8
    (`urllib.parse.unquote(raw, errors="surrogateescape")`).

    Whoever enters one of the contexts has to take its chunks, and to leave it, in the same task: a transfer that
    comes to a standstill is ended there.
    """

    def __init__(self, remote_of: Callable[[JobRecord], Remote], most_mib: int | None = None) -> None:
        self._remote_of = remote_of
        self._most_mib = most_mib

    async def put(
        self,
        record: JobRecord,
        path: str,
        chunks: AsyncIterator[bytes],
        length: int | None = None,
        digest: bytes | None = None,
    ) -> FileInfo:
        """Put a file into the job's folder, with the folders on its way: whole, or not at all.

        `length` is how many bytes should come (Content-Length), `digest` their sha-256 (Content-Digest); None if
        that is not known.  The chunks are taken no faster than the site takes them, and what they raise comes out.
        A file of that name is replaced.  Raises TooLarge before and while it is sent, NoSpace with the site's
        words, and Invalid (field `length` or `digest`) if something else came.
        """
        names, remote = paths.parts(path), self._remote_of(record)
        upload = Upload(path, remote.site, length, digest, self._most_mib)
        program = programs.writing(record.folder, names, secrets.token_hex(8))
        async with aclosing(upload.framed(chunks)) as framed:
            with busy(remote):
                answer = await remote.send(program, framed)
        if answer.status:
            raise _error(remote, record, path, answer, sentences.NOT_SENT)
        return answers.info(path, answer.stdout, remote.site.title)

    async def list(self, record: JobRecord, path: str = "") -> Listing:
        """Return what lies in the job's folder, or in one in it, and in the folders there; nothing of `.job`."""
        names, remote = paths.folder_parts(path), self._remote_of(record)
        program = programs.listing(record.folder, names)
        answer = await remote.run(program, limit_bytes=_LONGEST_LISTING)
        otherwise = sentences.NOT_READ if names else sentences.NOT_ARCHIVED
        if answer.status:
            error = _error(remote, record, path, answer, otherwise)
            if isinstance(error, NotMade) and not names:
                return Listing(())
            raise error
        # Of many files it takes a while, in which others are answered.
        listing = partial(answers.listing, "/".join(names), answer.stdout, remote.site.title)
        found, status = await asyncio.to_thread(listing)
        if status and not found.items:
            raise _error(remote, record, path, replace(answer, status=status), otherwise)
        return found

    @asynccontextmanager
    async def get(
        self, record: JobRecord, path: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[tuple[FileInfo, AsyncIterator[bytes]]]:
        """Give a file as it is at this moment, and its bytes from `start` on, at most `length` of them.

        A negative `start` counts from the end: the last bytes, all if there are fewer.  There are none behind the
        end, and exactly `min(length, size - start)` otherwise, or the iterator raises.  Whoever only wants to
        know the file leaves without taking any.
        """
        names, remote = paths.parts(path), self._remote_of(record)
        program = programs.reading(record.folder, names, start, length)
        async with Reading(remote, path, sentences.NOT_READ, is_made=_is_made(record)).begun(program) as reading:
            found = answers.info(path, reading.beginning, remote.site.title)
            left = max(0, found.size - max(0, start if start >= 0 else found.size + start))
            async with aclosing(reading.exactly(left if length is None else min(left, length))) as chunks:
                yield found, chunks

    async def delete(self, record: JobRecord, path: str) -> None:
        """Remove a file, a link, or a folder with all that is in it."""
        names, remote = paths.parts(path), self._remote_of(record)
        answer = await remote.run(programs.removing(record.folder, names))
        if answer.status:
            raise _error(remote, record, path, answer, sentences.NOT_REMOVED)

    @asynccontextmanager
    async def archive(self, record: JobRecord) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the job's folder as a tar file, without `.job`; links are links in it.

        Names begin with `./`.  The iterator raises if the archive is not whole, after it gave what there is.
        """
        is_made = _is_made(record)
        reading = Reading(self._remote_of(record), "", sentences.NOT_ARCHIVED, is_made=is_made, may_change=True)
        async with reading.begun(programs.archiving(record.folder)), aclosing(reading.rest()) as chunks:
            yield chunks

    @asynccontextmanager
    async def log(
        self,
        record: JobRecord,
        which: Log,
        tail: int | None = None,
        follow: asyncio.Event | None = None,
        offset: int | None = None,
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Give what the job has printed, and with which byte of it that begins; nothing if it has not begun.

        That is byte `offset`, or 0 if there are not so many (the job began it anew); without an offset, that where
        its last `tail` lines begin, or 0.
        With `follow`, also what it prints from then on, until that is set (the job is over) and all is read.
        Nothing is given for as long as the job prints nothing; at once nothing more if its folder is not made yet.
        """
        remote, is_followed = self._remote_of(record), follow is not None
        its_own = layout.of_task(which, record.task)
        program = programs.log(record.folder, its_own, tail, is_followed=is_followed, offset=offset)
        reading = Reading(remote, which, sentences.NOT_READ, is_made=_is_made(record))
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(reading.begun(program, keeps_input=is_followed))
            except NotMade:
                yield 0, _nothing()
                return
            await stack.enter_async_context(reading.ended_with(follow))
            begins = answers.offset(reading.beginning, remote.site.title)
            printed = answers.pieces(reading.rest(), which, remote.site.title)
            yield begins, await stack.enter_async_context(aclosing(printed))

    async def sweep(self, record: JobRecord) -> None:
        """Remove what is left, for a day and more, of files that did not come whole, in all jobs of this owner.

        Each `put` does the same for its own job.
        """
        await self._remote_of(record).run(programs.sweeping(record.folder))


def _error(remote: Remote, record: JobRecord, path: str, answer: Completed, otherwise: str) -> Exception:
    return answers.error(path, remote.site.title, answer, otherwise, is_made=_is_made(record))


def _is_made(record: JobRecord) -> bool:
    """Return whether the folder of a job has to be there: it is made for the first file, or to send the job."""
    return record.submission != "none"


async def _nothing() -> AsyncGenerator[bytes, None]:
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk
