"""A form with a file behind its fields, read as it comes: the file is never held whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from job_service.http import problems
from job_service.http.problems import Problem
from job_service.http.route import JSON_BYTES
from job_service.sentences import http as sentences
from slurm_ssh.text import one_line

_MOST_FIELDS = 1000
_MOST_HEADERS = 8
_LONGEST_HEADER = 4096


@dataclass(frozen=True)
class Sent:
    """What came: the fields, and the file behind them, if there is one; its bytes are to be read once."""

    fields: dict[str, list[str]]
    file_name: str
    chunks: AsyncIterator[bytes]


async def opened(body: AsyncIterator[bytes], content_type: str) -> Sent:
    """Return what a form has, as soon as its file begins.  Raises a Problem, as do the file's `chunks`.

    A browser sends fields in the order of the page, so the file has to be the last.
    """
    form = _Form(content_type)
    async for chunk in body:
        form.feed(chunk)
        if form.in_file or form.is_over:
            break
    if not (form.in_file or form.is_over):
        raise _unreadable()
    return Sent(form.fields, form.file_name, _file(form, body))


async def _file(form: "_Form", body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in form.taken():
        yield piece
    async for chunk in body:
        form.feed(chunk)
        for piece in form.taken():
            yield piece
    if not form.is_over:
        raise _unreadable()


@dataclass
class _Part:
    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""


class _Form:
    """The parts of a form; what is found of the file waits to be taken."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise Problem(415, "unsupported", sentences.REFUSED)
        self.fields: dict[str, list[str]] = {}
        self.in_file = self.is_over = False
        self.file_name = ""
        self._part, self._data = _Part(), list[bytes]()
        self._size = 0
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

    def taken(self) -> list[bytes]:
        """Return the data of the file that were found since it was asked last."""
        taken, self._data = self._data, []
        return taken

    def _begin(self) -> None:
        if self.in_file:
            raise _unreadable()
        self._part = _Part()

    def _begin_header(self) -> None:
        self._part.header, self._part.value = bytearray(), bytearray()

    def _end_header(self) -> None:
        if self._part.header.lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.value)

    def _enter(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.value = bytearray()
        self._part.name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" in options:
            self.file_name = options[b"filename"].decode(errors="replace")
            # Without a name nothing was picked.
            self.in_file = bool(self.file_name)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self.in_file:
            self._data.append(data[start:end])
            return
        self._size += end - start
        if self._size > JSON_BYTES:
            raise Problem(413, "too_large", sentences.BODY_TOO_LARGE.format(most=JSON_BYTES))
        self._part.value.extend(data[start:end])

    def _end_part(self) -> None:
        if self.in_file:
            return
        try:
            value = self._part.value.decode()
        except UnicodeDecodeError as error:
            raise _unreadable() from error
        self.fields.setdefault(one_line(self._part.name, 100), []).append(value)
        if len(self.fields) > _MOST_FIELDS:
            raise _unreadable()

    def _end(self) -> None:
        self.is_over = True


def _unreadable() -> Problem:
    return problems.malformed(sentences.NOT_READABLE)
