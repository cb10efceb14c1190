from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.errors import Broken, FrontEndRefused
from slurm_ssh.text import lines, one_line


@given(st.text(), st.integers(1, 50))
def test_whatever_is_said_is_short_and_printable(text: str, most: int) -> None:
    line, several = one_line(text, most), lines(text, most)
    assert line.isprintable()
    assert len(line) <= most >= len(several)
    assert "".join(several.split("\n")).replace("\t", "").isprintable()


def test_the_end_of_what_was_said_is_what_is_shown_of_many_lines() -> None:
    assert lines("first\nsecond\nthird", 12) == "second\nthird"


def test_an_error_keeps_what_a_site_said_short_and_harmless() -> None:
    error = Broken("It failed.", "\x1b[2J\x1b]0;owned\x07" + "x" * 100_000, quoted="a\nb\x1b[31m" + "y" * 100_000)
    assert len(str(error)) < 12_000
    assert "\x1b" not in str(error) + error.detail + error.quoted


def test_an_error_in_one_line_ends_with_what_is_quoted() -> None:
    greeting = "Welcome. " * 100
    error = FrontEndRefused(
        "login1 did not let you in and says:", quoted=f"{greeting}\nYour account\nhas expired.\n"
    )
    assert error.in_one_line.startswith("login1 did not let you in and says: ")
    assert error.in_one_line.endswith("Your account has expired.")
    assert len(error.in_one_line) < 600
    assert Broken("It failed.", "for the log").in_one_line == "It failed."
