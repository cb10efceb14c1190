"""What a launch is at: the same by its record, in the table, and on the cards of servers."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
import sqlalchemy as sa

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch.records import LaunchRecord, stops
from slurm_ssh_spawner.launch.records.schema import LAUNCHES, TABLES
from slurm_ssh_spawner.launch.records.stand import GOING_ON, IN_TABLE, At, Stand, at, stand
from slurm_ssh_spawner.launch.servers import servers
from tests.slurm_ssh_spawner.launch.test_servers import BEGUN, ENDED, OFF, _facts

_PENDING, _RUNNING = JobReport(JobState.PENDING), JobReport(JobState.RUNNING, node="n1")
_REASONS = ["", "TIMEOUT", stops.STOPPED, stops.BY_OWNER, stops.by_admin("ruth"), "not submitted: x"]


def _records() -> Iterator[LaunchRecord]:
    for node, stop_wanted, ended, reason in product(["", "n1"], [False, True], [None, ENDED.ended], _REASONS):
        yield replace(BEGUN, node=node, stop_wanted=stop_wanted, ended=ended, end_reason=reason)


@pytest.fixture
def table() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        TABLES.create_all(connection)
        yield connection
    engine.dispose()


def test_the_table_says_the_same_as_the_record(table: sa.Connection) -> None:
    for record in _records():
        table.execute(sa.delete(LAUNCHES))
        row = {column.name: getattr(record, column.name) for column in LAUNCHES.c}
        table.execute(sa.insert(LAUNCHES).values(**row | {"started_with": {}}))
        found = {each for each in Stand if table.scalar(sa.select(sa.func.count()).where(IN_TABLE[each]))}
        assert found == {Stand.ANY, stand(record)}, record


def test_what_it_is_at_is_how_far_it_is_and_slurms_word() -> None:
    for record, report in product(_records(), [None, _PENDING, _RUNNING]):
        now, kept = at(record, report), stand(record)
        assert (now in GOING_ON) == (record.ended is None)
        if kept is Stand.ON_ITS_WAY:
            assert now is (At.WAITING if report is _PENDING else At.STARTING)
        else:
            assert now.value == {Stand.UP: "running"}.get(kept, kept.value)


def test_a_card_without_a_server_of_jupyterhub_says_the_same() -> None:
    for record, report in product(_records(), [None, _PENDING, _RUNNING]):
        (view, *_) = servers([OFF], [record], _facts(report))
        # One that runs is about to get its server.
        expected = at(record, report)
        assert view.state.value == ("starting" if expected is At.RUNNING else expected.value)
