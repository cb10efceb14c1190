import base64
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.files import answers
from slurm_ssh.errors import Broken, Unavailable

_BYTES = st.binary(min_size=1, max_size=30)


async def _said(text: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    at = 0
    for cut in sorted(cuts):
        yield text[at:cut]
        at = max(at, cut)
    yield text[at:]


async def _log(text: bytes, cuts: list[int]) -> bytes:
    return b"".join([piece async for piece in answers.pieces(_said(text, cuts), "stdout", "Geneva")])


@given(st.lists(_BYTES, max_size=5), st.lists(st.integers(0, 200), max_size=9))
async def test_a_log_is_what_was_said_in_whatever_pieces_it_comes(parts: list[bytes], cuts: list[int]) -> None:
    text = b"".join(b"%d;%s." % (len(part), part) for part in parts)
    assert await _log(text, cuts) == b"".join(parts)


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=9))
async def test_a_log_that_means_nothing_is_told(text: bytes, cuts: list[int]) -> None:
    try:
        await _log(b"x" + text, cuts)
    except (Broken, Unavailable):
        return
    raise AssertionError


@pytest.mark.parametrize("text", [b"5;ab.", b"5", b"2;ab"])
async def test_a_log_that_became_shorter_is_told(text: bytes) -> None:
    with pytest.raises(Unavailable, match="stdout became shorter while it was read"):
        await _log(text, [])


@pytest.mark.parametrize(
    "said", ["", "7", "7 1", "x 1.000000000", "7 1.000000000 more", "9" * 20 + " 1.000000000"]
)
def test_what_no_program_of_ours_says_of_a_file_is_told(said: str) -> None:
    with pytest.raises(Broken, match="The answer of Geneva about the files of the job could not be understood"):
        answers.info("data", said, "Geneva")


@pytest.mark.parametrize("said", ["x", "eA==", "Zg==", "ZiA3IDEuMDAwMDAwMDAwIAA=", "\N{SNOWMAN}"])
def test_what_no_program_of_ours_says_of_a_folder_is_told_or_nothing(said: str) -> None:
    with contextlib.suppress(Broken):
        assert answers.listing("", said, "Geneva")[0].items == ()


@pytest.mark.parametrize(
    "seconds", ["-9223372036854775808", "-62135596801", "0", "253402300800", "9223372036854775807"]
)
def test_a_file_may_be_of_any_time(seconds: str) -> None:
    """Its owner may have given it one: nothing of it, and of the others in its folder, is lost by that."""
    found = answers.info("data", f"7 {seconds}.000000001\n", "Geneva")
    assert 1 <= found.modified.year <= 9999
    said = base64.b64encode(f"f 7 {seconds}.0000000000 data\x000".encode()).decode()
    (listed,) = answers.listing("", said, "Geneva")[0].items
    assert (listed.size, listed.modified) == (7, found.modified)
