"""A file that is a request's body or the one part of a form, however its bytes come."""

import tracemalloc
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.http.old import upload
from job_service.http.old.upload import Upload
from job_service.http.problems import Problem
from tests.job_service.http.old.support import fields

FORM = "multipart/form-data; boundary=frontier"
NAMED = 'attachment; filename="job.zip"'


async def _coming(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _opened(
    *chunks: bytes, named: str | None = NAMED, kind: str = "application/zip", length: int | None = None
) -> Upload | None:
    return await upload.opened(_coming(chunks), named, kind, length)


async def _bytes(opened: Upload | None) -> bytes:
    assert opened is not None
    return b"".join([chunk async for chunk in opened.chunks])


def _form(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(b"--frontier\r\n%s\r\n\r\n%s\r\n" % (head.encode(), data) for head, data in parts)
    return body + b"--frontier--\r\n"


def _part(data: bytes, name: str = "job.zip") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/zip', data


async def _refused(*chunks: bytes, named: str | None = None, kind: str = FORM) -> dict[str, str]:
    with pytest.raises(Problem) as error:
        await _bytes(await _opened(*chunks, named=named, kind=kind))
    return fields(error.value)


@pytest.mark.parametrize("kind", ["", "application/zip", "application/x-www-form-urlencoded"])
async def test_a_body_is_the_file_itself(kind: str) -> None:
    opened = await _opened(b"", b"PK", b"\x03\x04", kind=kind, length=4)
    assert opened is not None
    assert (opened.name, opened.length) == ("job.zip", 4)
    assert await _bytes(opened) == b"PK\x03\x04"


async def test_no_body_is_no_file() -> None:
    assert await _opened(named=None) is None


async def test_an_empty_file_and_one_without_a_name_are_refused() -> None:
    assert list(await _refused(named=NAMED, kind="")) == ["Content-Disposition"]
    assert list(await _refused(b"PK", kind="")) == ["Content-Disposition"]


@given(data=st.binary(max_size=300), size=st.integers(1, 90))
async def test_a_form_gives_the_bytes_of_its_part_however_it_is_cut(data: bytes, size: int) -> None:
    data += b"\r\n--fron\r\n--frontie\r\r\n-"
    body = _form(_part(data, "my job.zip"))
    opened = await _opened(*(body[at : at + size] for at in range(0, len(body), size)), named=None, kind=FORM)
    assert opened is not None
    assert (opened.name, opened.length) == ("my job.zip", None)
    assert await _bytes(opened) == data


async def test_the_name_of_the_request_goes_before_that_of_the_part() -> None:
    opened = await _opened(_form(_part(b"x", "other.zip")), kind=FORM)
    assert opened is not None
    assert opened.name == "job.zip"
    with_none = _form(('content-disposition: form-data; name="file"', b"x"))
    assert (await _opened(with_none, kind=FORM)) is not None
    assert list(await _refused(with_none)) == ["Content-Disposition"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--frontier--\r\n",
        b"no form",
        b"--frontier\r\n",
        _form(_part(b"x"), _part(b"y")),
        _form(_part(b"x"), ('Content-Disposition: form-data; name="title"', b"y")),
        _form(_part(b"x"))[:-4],
        b"--frontier\r\n" + b"X: y\r\n" * 100,
        b"--frontier\r\nX: " + b"y" * 100_000,
        b"--frontier\r\nnot a header\r\n\r\nx",
    ],
)
async def test_what_is_no_form_of_one_file_is_refused(body: bytes) -> None:
    assert list(await _refused(body)) == ["body"]


@pytest.mark.parametrize("kind", ["multipart/form-data", 'multipart/form-data; boundary="', FORM + "x" * 300])
async def test_a_form_without_a_boundary_is_refused(kind: str) -> None:
    assert list(await _refused(b"--frontier\r\n", kind=kind)) == ["body"]


@pytest.mark.parametrize("name", ["../job.zip", "a\x00b", ".."])
async def test_a_part_may_be_called_no_worse_than_a_body(name: str) -> None:
    assert list(await _refused(_form(_part(b"x", name)))) == ["Content-Disposition"]


async def test_whole_files_in_memory() -> None:
    async def large() -> AsyncIterator[bytes]:
        yield _form(_part(b""))[: -len(b"\r\n--frontier--\r\n")]
        for _ in range(256):
            yield b"\r\n" * 32768
        yield b"\r\n--frontier--\r\n"

    tracemalloc.start()
    opened = await upload.opened(large(), None, FORM, None)
    assert opened is not None
    assert sum([len(chunk) async for chunk in opened.chunks]) == 256 * 65536
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
