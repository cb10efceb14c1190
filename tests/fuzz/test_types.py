"""Job types in XML and conditions, damaged: each is a value or a problem at a place, and the memory stays flat.

`FUZZ_COUNT=100000 .venv/bin/python -m pytest tests/fuzz/test_types.py` gives them as many inputs; each run draws
another seed and prints it, and `FUZZ_SEED` repeats one.
"""

import os
import random
import re
import secrets
import tracemalloc
from collections.abc import Callable

import pytest
from yaml.nodes import MappingNode

from profiles import conditions
from profiles.catalogue.job_type import JobType
from profiles.conditions import ConditionWrong
from profiles.loading import portal_types, yaml_nodes
from profiles.loading.partial import read
from tests.support.folders import DATA

pytestmark = pytest.mark.uncounted

COUNT = int(os.environ.get("FUZZ_COUNT", "1500"))
SEED = int(os.environ.get("FUZZ_SEED", secrets.randbelow(2**32)))
MEMORY = 8 * 1024**2
_TYPES = [path.read_text(encoding="utf-8") for path in sorted((DATA / "job_types").glob("*/*.xml"))]
_GOOD = [path.read_text(encoding="utf-8") for path in sorted((DATA / "job_types/good").glob("*.xml"))]
_LINES = (DATA / "conditions.txt").read_text(encoding="utf-8").splitlines()
_CONDITIONS = [line.split("\t", 1)[1] for line in _LINES if "\t" in line]
_OF_XML = (
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&lt;",
    "&#0;",
    "&#x10FFFF;",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "\0",
)
_OF_XML += (
    "\x1b",
    "\ud800",
    "\u202e",
    "<jobType>",
    "<values>",
    "9" * 5000,
    "{param.x}",
    "' ",
    "\n",
    "é",
    "<?xml?>",
)
_OF_CONDITIONS = (
    "(",
    ")",
    "!",
    "-",
    "'",
    "''",
    "&&",
    "||",
    "==",
    "<",
    "null",
    "True",
    "9" * 400,
    "1e9999",
    "\0",
    "é",
)
_OF_CONDITIONS += ("__class__", ".", " ", "%", "/0", "\ud800", "\n")
_VALUES = (
    {},
    {"channels": 2, "kind": "scan", "gone": None, "masked": True},
    {"channels": float("nan"), "kind": 10**500},
)


def damaged(seed: int, number: int, texts: list[str], pieces: tuple[str, ...]) -> str:
    """Return one input; each depends on nothing but its arguments."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    text = draw.choice(texts)
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice((0, 0, 1, 3, 40)))
        match draw.randrange(4):
            case 0:
                text = text[:start] + draw.choice(pieces) * draw.choice((1, 1, 1, 60)) + text[end:]
            case 1:
                text = text[:start] + text[end:]
            case 2:
                text = text[:end] + text[start:]
            case _:
                text = text[:start]
    return text


_ATTRIBUTES = ("profile", "freeArguments")
_OF_ATTRIBUTES = (
    *("", " ", "0", "00", "7", "100", "101", "-1", "+1", " 1", "1e2", "0x1", "1.0", "٣", "²", "true", "9" * 5000),
    *("jupyterlab", " lab ", "../lab", "a b", "Lab", "__class__", "null", "{param.x}", "$(id)", "A" * 10_000),
    *("&lt;b&gt;", "&amp;", "&quot;", "&#10;", "&#0;", "&none;", "<", "\0", "\x1b", "\n", "é", "\u202e", "\u200b"),
)


def attributed(seed: int, number: int, texts: list[str], pieces: tuple[str, ...]) -> str:
    """Return a job type with other values of these attributes, some of which stand there twice."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    text = draw.choice(texts)
    for name in draw.sample(_ATTRIBUTES, draw.choice((1, 1, 2))):
        if draw.random() < 0.9:
            text = re.sub(rf"""\s{name}=("[^"]*"|'[^']*')""", "", text)
        value, quote = "".join(draw.choices(pieces, k=draw.choice((1, 1, 1, 2, 3)))), draw.choice("\"'")
        text = text.replace("<jobType", f"<jobType {name}={quote}{value}{quote}", 1)
    return text


def _look(text: str) -> str:
    """Read a job type as far as one goes alone, and return what became of it."""
    found = portal_types.read(text, "a.xml")
    lines = text.count("\n") + 1
    for problem in (*found.problems, *found.notices):
        assert 1 <= problem.line <= lines
        assert 1 <= problem.column <= len(text) * 2 + 2
        assert str(problem).isprintable()
    assert (found.root is None) == bool(found.problems)
    if found.root is None:
        return "problem"
    assert isinstance(found.root, MappingNode)
    ((_, data),) = yaml_nodes.values(found.root, "a.xml")["job_types"].items()
    details = read(JobType, data).details
    for detail in details:
        assert yaml_nodes.place(found.root, ["job_types", *map(str, detail["loc"])]).key.start_mark.name == "a.xml"
    return "problem of its values" if details else "value"


def _ask(text: str) -> str:
    try:
        condition = conditions.parse(text)
    except ConditionWrong as wrong:
        said = str(wrong)
    else:
        assert {condition.holds(values) for values in _VALUES} <= {True, False}
        return "value"
    assert re.search("; write ", said)
    assert said.isprintable()
    return "problem"


@pytest.mark.parametrize(
    ("make", "texts", "pieces", "look"),
    [
        (damaged, _TYPES, _OF_XML, _look),
        (attributed, _GOOD, _OF_ATTRIBUTES, _look),
        (damaged, _CONDITIONS, _OF_CONDITIONS, _ask),
    ],
)
def test_what_is_damaged_is_a_problem_or_a_value(
    make: Callable[[int, int, list[str], tuple[str, ...]], str],
    texts: list[str],
    pieces: tuple[str, ...],
    look: Callable[[str], str],
) -> None:
    print(f"FUZZ_SEED={SEED}")
    seen = {look(text) for text in texts}
    tracemalloc.start()
    try:
        for number in range(COUNT):
            seen.add(look(make(SEED, number, texts, pieces)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {"problem", "value"} <= seen
    assert peak < MEMORY
