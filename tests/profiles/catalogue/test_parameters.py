"""Parameters: what may be picked, and which words behind a program that becomes."""

from typing import Any

import pytest
from pydantic import ValidationError

from profiles.catalogue.parameter import Parameter
from profiles.conditions import Together


def _parameter(**keys: Any) -> Parameter:
    return Parameter.model_validate({"title": "P", **keys})


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        ({"min": 1, "max": 9, "argument": "--n"}, "7", ("--n", "7")),
        ({"decimal": {}, "argument": ["--set", "cut off"]}, "5.50", ("--set", "cut off", "5.50")),
        ({"text": {}, "argument": []}, "two words", ("two words",)),
        ({"text": {}, "argument": "--label"}, "", ()),
        ({"text": {}}, "unused", ()),
        ({"flag": True, "argument": "--quiet"}, "true", ("--quiet",)),
        ({"flag": True, "argument": "--quiet"}, "false", ()),
        ({"flag": True, "argument": ["-v", "-v"]}, "true", ("-v", "-v")),
        ({"options": ["a", "b"], "argument": "--as"}, "b", ("--as", "b")),
        ({"options": {"": "None", "r": "Red"}, "argument": "--as"}, "", ()),
        ({"options": {"": "None", "r": "Red"}, "words": {"r": ["--reg", "--red"]}}, "r", ("--reg", "--red")),
        ({"options": {"": "None", "r": "Red"}, "words": {"r": ["--reg"]}}, "", ()),
        ({"options": ["a", "b"], "words": {"a": ["-a"]}}, "b", ()),
    ],
)
def test_a_value_becomes_words_and_nothing_none(keys: dict[str, Any], value: str, words: tuple[str, ...]) -> None:
    assert _parameter(**keys).argv(value) == words


@pytest.mark.parametrize(
    ("keys", "usual"),
    [
        ({"decimal": {"min": 0.5}}, "0.5"),
        ({"decimal": {"max": "1e-3"}}, "1e-3"),
        ({"decimal": {}}, ""),
        ({"decimal": {"min": 0}, "default": 5}, "5"),
        ({"decimal": {"min": 0}, "default": "0.50"}, "0.50"),
        ({"decimal": {"min": 0}, "default": ""}, ""),
        ({"min": 1, "max": 3, "default": ""}, ""),
        ({"flag": True}, "false"),
        ({"flag": True, "default": True}, "true"),
        ({"flag": True, "default": "true"}, "true"),
        ({"text": {}}, ""),
        ({"options": {"": "None", "r": "Red"}}, ""),
    ],
)
def test_what_is_had_if_nothing_is_chosen(keys: dict[str, Any], usual: str) -> None:
    assert _parameter(**keys).default_text == usual


@pytest.mark.parametrize(
    ("decimal", "good", "bad"),
    [
        ({"min": 0, "max": 1}, ["0", "0.0", "1", "1.000", "1e-3", "0.999999999999999999"], ["-0.1", "1.1", "1e1"]),
        ({"min": "-1e5"}, ["99999999999", "-100000", "1E+5"], ["-100000.1", "", "nan", "inf", "1e100", "0x1"]),
        ({}, ["-0"], ["١", "1_0", " 1", "1.", ".5", "1e", "--1", "1" * 19, "0." + "1" * 19, "1e1000000000"]),
    ],
)
def test_decimal_numbers_are_compared_exactly(decimal: dict[str, Any], good: list[str], bad: list[str]) -> None:
    parameter = _parameter(decimal=decimal)
    assert [text for text in good if not parameter.accepts(text)] == []
    assert [text for text in bad if parameter.accepts(text)] == []


def test_a_text_is_as_long_as_it_may_be_and_matches_as_a_whole() -> None:
    label = _parameter(text={"longest": 5, "pattern": "[a-z]+|é"})
    assert [text for text in ("abc", "é", "abcde") if not label.accepts(text)] == []
    assert [text for text in ("abcdef", "ab1", "", "1ab", "ab\n", "éa") if label.accepts(text)] == []


def test_no_pattern_takes_longer_than_the_text_is_long() -> None:
    """Engines that go back over a text need 2^200 steps for this one."""
    assert not _parameter(text={"pattern": "(a*)*(a|a)*(a*)*b"}).accepts("a" * 200)


@pytest.mark.parametrize("pattern", ["(", "a{1000}{1000}", r"(a)\1", "(?<=a)b", "a)|(b", "(?x)a#"])
def test_a_pattern_of_another_kind_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a pattern: "):
        _parameter(text={"pattern": pattern})


def test_a_condition_is_asked_of_each_dataset() -> None:
    cutoff = _parameter(decimal={}, when="channels > 1")
    nothing = Together(({},))
    assert _parameter(decimal={}).is_for_all(nothing)
    assert cutoff.is_for_all(Together(({"channels": 2}, {"channels": 3.5})))
    assert not cutoff.is_for_all(Together(({"channels": 2}, {"channels": 1})))
    assert not cutoff.is_for_all(Together(({"channels": 2}, {})))
    assert not cutoff.is_for_all(nothing)
    assert _parameter(decimal={}, when="True").is_for_all(nothing)
