"""docs/security.md names tests that show what it claims: each of them is run, and no story is without one."""

import ast
import re

import pytest

from tests.support.folders import TREE

_NAMED = re.compile(r"`(?:tests/)?([a-z_/0-9]+\.py)::(\w+)")
_PAGE = (TREE / "docs/security.md").read_text()
_SHOWN = _PAGE.split("\n## What tests show\n", 1)[1].split("\n## ", 1)[0]
_STORIES = [line for line in _SHOWN.splitlines() if re.match(r"\| [0-9–]", line)]


def _decorators(path: str, name: str) -> list[str] | None:
    """Return what stands before a test, None if its module has none of that name."""
    module = TREE / "tests" / path
    tree = ast.parse(module.read_text()) if module.exists() else ast.Module([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return [ast.unparse(each) for each in node.decorator_list]
    return None


@pytest.mark.parametrize(("path", "name"), sorted(set(_NAMED.findall(_PAGE))))
def test_a_test_that_the_page_names_exists_and_is_not_left_out(path: str, name: str) -> None:
    decorators = _decorators(path, name)
    assert decorators is not None
    assert name.startswith(("test_", "Test"))
    assert not [each for each in decorators if "skip" in each or "xfail" in each]


@pytest.mark.parametrize("story", _STORIES, ids=lambda story: story[:40])
def test_every_story_names_what_shows_it(story: str) -> None:
    assert _NAMED.search(story) or "`python -m benchmarks" in story


def test_the_page_has_many_stories() -> None:
    assert len(_STORIES) > 40
