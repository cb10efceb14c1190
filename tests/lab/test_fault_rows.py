"""Each row of the table of faults once, with one server at each site: nothing is lost."""

from collections.abc import Iterator

import pytest

from faults.crowd import Crowd
from faults.row import Row
from faults.rows import ROWS
from faults.run import connections_left, run
from lab import Lab

_USUAL_SECONDS = 120


@pytest.fixture(scope="session")
def crowd(lab: Lab) -> Iterator[Crowd]:
    with Crowd(lab) as people:
        yield people


# Those that wait for Slurm's own clocks are begun first.
_LONG = [row for row in ROWS if row.within > _USUAL_SECONDS]
_SHORT = [row for row in ROWS if row.within <= _USUAL_SECONDS]
_PARAMS = [
    *(pytest.param(row, id=row.key, marks=pytest.mark.long) for row in _LONG),
    *(pytest.param(row, id=row.key) for row in _SHORT),
]


@pytest.mark.parametrize("row", _PARAMS)
def test_nothing_is_lost(lab: Lab, crowd: Crowd, row: Row) -> None:
    result = run(lab, crowd, row, row.sites, 1)
    assert result.is_good, "\n".join([row.done, *result.lines()])


def test_no_connection_stays_when_nothing_runs(lab: Lab) -> None:
    assert not connections_left(lab)
