"""What is sent of one file: counted, compared with what was announced, never more than the site takes."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator

from job_service.errors import Invalid, TooLarge
from job_service.files import programs
from job_service.files.info import shown
from job_service.sentences import files as sentences
from profiles.catalogue.system import System

# Of a file whose length nobody knows: for each piece a program is begun at the site.
_PIECE_BYTES = 256 * 1024
_PIECE_SECONDS = 1.0


class Upload:
    """One file on its way, of which `length` bytes with this sha-256 should come, where that is known.

    It may have what the site takes, and `most_mib` at most.
    """

    def __init__(
        self, path: str, site: System, length: int | None, digest: bytes | None, most_mib: int | None = None
    ) -> None:
        self._path = shown(path)
        self._site = site
        self._length = length
        self._digest = digest
        self._most_mib = most_mib
        self._hash = hashlib.sha256()
        self._came = 0
        self._hold_to_limit(length or 0)

    async def framed(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield what `programs.writing` reads; its last line only if all has come that should.

        Raises TooLarge and Invalid, and what `chunks` raise: then nothing is kept at the site.
        """
        if self._length is None:
            async for piece in _collected(chunks):
                self._take(piece)
                yield b"%d\n" % len(piece) + piece
        else:
            if self._length:
                yield b"%d\n" % self._length
            async for chunk in chunks:
                self._take(chunk)
                yield chunk
        self._compare()
        yield f"{programs.ENDED} {self._came}\n".encode()

    async def checked(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the bytes themselves, and end only if all has come that should.  Raises as `framed` does."""
        async for chunk in chunks:
            self._take(chunk)
            yield chunk
        self._compare()

    def _take(self, chunk: bytes) -> None:
        self._came += len(chunk)
        self._hold_to_limit(self._came)
        if self._length is not None and self._came > self._length:
            raise self._other_length()
        if self._digest is not None:
            self._hash.update(chunk)

    def _hold_to_limit(self, count: int) -> None:
        if not (jobs := self._site.jobs):
            raise TooLarge(sentences.TAKES_NO_FILES.format(site=self._site.title))
        most = jobs.upload_max if self._most_mib is None else min(jobs.upload_max, self._most_mib)
        if count > most * 1024 * 1024:
            named = {"path": self._path, "site": self._site.title, "megabytes": most}
            raise TooLarge(sentences.TOO_LARGE.format(**named))

    def _compare(self) -> None:
        if self._length is not None and self._came != self._length:
            raise self._other_length()
        if self._digest is not None and self._hash.digest() != self._digest:
            other = sentences.OTHER_DIGEST.format(path=self._path)
            raise Invalid(other, {"digest": other})

    def _other_length(self) -> Invalid:
        other = sentences.OTHER_LENGTH.format(path=self._path, came=self._came, expected=self._length)
        return Invalid(other, {"length": other})


async def _collected(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks in larger pieces, but those that come slowly as they come."""
    clock = asyncio.get_running_loop().time
    piece, given = bytearray(), clock()
    async for chunk in chunks:
        piece += chunk
        if piece and (len(piece) >= _PIECE_BYTES or clock() - given >= _PIECE_SECONDS):
            yield bytes(piece)
            piece.clear()
            given = clock()
    if piece:
        yield bytes(piece)
