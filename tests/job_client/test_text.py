"""What may be written to a terminal, whoever wrote it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubjobs import text


def _is_safe(said: str) -> bool:
    return all(c in "\n\t" or text.is_harmless(c) for c in said)


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_a_log_never_commands_a_terminal_however_it_is_cut(chunks: list[bytes]) -> None:
    plain = text.Plain()
    assert _is_safe("".join(map(plain.feed, chunks)) + plain.end())


@pytest.mark.parametrize(
    ("log", "seen"),
    [
        (b"\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        (b"10%\r20%\r\nend\r", "10%\n20%\nend\n"),
        ("Gräße \u202e \x9b2J".encode(), "Gräße  2J"),
        (b"half \xe2\x82", "half \N{REPLACEMENT CHARACTER}"),
        (b"\x1bPq#0\x1b\\after", "after"),
        (b"\x1b[31", "[31"),
    ],
)
def test_a_log_without_its_commands(log: bytes, seen: str) -> None:
    for size in (1, 3, len(log)):
        plain = text.Plain()
        parts = [plain.feed(log[at : at + size]) for at in range(0, len(log), size)]
        whole = "".join(parts) + plain.end()
        assert _is_safe(whole)
        if size == len(log):
            assert whole == seen


@given(st.dictionaries(st.text(), st.text() | st.integers(), max_size=4))
def test_json_means_the_same_and_is_harmless(value: object) -> None:
    for said in (json.dumps(value, indent=1), json.dumps(value, ensure_ascii=False)):
        shown = text.escaped(said.encode("utf-8", "replace").decode())
        assert _is_safe(shown)
        assert json.loads(shown) == json.loads(said.encode("utf-8", "replace").decode())


def test_one_line_is_one_line() -> None:
    assert text.one_line(" a\nb\x1b[2J\x85c\u2028d ") == "a b [2J c d"
    assert text.one_line("x" * 100, 10) == "x" * 10
