"""Searches in launches of all times: what is found, and how much of the tables that takes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.records import LaunchRecords, history
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.stand import Stand
from tests.support import builders


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[LaunchRecords]:
    records = LaunchRecords(f"sqlite:///{tmp_path}/launches.sqlite")
    for number, user in enumerate(["alice", "bob", "alice", "bob"]):
        launch_id = LaunchId(f"{number:012x}")
        await records.begin(launch_id, builders.launch(user=user))
        records.end(launch_id, f"Module {number} could not be loaded.")
    await records.settled()
    yield records
    await records.close()


async def _found(records: LaunchRecords, sought: Sought) -> list[int]:
    return [int(record.launch_id, 16) for record in await records.history.found(sought, 10)]


async def test_what_is_sought_is_found_newest_first(records: LaunchRecords) -> None:
    assert await _found(records, Sought()) == [3, 2, 1, 0]
    assert await _found(records, Sought(user="bob")) == [3, 1]
    assert await _found(records, Sought(words="odule 2")) == [2]
    assert await _found(records, Sought(words="alice", stand=Stand.FAILED)) == [2, 0]
    assert await _found(records, Sought(words="alice", user="bob")) == []


async def test_words_are_looked_for_in_the_newest_of_what_is_sought(
    records: LaunchRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_MOST_SEARCHED", 1)
    assert await _found(records, Sought(words="odule")) == [3]
    assert await _found(records, Sought(words="odule", user="alice")) == [2]


@pytest.mark.parametrize("sought", [Sought(), Sought(words="odule")])
async def test_no_list_sorts_the_whole_table(records: LaunchRecords, sought: Sought) -> None:
    kwargs = {"literal_binds": True}
    query = history.statement(sought, 50, 0).compile(dialect=sqlite.dialect(), compile_kwargs=kwargs)
    plan = await records._worker.read(lambda each: each.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    said = " ".join(str(step[-1]) for step in plan)
    assert "ix_launches_begun" in said
