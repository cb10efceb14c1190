import asyncio

import pytest

from slurm_ssh.deadline import Deadline


def test_a_step_never_outlives_the_work_that_it_belongs_to() -> None:
    work = Deadline.after(100)
    assert work.within(10).seconds == 10
    assert 10 < work.within(1000).seconds <= 100
    assert work.seconds == 100


def test_nothing_is_left_of_a_deadline_that_has_passed() -> None:
    assert Deadline.after(-1).left == 0


@pytest.mark.parametrize("seconds", [-1, 0, 0.01])
async def test_whoever_waits_longer_is_told(seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with Deadline.after(seconds).enforced():
            await asyncio.Event().wait()


async def test_work_that_is_done_in_time_is_not_disturbed() -> None:
    async with Deadline.after(60).enforced():
        await asyncio.sleep(0)
