"""A form with files behind its fields, read as it comes: no file is ever held whole."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from job_service.http import problems
from job_service.http.problems import Problem
from job_service.http.route import JSON_BYTES
from job_service.sentences import http as sentences
from slurm_ssh.text import one_line

MOST_FIELDS = 2500
"""How many values a form has at most: there may be a thousand datasets among them."""

_REST_MOST = 16 * 1024 * 1024
_MOST_HEADERS = 8
_LONGEST_HEADER = 4096

Chunks = AsyncIterator[bytes]


@dataclass(frozen=True)
class Sent:
    """What came: the fields, and the files behind them, each with its name, in their order.

    Their bytes are to be read once; what is not read of a file is passed over.  `file_name` is that of the first,
    "" if there is none.
    """

    fields: dict[str, list[str]]
    file_name: str
    files: AsyncIterator[tuple[str, Chunks]]


async def opened(body: Chunks, content_type: str) -> Sent:
    """Return what a form has, as soon as its first file begins.  Raises a Problem, as does reading the `files`.

    A browser sends fields in the order of the page, so the files have to be the last.
    """
    form = _Form(content_type)
    async for chunk in body:
        form.feed(chunk)
        if form.file_name or form.is_over:
            break
    if not (form.file_name or form.is_over):
        raise _unreadable()
    return Sent(form.fields, form.file_name, _Files(form, body).each())


async def passed_over(sent: Sent) -> None:
    """Take what still comes, within limits: browsers look at an answer when they have sent everything."""
    size = 0
    with contextlib.suppress(Exception):
        async for _, chunks in sent.files:
            async for chunk in chunks:
                size += len(chunk)
                if size > _REST_MOST:
                    return


class _Files:
    """The files of a form, one after the other."""

    def __init__(self, form: "_Form", body: Chunks) -> None:
        self._form, self._body = form, body
        self._found: list[_Begun | bytes] = []

    async def each(self) -> AsyncIterator[tuple[str, Chunks]]:
        """Yield the name of each, and its bytes."""
        while (found := await self._next()) is not None:
            if isinstance(found, _Begun):
                yield found.name, self._bytes()

    async def _bytes(self) -> Chunks:
        while (found := await self._next()) is not None:
            if isinstance(found, _Begun):
                self._found.insert(0, found)
                return
            yield found

    async def _next(self) -> "_Begun | bytes | None":
        """Return what comes next; None at the end of the form."""
        while not self._found:
            self._found = self._form.taken()
            if self._found:
                break
            chunk = await anext(self._body, None)
            if chunk is None:
                if self._form.is_over:
                    return None
                raise _unreadable()
            self._form.feed(chunk)
        return self._found.pop(0)


@dataclass(frozen=True)
class _Begun:
    """A file begins."""

    name: str


@dataclass
class _Part:
    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""


class _Form:
    """The parts of a form; what is found of files waits to be taken."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise Problem(415, "unsupported", sentences.REFUSED)
        self.fields: dict[str, list[str]] = {}
        self.file_name = ""
        self.is_over = False
        self._part, self._found = _Part(), list[_Begun | bytes]()
        self._in_file = False
        self._size = self._count = 0
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": lambda data, start, end: self._part.header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._part.value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._enter,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(
                boundary,
                callbacks,  # type: ignore[arg-type]
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except FormParserError as error:
            raise _unreadable() from error

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _unreadable() from error

    def taken(self) -> list[_Begun | bytes]:
        """Return what was found of files since it was asked last."""
        taken, self._found = self._found, []
        return taken

    def _begin(self) -> None:
        self._part, self._in_file = _Part(), False
        self._count += 1
        if self._count > MOST_FIELDS:
            raise _unreadable()

    def _begin_header(self) -> None:
        self._part.header, self._part.value = bytearray(), bytearray()

    def _end_header(self) -> None:
        if self._part.header.lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.value)

    def _enter(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.value = bytearray()
        self._part.name = options.get(b"name", b"").decode(errors="replace")
        # Without a name nothing was picked.
        name = options.get(b"filename", b"").decode(errors="replace")
        if name:
            self._in_file = True
            self._found.append(_Begun(name))
            self.file_name = self.file_name or name
        elif self.file_name and b"filename" not in options:
            raise _unreadable()

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._found.append(data[start:end])
            return
        self._size += end - start
        if self._size > JSON_BYTES:
            raise Problem(413, "too_large", sentences.BODY_TOO_LARGE.format(most=JSON_BYTES))
        self._part.value.extend(data[start:end])

    def _end_part(self) -> None:
        if self._in_file:
            return
        try:
            value = self._part.value.decode()
        except UnicodeDecodeError as error:
            raise _unreadable() from error
        self.fields.setdefault(one_line(self._part.name, 100), []).append(value)

    def _end(self) -> None:
        self.is_over = True


def _unreadable() -> Problem:
    return problems.malformed(sentences.NOT_READABLE)
