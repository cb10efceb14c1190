"""The table of faults, with one server at each site: nothing is lost.  `make faults` runs it with five.

Left out are rows that wait for minutes.
"""

from collections.abc import Iterator

import pytest

from faults.crowd import Crowd
from faults.row import Row
from faults.rows import ROWS
from faults.run import connections_left, run
from lab import Lab


@pytest.fixture
def crowd(lab: Lab) -> Iterator[Crowd]:
    """People who log in for the test: others' tests may have taken their tickets."""
    with Crowd(lab) as people:
        yield people


@pytest.mark.parametrize("row", [pytest.param(row, id=row.key) for row in ROWS if not row.slow])
def test_nothing_is_lost(lab: Lab, crowd: Crowd, row: Row) -> None:
    result = run(lab, crowd, row, row.sites, 1)
    assert result.is_good, "\n".join([row.done, *result.lines()])


def test_no_connection_stays_when_nothing_runs(lab: Lab) -> None:
    assert not connections_left(lab)
