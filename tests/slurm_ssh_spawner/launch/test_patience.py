import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch import patience as module
from slurm_ssh_spawner.launch.patience import Patience, longer, start_seconds
from tests.slurm_ssh_spawner.launch.test_servers import BEGUN
from tests.support import builders

_KERNELS = [{"script": "a", "time_max": "20m"}, {"name": "b", "requirements": ["c"], "time_max": "10m"}]


def test_a_job_may_wait_for_a_day_unless_its_profile_says_otherwise() -> None:
    assert Patience.of(builders.launch()).queue_time == "1d"
    profiles = {"jupyterlab": builders.profile(queue_wait="90m")}
    assert Patience.of(builders.launch(builders.catalogue(profiles=profiles))).queue_time == "1h30m"


@pytest.mark.parametrize("state", [JobState.PENDING, JobState.RUNNING])
@pytest.mark.parametrize(("most", "waited"), [("1m", 5), ("2h", 120)])
def test_jupyterhub_is_never_the_first_to_lose_its_patience(state: JobState, most: str, waited: int) -> None:
    profiles = {"jupyterlab": builders.profile(queue_wait="5m", queue_wait_max=most, kernels=_KERNELS)}
    launch = builders.launch(builders.catalogue(profiles=profiles))
    patience = Patience.of(launch)
    # It begins to run at the very last moment, that to which its owner could move it.
    patience.until = patience.begun
    patience.begun -= timedelta(minutes=waited)
    patience.seen(JobReport(state))
    jupyterhubs = patience.begun + timedelta(seconds=start_seconds(launch))
    assert patience._end < jupyterhubs - timedelta(minutes=10)


@pytest.mark.parametrize(
    ("waits", "step", "most", "minutes"),
    [(60, 60, 180, 120), (150, 60, 180, 180), (180, 60, 180, None), (60, 60, 60, None), (60, 60, 1, None)],
)
def test_a_launch_is_waited_for_a_step_longer_and_never_for_more_than_the_most(
    waits: int, step: int, most: int, minutes: int | None
) -> None:
    record = replace(BEGUN, wait_until=BEGUN.begun + timedelta(minutes=waits))
    expected = None if minutes is None else BEGUN.begun + timedelta(minutes=minutes)
    assert longer(record, step, most) == expected
    assert longer(replace(record, wait_until=None), step, most) is None


async def test_a_launch_of_an_earlier_hub_waits_until_the_same_moment() -> None:
    until = datetime.now(UTC) + timedelta(hours=3)

    class Record:
        begun = until - timedelta(hours=24)
        wait_until = until

    patience = Patience.taken_up(Record())  # type: ignore[arg-type]
    assert (patience.until, patience.queue_time, patience.runs) == (until, "1d", False)
    assert Patience.taken_up(None).until > until


class _AnHourLater(datetime):
    """The wall clock, set to an hour later."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(hours=1)


@pytest.mark.parametrize("runs", [False, True])
async def test_a_wall_clock_that_is_set_ends_no_wait(runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = {"jupyterlab": builders.profile(queue_wait="5m")}
    patience = Patience.of(builders.launch(builders.catalogue(profiles=profiles)))
    if runs:
        patience.seen(JobReport(JobState.RUNNING))
    monkeypatch.setattr(module, "datetime", _AnHourLater)
    over = asyncio.create_task(patience.is_over())
    await asyncio.sleep(0)
    assert not over.done()
    over.cancel()
