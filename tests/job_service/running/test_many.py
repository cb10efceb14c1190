"""Many people at once, and whatever may be lost is: each job runs once, none is lost, the ledger sums."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from job_service.record import JobRecord
from job_service.stages import Stage
from slurm_ssh.ssh.login import Login
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service, holds, project_of_all

JOBS = 3
SEED = 7
_LIMIT, _LASTS = 3600, 20


def mishaps(seed: int, share: float) -> Callable[[Login, str], str]:
    """Return what befalls programs: each of the worst, for a share of all."""
    chance = random.Random(seed)  # noqa: S311 - no secret

    def befalls(_login: Login, program: str) -> str:
        if chance.random() >= share:
            return ""
        # Who waits for an answer that does not come waits for a minute of real time.
        kinds = ["before", "after", "stale", "killed", *(["late"] if "/sbatch" in program else [])]
        return chance.choice(kinds)

    return befalls


async def sums(service: Service, people: list[str], records: list[JobRecord]) -> None:
    """See that everybody was charged for what their jobs used, and nothing is held any more."""
    project = await service.store.projects.get("geneva", "neuro")
    used: Counter[str] = Counter()
    for record in records:
        assert record.elapsed_s is not None or record.started is None
        used[record.owner] += min(record.held_s, record.elapsed_s or 0)
    for user in people:
        assert (await service.store.ledger.quota(project, user)).time_left == 10**7 - used[user]
    assert project.time_left == 10**9 - used.total()


@pytest.mark.parametrize(("how_many", "accounting"), [(8, True), pytest.param(100, False, marks=pytest.mark.long)])
async def test_each_job_of_many_people_runs_once_whatever_is_lost(
    tmp_path: Path, url: str, how_many: int, accounting: bool
) -> None:
    clock = FastClock(300 if how_many > 10 else 1000)
    site = Crowd(clock)
    site.accounting, site.waits, site.lasts, site.forgets = accounting, 30, _LASTS, 240
    service = Service(tmp_path, url, site, clock)
    await service.start()
    people = [f"user{number}" for number in range(how_many)]
    number = await project_of_all(service)
    site.mishap = mishaps(SEED, 0.15)
    records = [
        await service.accept(user, project="neuro", project_id=number, limit_s=_LIMIT)
        for user in people
        for _ in range(JOBS)
    ]
    # Twice in between the service is killed: what it was about is found again.
    for part in (6, 2):
        await holds(lambda part=part: len(service.ended) >= len(records) // part)  # type: ignore[misc]
        await service.stop()
        await service.start()
    await holds(lambda: len(service.ended) == len(records))
    done = [await service.get(record) for record in records]
    assert Counter(record.stage for record in done) == {Stage.SUCCESSFUL: len(records)}
    assert all(site.runs[record.job_id] == 1 for record in done)
    await sums(service, people, done)
    await service.stop()


async def test_one_question_is_put_for_everybody(service: Service, site: Crowd) -> None:
    site.waits = 100_000
    records = [await service.accept(f"user{number}") for number in range(20)]
    for record in records:
        await service.until(record, lambda job: job.native_state == "PENDING")
    site.asked.clear()
    began = service.clock.now()
    await holds(lambda: (service.clock.now() - began).total_seconds() > 300)
    assert len(site.asked) == 1
    # Seldom, when nothing changes.
    assert site.asked.total() <= 30


async def test_a_site_that_is_away_delays_no_other(service: Service, site: Crowd) -> None:
    site.not_at = "bern"
    at_bern = await service.accept("alice", system="bern")
    at_geneva = await service.accept("alice")
    assert (await service.over(at_geneva)).stage is Stage.SUCCESSFUL
    assert (await service.get(at_bern)).stage is Stage.READY
    site.not_at = ""
    assert (await service.over(at_bern)).stage is Stage.SUCCESSFUL
