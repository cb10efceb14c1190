import contextlib
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.ssh.transport import AnswerReader, ConnectionLost, InputTaken, last_words, new_marker, unwrap

_MARKER = "answer-0011223344556677"
_FIRST, _END = f"\n{_MARKER}\n".encode(), f"\n{_MARKER} 0\n".encode()
_CUTS = st.lists(st.integers(0, 10_000), max_size=8)
# What markers are made of, whole and in part, and what is none.
_PARTS = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([_FIRST, _END, _FIRST[:-1], _FIRST[1:], _END[:-1], _END[1:], _FIRST[:9], _FIRST[9:]]),
        st.sampled_from([b"\n", b" ", b"\r\n", b"7", b"1000", f"\n{_MARKER} unread\n".encode(), "é".encode()]),
    ),
    max_size=12,
).map(b"".join)


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(at)]


def _read(pieces: list[bytes]) -> tuple[bytes, int | type[Exception]]:
    """Return what a reader gives of the pieces, with the status or what is raised in its place."""
    reader = AnswerReader(_MARKER)
    answer = b"".join(reader.feed(piece) for piece in pieces)
    try:
        return answer, reader.status()
    except (ConnectionLost, InputTaken) as error:
        return answer, type(error)


def _read_whole(data: bytes) -> tuple[bytes, int | type[Exception]]:
    """Return the same of the reader of whole answers, to which a byte is a character here."""
    try:
        completed = unwrap(data.decode("latin-1"), "", _MARKER)
    except (ConnectionLost, InputTaken) as error:
        return b"", type(error)
    return completed.stdout.encode("latin-1"), completed.status


def _agree(data: bytes, pieces: list[bytes]) -> None:
    answer, outcome = _read(pieces)
    expected, expected_outcome = _read_whole(data)
    assert outcome == expected_outcome
    assert answer == expected or isinstance(outcome, type)


@given(_PARTS, _CUTS)
def test_an_answer_in_pieces_is_read_as_a_whole_one(data: bytes, cuts: list[int]) -> None:
    _agree(data, _pieces(data, cuts))


@given(_PARTS)
def test_an_answer_that_comes_byte_by_byte_is_read_as_a_whole_one(data: bytes) -> None:
    _agree(data, [bytes([byte]) for byte in data])


@given(st.binary(), st.binary(), st.binary(), st.integers(0, 255), _CUTS)
def test_any_bytes_between_the_markers_are_the_answer(
    said: bytes, printed: bytes, more: bytes, status: int, cuts: list[int]
) -> None:
    data = said + _FIRST + printed + f"\n{_MARKER} {status}\n".encode() + more
    assert _read(_pieces(data, cuts)) == (printed, status)


@given(_PARTS, _CUTS)
def test_nothing_is_given_that_might_not_be_the_programs(printed: bytes, cuts: list[int]) -> None:
    reader, given_out = AnswerReader(_MARKER), b""
    for piece in _pieces(_FIRST + printed, cuts):
        given_out += reader.feed(piece)
        assert printed.startswith(given_out)
        assert _END[:-2] not in given_out or printed.count(_END[:-2]) > given_out.count(_END[:-2])


def test_a_line_is_given_as_soon_as_it_cannot_be_a_marker() -> None:
    reader = AnswerReader(_MARKER)
    assert reader.feed(_FIRST + b"one") == b"one"
    assert reader.feed(b" line\n") == b" line"
    assert reader.feed(b"an") == b""
    assert reader.feed(b"other") == b"\nanother"


@pytest.mark.parametrize("length", [1, 64 * 1024])
def test_a_long_answer_is_not_kept(length: int) -> None:
    reader = AnswerReader(_MARKER)
    reader.feed(b"welcome" + _FIRST)
    piece, most = b"\n" * length, 0
    tracemalloc.start()
    try:
        for _ in range(2000):
            assert len(reader.feed(piece)) >= length - 1
            most = max(most, len(reader.kept))
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
    assert most < len(_FIRST)


def test_what_is_kept_before_the_first_marker_and_after_the_last_can_be_limited() -> None:
    reader = AnswerReader(_MARKER)
    reader.feed(b"x" * 1000)
    assert len(reader.kept) == 1000
    reader.feed(_FIRST + b"x" * 5000 + _END)
    assert len(reader.kept) == len(_END)
    reader.feed(b"x" * 3000)
    assert len(reader.kept) == len(_END) + 3000
    assert reader.status() == 0


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_last_words_are_those_between_the_markers(said: bytes, printed: bytes, more: bytes) -> None:
    told, words, rest = (each.decode("latin-1") for each in (said, printed, more))
    mark = _FIRST.decode()
    assert last_words(told + mark + words + mark + rest, _MARKER) == words
    # The beginning is gone.
    assert last_words(words + mark + rest, _MARKER) == words
    with contextlib.suppress(ConnectionLost):
        assert unwrap((_FIRST + _END).decode(), told + mark + words + mark + rest, _MARKER).stderr == words


def test_what_is_no_marker_is_given_as_it_came() -> None:
    reader, piece = AnswerReader(_MARKER), b"x" * 100_000
    reader.feed(_FIRST)
    assert reader.feed(piece) is piece
    assert reader.feed(piece + b"\n") == piece
    assert reader.feed(piece) == b"\n" + piece
    assert reader.feed(piece) is piece
    assert reader.feed(piece + _END) == piece
    assert reader.status() == 0


def test_markers_are_found_quickly_among_what_files_are_made_of() -> None:
    """Python skips what has the last six bits of no byte of the text that it looks for; any line end is one."""
    markers = {new_marker() for _ in range(50)}
    assert len(markers) == 50
    usual = {byte & 0x3F for byte in b"0123456789.,;:+-abcdefghijklmnopqrstuvwxyz\0\xff"}
    assert not usual & {ord(letter) & 0x3F for marker in markers for letter in marker}
