"""The file that comes with a request: its body as it is, or the one part of a form.  Never held whole."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from job_service.http.old.disposition import HEADER, decoded, filename, parameter, wrong
from job_service.http.old.wrong import malformed
from job_service.http.problems import Problem
from job_service.sentences import old_paths as sentences

_FORM = "multipart/form-data"
KNOWN_BYTES = 1024 * 1024
"""So large a file is held in memory, if need be; ten of a person's are under way at most."""

_LONGEST_HEADER = 4096
_MOST_HEADERS = 8


@dataclass(frozen=True)
class Upload:
    """A file that comes: its name, its bytes, to be read once; how many and their SHA-256, if the client says."""

    name: str
    chunks: AsyncIterator[bytes]
    length: int | None
    digest: bytes | None = None


async def looked_into(upload: Upload) -> tuple[Upload, str]:
    """Return a file, and what is known of its bytes before all have come, alike for the same file.

    Of one with KNOWN_BYTES at most these are all its bytes; else what the client has said: length and SHA-256.
    """
    begun, length = [], 0
    async for chunk in upload.chunks:
        begun.append(chunk)
        length += len(chunk)
        if length > KNOWN_BYTES:
            said = f"{upload.length} {upload.digest.hex() if upload.digest else None}"
            return replace(upload, chunks=_behind(begun, upload.chunks)), said
    whole = b"".join(begun)
    return replace(upload, chunks=_behind([whole], upload.chunks)), hashlib.sha256(whole).hexdigest()


async def _behind(begun: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in begun:
        yield chunk
    begun.clear()
    async for chunk in rest:
        yield chunk


async def opened(
    body: AsyncIterator[bytes],
    disposition: str | None,
    content_type: str,
    length: int | None,
    digest: bytes | None = None,
) -> Upload | None:
    """Return the file that a body has, or None for no body; the name is the header's, else that of its part.

    Reads no further than to the first byte of the file.  Raises a Problem for what is no file; its `chunks` raise
    it for what only shows at the end: a further part of a form, or none of its last boundary.
    """
    name = filename(disposition)
    if content_type.partition(";")[0].strip().lower() == _FORM:
        return await _of_form(body, name, content_type)
    first = await _first(body)
    if not first:
        if name is not None:
            raise wrong(sentences.NO_BYTES.format(name=name))
        return None
    if name is None:
        raise wrong(sentences.NAME_MISSING)
    return Upload(name, _all(first, body), length, digest)


async def _first(body: AsyncIterator[bytes]) -> bytes:
    async for chunk in body:
        if chunk:
            return chunk
    return b""


async def _all(first: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in body:
        yield chunk


async def _of_form(body: AsyncIterator[bytes], name: str | None, content_type: str) -> Upload:
    form = _Form(content_type)
    async for chunk in body:
        form.feed(chunk)
        if form.in_part:
            break
    if not form.in_part:
        raise _unreadable(sentences.FORM_CUT if form.is_begun else sentences.FORM_NO_PART)
    if name is None:
        name = filename(decoded(bytes(form.disposition)))
    if name is None:
        raise wrong(sentences.NAME_MISSING)
    return Upload(name, _part(form, body), None)


async def _part(form: "_Form", body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in form.taken():
        yield piece
    async for chunk in body:
        form.feed(chunk)
        for piece in form.taken():
            yield piece
    if not form.is_over:
        raise _unreadable(sentences.FORM_CUT)


@dataclass
class _Header:
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)


class _Form:
    """A form with one part, read as it comes; what is found of the part's data waits to be taken."""

    def __init__(self, content_type: str) -> None:
        try:
            boundary = parameter(content_type, "boundary")
        except ValueError as error:
            raise _unreadable(sentences.FORM_UNREADABLE) from error
        if not boundary:
            raise _unreadable(sentences.FORM_NO_BOUNDARY)
        self.is_begun = self.in_part = self.is_over = False
        self.disposition = b""
        self._header = _Header()
        self._data: list[bytes] = []
        try:
            self._parser = MultipartParser(
                boundary.encode("latin-1", errors="replace"),
                {
                    "on_part_begin": self._begin,
                    "on_header_begin": self._begin_header,
                    "on_header_field": lambda data, start, end: self._header.name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header.value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._enter,
                    "on_part_data": lambda data, start, end: self._data.append(bytes(data[start:end])),
                    "on_end": self._end,
                },
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except FormParserError as error:
            raise _unreadable(sentences.FORM_UNREADABLE) from error

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self.is_begun = self.is_begun or bool(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _unreadable(sentences.FORM_UNREADABLE) from error

    def taken(self) -> list[bytes]:
        """Return the data that were found since it was asked last."""
        taken, self._data = self._data, []
        return taken

    def _begin(self) -> None:
        if self.in_part:
            raise _unreadable(sentences.FORM_ONE_PART)

    def _begin_header(self) -> None:
        self._header = _Header()

    def _end_header(self) -> None:
        if self._header.name.lower() == HEADER.lower().encode():
            self.disposition = bytes(self._header.value)

    def _enter(self) -> None:
        self.in_part = True

    def _end(self) -> None:
        self.is_over = True


def _unreadable(sentence: str) -> Problem:
    return malformed("body", sentence)
