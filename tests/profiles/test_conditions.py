"""Conditions: what holds of a dataset, what is no condition, and that nothing is looked at but its parameters."""

import logging
import re
from collections.abc import Mapping

import pytest

from profiles import conditions
from profiles.conditions import ConditionWrong, Together, Value
from tests.support.folders import DATA

_DATASET: dict[str, Value] = {
    "channels": 2,
    "kind": "scan",
    "note": "it's",
    "empty": "",
    "voxel": 0.5,
    "masked": True,
    "gone": None,
    "dim.x": 512,
    "Trueish": 1,
}
_LINES = (DATA / "conditions.txt").read_text(encoding="utf-8").splitlines()
_CORPUS = [line.split("\t", 1) for line in _LINES if not line.startswith(("# ", "#\t"))]


def _outcome(text: str) -> str:
    try:
        return "holds" if conditions.parse(text).holds(_DATASET) else "fails"
    except ConditionWrong as wrong:
        said = str(wrong)
    assert re.search("; write ", said)
    assert said.isprintable()
    at = re.search(r"character (\d+)", said)
    return f"wrong {at[1] if at else '-'}"


def test_the_corpus_is_large() -> None:
    assert len(_CORPUS) > 100
    assert len({text for _, text in _CORPUS}) == len(_CORPUS)


@pytest.mark.parametrize(("expected", "text"), _CORPUS, ids=[text for _, text in _CORPUS])
def test_each_condition_of_the_corpus_is_what_it_says(expected: str, text: str) -> None:
    assert _outcome(text) == expected


def test_of_many_datasets_a_condition_says_what_it_says_of_each() -> None:
    odd: tuple[Value, ...] = (None, True, False, 0, 1, 1.0, 2, "", "scan", 10**30)
    many: list[Mapping[str, Value]] = [{}, _DATASET, *({**_DATASET, "channels": value} for value in odd)]
    many += [{**_DATASET, "masked": value, "kind": other} for value in odd for other in odd]
    texts = [text for expected, text in _CORPUS if not expected.startswith("wrong")]
    for text in (
        *texts,
        "channels",
        "channels == True",
        "channels == 1",
        "masked || kind == 'scan'",
        "True",
        "False",
    ):
        try:
            condition = conditions.parse(text)
        except ConditionWrong:
            continue
        for some in (many, [each for each in many if condition.holds(each)] or [{}], many[:2]):
            assert Together(some).all_hold(condition) is all(map(condition.holds, some)), text


def test_a_condition_knows_the_names_it_looks_at() -> None:
    assert conditions.parse("a > 1 && (b.c == 'd' || !(a == null))").names == {"a", "b.c"}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 51 + "a > 1" + ")" * 51,
        "-" * 51 + "1 == 1",
        "!(" * 26 + "True" + ")" * 26,
        "--(" * 18 + "1" + ")" * 18 + " == 1",
        "(" * 1000,
    ],
)
def test_what_is_too_deep_is_refused(text: str) -> None:
    with pytest.raises(
        ConditionWrong, match=r"is more than 50 brackets and signs deep at character 5[1-9]; write"
    ):
        conditions.parse(text)


def test_fifty_deep_is_not_too_deep() -> None:
    assert conditions.parse("(" * 50 + "channels > 1" + ")" * 50).holds(_DATASET)
    assert conditions.parse("-" * 50 + "1 == 1").holds({})


def test_what_is_too_long_is_refused_and_a_long_one_is_not() -> None:
    long = " || ".join(["channels == 9"] * 57) + " || channels == 2"
    assert 950 < len(long) <= conditions.LONGEST
    assert conditions.parse(long).holds(_DATASET)
    with pytest.raises(ConditionWrong, match="has 1001 characters, more than the 1000 allowed"):
        conditions.parse(long.ljust(1001))


def test_numbers_of_any_size_are_no_harm() -> None:
    product = "*".join(["n"] * 300)
    assert not conditions.parse(f"{product} > 1").holds({"n": 10**300})
    assert not conditions.parse("n / 3 > 1").holds({"n": 10**400})
    assert conditions.parse("9" * 900 + " > n").holds({"n": 1})


def test_why_it_does_not_hold_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "profiles.conditions")
    said_once = conditions.parse("said_once > 1")
    for values in ({}, {}, {"said_once": "text"}, {"said_once": "text"}, {"said_once": 2}):
        said_once.holds(values)
    assert [each.getMessage() for each in caplog.records] == [
        "The condition said_once > 1 does not hold: there is no said_once.",
        "The condition said_once > 1 does not hold: str cannot be compared with int.",
    ]
