"""The order of `make test`: what waits for long is beside what computes, and nobody is alone at the end."""

from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import pytest_collection_modifyitems


class _Test:
    def __init__(self, name: str, *marks: pytest.Mark) -> None:
        self.name = name
        self.path = Path(name.split(" ", maxsplit=1)[0])
        self._marks = {mark.name: mark for mark in marks}

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self._marks.get(name)


_LONG, _LAB = pytest.mark.long.mark, pytest.mark.lab.mark
_GROUP, _OTHER = (pytest.mark.xdist_group(name).mark for name in ("group", "other"))


def _ordered(*tests: _Test) -> list[str]:
    items = list(tests)
    pytest_collection_modifyitems(cast(Any, items))
    return [item.name for item in items]


def test_what_is_long_is_spread_over_most_of_the_run_and_the_unit_tests_keep_their_order() -> None:
    short = [_Test(f"unit {number}") for number in range(100)]
    found = _ordered(*short, *(_Test(f"long {number}", _LAB, _LONG) for number in range(5)))
    assert [name for name in found if name.startswith("unit")] == [item.name for item in short]
    places = [at for at, name in enumerate(found) if name.startswith("long")]
    assert places[0] == 0
    assert all(later - earlier > 10 for earlier, later in pairwise(places))
    assert places[-1] < 80


def test_groups_stay_together_those_with_a_long_test_first() -> None:
    short = [_Test(f"unit {number}") for number in range(40)]
    computes = [_Test(f"computes {number}", _LAB, _OTHER) for number in range(3)]
    waits = [_Test("waits 0", _LAB, _GROUP), _Test("alone", _LONG), _Test("waits 1", _LAB, _GROUP, _LONG)]
    found = _ordered(*computes, *short, *waits)
    assert found[:2] == ["waits 0", "waits 1"]
    at = found.index("computes 0")
    assert found[at : at + 3] == ["computes 0", "computes 1", "computes 2"]
    assert 2 < found.index("alone") < at


def test_each_file_of_the_lab_is_spread_over_the_run() -> None:
    lab = [_Test(f"{file} {number}", _LAB) for file in ("one", "two") for number in range(4)]
    found = _ordered(*lab, *(_Test(f"unit {number}") for number in range(40)))
    halves = found[:24], found[24:]
    for file in ("one", "two"):
        assert [sum(name.startswith(file) for name in half) for half in halves] == [2, 2]
