"""`jobs`: a list of one's own among many, read from the service's database.  Needs no lab."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.store import Store
from job_service.store.upgrading import upgrade
from job_service.store.values import JobFilter, NewJob, new_job_id

FEW, MANY = 1_000, 10_000
ROUNDS = 15
_LIMIT = 50
_OWNER = "alice"

Seconds = Mapping[str, Mapping[int, list[float]]]
"""Of each list, by the number of jobs that its owner has."""

_LISTS = {
    "the newest 50": JobFilter(owner=_OWNER),
    "the newest 50 that failed, of which there are none": JobFilter(
        owner=_OWNER, stages=frozenset({Stage.FAILED})
    ),
    "the newest 50 with a word in the title": JobFilter(owner=_OWNER, q="number 7"),
    "the newest 50 of a type": JobFilter(owner=_OWNER, type="command"),
}


def measure() -> Seconds:
    """Return how long each list takes."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder).resolve()}/jobs.sqlite"
        upgrade(url)
        return asyncio.run(_measured(url))


async def _measured(url: str) -> Seconds:
    store = await Store.open(url)
    found: dict[str, dict[int, list[float]]] = {name: {} for name in _LISTS}
    there = 0
    try:
        for count in (FEW, MANY):
            for number in range(there, count):
                await store.jobs.accept(_job(number))
            there = count
            for name, wanted in _LISTS.items():
                found[name][count] = [await _timed(store, wanted) for _ in range(ROUNDS)]
    finally:
        await store.close()
    return found


async def _timed(store: Store, wanted: JobFilter) -> float:
    begun = time.perf_counter()
    await store.jobs.page(wanted, _LIMIT)
    return time.perf_counter() - begun


def _job(number: int) -> NewJob:
    job_id = new_job_id()
    known: dict[str, Any] = {"nodes": 1, "cores": 1, "memory_mib": 100, "gpus": 0, "limit_s": 600}
    return NewJob(
        job_id=job_id,
        owner=_OWNER,
        groups=frozenset(),
        login=_OWNER,
        system="geneva",
        project="default",
        project_id=None,
        account=None,
        spec=JobSpec(type="command", system="geneva", command="true"),
        title=f"job number {number}",
        folder=f"/scratch/{_OWNER}/jobs/{job_id}",
        active_max=2 * MANY,
        **known,
    )
