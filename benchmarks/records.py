"""`records`: launch records of years, next to those of a week.  Needs no lab."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from benchmarks.samples import Table, milliseconds, ratio
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.schema import LAUNCHES
from slurm_ssh_spawner.launch.records.stand import Stand

FEW, MANY = 1_000, 100_000
PEOPLE = 200
ROUNDS = 15
_BATCH = 10_000
_SINCE = timedelta(days=7)
_APART = timedelta(minutes=5)
_ONE = "p0"

Say = Callable[[str], None]
Samples = dict[str, dict[int, list[float]]]
"""Seconds of each thing, by the number of records there are."""


def measure(say: Say) -> Samples:
    """Return the seconds of each thing, with few and with many records."""
    found: Samples = {}
    for count in (FEW, MANY):
        say(f"records: {count} launches of {PEOPLE} people, {ROUNDS} rounds")
        with TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder).resolve()}/launches.sqlite"
            for name, seconds in asyncio.run(_measured(url, count)).items():
                found.setdefault(name, {})[count] = seconds
    return found


async def _measured(url: str, count: int) -> dict[str, list[float]]:
    await LaunchRecords(url).close()
    _fill(url, count)
    samples: dict[str, list[float]] = {"opened, as when a hub starts": []}
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        records = LaunchRecords(url)
        await records.to_stop(_ONE)
        samples["opened, as when a hub starts"].append(time.perf_counter() - begun)
        for name, step in _steps(records, datetime.now(UTC) - _SINCE).items():
            begun = time.perf_counter()
            await step()
            samples.setdefault(name, []).append(time.perf_counter() - begun)
        await records.close()
    return samples


def _steps(records: LaunchRecords, since: datetime) -> dict[str, Callable[[], Awaitable[Any]]]:
    history = records.history
    return {
        "a login: what is to be stopped": lambda: records.to_stop(_ONE),
        "Home: a person's last 20 launches": lambda: records.recent(_ONE, 20),
        "the form: where a person was within a week": lambda: records.sites(_ONE, since),
        "admins: the newest 50": lambda: history.found(Sought(), 50),
        "admins: the newest 50 that failed at a site": lambda: history.found(
            Sought(stand=Stand.FAILED, site="geneva"), 50
        ),
        "admins: launches that name a node": lambda: history.found(Sought(words="node7"), 50),
        "admins: how many ended within a week, by site": lambda: history.ended(since),
        "a change, written": lambda: _written(records),
    }


async def _written(records: LaunchRecords) -> None:
    await records.accept(_ONE, "", {"profile": datetime.now(UTC).isoformat()})


def _fill(url: str, count: int) -> None:
    """Add launches, the last of them now."""
    engine = sa.create_engine(url)
    rows = list(_rows(count, datetime.now(UTC)))
    with engine.begin() as connection:
        for at in range(0, count, _BATCH):
            connection.execute(sa.insert(LAUNCHES), rows[at : at + _BATCH])
    engine.dispose()


def _rows(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        begun = now - _APART * (count - number)
        yield {
            "launch_id": f"{number:012x}",
            "user": f"p{number % PEOPLE}",
            "owner": f"p{number % PEOPLE}",
            "site_key": ("geneva", "lugano")[number % 2],
            "profile_key": f"profile{number % 7}",
            "choices": {"profile": f"profile{number % 7}", "cores": "4", "time": "4h"},
            "job_id": str(number),
            "node": f"node{number % 50}" if number % 9 else "",
            "begun": begun,
            "ended": begun + timedelta(hours=1),
            "end_reason": "Its time was up." if number % 9 else "Slurm refused it.",
            "end_log": "a line of a log\n" * 20,
            "released": begun + timedelta(hours=1),
        }


def tables(samples: Samples) -> list[Table]:
    """Return what to print."""
    rows = tuple((name, (*milliseconds(by[MANY]), ratio(by[MANY], by[FEW]))) for name, by in samples.items())
    return [
        Table(
            f"records: {MANY:,} launches, ms",
            ("median", "min", "max", "ratio"),
            rows,
            (f"ratio: to {FEW:,} launches",),
        )
    ]
