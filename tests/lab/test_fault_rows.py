"""Some rows of the table of faults, with one server at each site: nothing is lost.  `make faults` runs all."""

from collections.abc import Iterator

import pytest

from faults.crowd import Crowd
from faults.row import Row
from faults.rows import ROWS
from faults.run import connections_left, run
from lab import Lab

KEYS = ("A2", "A4", "A6b", "N1", "N2t")
"""Rows that lose something without the launch records; others take minutes, or break what other tests need."""


@pytest.fixture(scope="session")
def crowd(lab: Lab) -> Iterator[Crowd]:
    with Crowd(lab) as people:
        yield people


@pytest.mark.parametrize("row", [pytest.param(row, id=row.key) for row in ROWS if row.key in KEYS])
def test_nothing_is_lost(lab: Lab, crowd: Crowd, row: Row) -> None:
    result = run(lab, crowd, row, row.sites, 1)
    assert result.is_good, "\n".join([row.done, *result.lines()])


def test_no_connection_stays_when_nothing_runs(lab: Lab) -> None:
    assert not connections_left(lab)
