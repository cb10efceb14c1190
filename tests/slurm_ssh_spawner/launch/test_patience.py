from datetime import UTC, datetime, timedelta

import pytest

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch.patience import Patience, start_seconds
from tests.support import builders

_KERNELS = [{"script": "a", "time_max": "20m"}, {"name": "b", "requirements": ["c"], "time_max": "10m"}]


def test_a_job_may_wait_for_a_day_unless_its_profile_says_otherwise() -> None:
    assert Patience.of(builders.launch()).queue_time == "1d"
    profiles = {"jupyterlab": builders.profile(queue_wait="90m")}
    assert Patience.of(builders.launch(builders.catalogue(profiles=profiles))).queue_time == "1h30m"


@pytest.mark.parametrize("state", [JobState.PENDING, JobState.RUNNING])
def test_jupyterhub_is_never_the_first_to_lose_its_patience(state: JobState) -> None:
    profiles = {"jupyterlab": builders.profile(queue_wait="5m", kernels=_KERNELS)}
    launch = builders.launch(builders.catalogue(profiles=profiles))
    patience = Patience.of(launch)
    # It begins to run at the very last moment.
    patience.begun, patience.until = patience.begun - timedelta(minutes=5), patience.until - timedelta(minutes=5)
    patience.seen(JobReport(state))
    jupyterhubs = patience.begun + timedelta(seconds=start_seconds(launch))
    assert patience._end < jupyterhubs - timedelta(minutes=10)


async def test_a_launch_of_an_earlier_hub_waits_until_the_same_moment() -> None:
    until = datetime.now(UTC) + timedelta(hours=3)

    class Record:
        begun = until - timedelta(hours=24)
        wait_until = until

    patience = Patience.taken_up(Record())  # type: ignore[arg-type]
    assert (patience.until, patience.queue_time, patience.runs) == (until, "1d", False)
    assert Patience.taken_up(None).until > until
