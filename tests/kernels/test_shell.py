import jinja2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels import shell
from kernels.shell import Shell, UnquotedValueError, join, quote
from tests.support import shells

# Any text but NUL and lone surrogates, which no UTF-8 program can hold.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
hostile = (
    "",
    "'",
    '"',
    "`id`",
    "$(id)",
    "${HOME}",
    "a\nb\n",
    "\\",
    "!!",
    "~",
    "*",
    "-n",
    "a;b|c&d",
    "\x1b[31m",
    "é😀",
)


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8))
@example(list(hostile))
def test_a_quoted_value_comes_out_of_a_shell_as_it_went_in(values: list[str]) -> None:
    answer = shells.run(["/bin/sh", "-c", f"printf '%s\\0' {join(values)}"])
    assert answer.stdout == "".join(f"{value}\0" for value in values).encode()


@given(texts)
def test_a_quoted_value_is_shell_and_not_plain_text(value: str) -> None:
    assert isinstance(quote(value), Shell)


def test_a_word_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def test_joined_words_stay_apart() -> None:
    assert join(["printf", "%s", "two words"]) == "printf %s 'two words'"


@pytest.fixture
def templates() -> jinja2.Environment:
    return shell.templates("slurm_ssh_spawner.launch")


@pytest.mark.parametrize("value", ["text", "", 1, None, ["a"], jinja2.Undefined()])
def test_a_template_that_forgets_to_quote_fails(templates: jinja2.Environment, value: object) -> None:
    with pytest.raises(UnquotedValueError, match="without quote"):
        templates.from_string("echo {{ value }}").render(value=value)


def test_a_template_that_builds_a_value_by_joining_fails(templates: jinja2.Environment) -> None:
    with pytest.raises(UnquotedValueError):
        templates.from_string("echo {{ value ~ '.log' }}").render(value=quote("a b"))


def test_a_template_that_quotes_gives_one_word(templates: jinja2.Environment) -> None:
    text = templates.from_string("echo {{ value | quote }}").render(value="$(id) 'x'")
    assert shells.bash(text).stdout == b"$(id) 'x'\n"


def test_a_template_that_names_an_unknown_value_fails(templates: jinja2.Environment) -> None:
    with pytest.raises((jinja2.UndefinedError, UnquotedValueError)):
        templates.from_string("echo {{ nothing }}").render()
