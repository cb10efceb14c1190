import asyncio
from collections import Counter

from job_service.running.lanes import Lanes
from tests.job_service.running.crowd import FastClock
from tests.job_service.running.service import holds

KEY = ("geneva", "alice")


async def test_no_more_than_so_many_of_a_lane_at_once_and_each_in_turn(clock: FastClock) -> None:
    most = 0
    under_way: set[str] = set()
    done: list[str] = []

    async def work(jobs: tuple[str, ...]) -> tuple[str, ...]:
        nonlocal most
        under_way.update(jobs)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.difference_update(jobs)
        done.extend(jobs)
        return jobs

    lanes = Lanes(work, 2, 1, clock)
    for number in range(9):
        lanes.add(KEY, str(number))
    await holds(lambda: len(done) == 9)
    assert most == 2
    assert done == [str(number) for number in range(9)]


async def test_one_that_fails_for_itself_holds_nobody_up_for_good(clock: FastClock) -> None:
    done: Counter[str] = Counter()

    async def work(jobs: tuple[str, ...]) -> tuple[str, ...]:
        done.update(jobs)
        if "0" in jobs:
            raise RuntimeError(jobs)
        return jobs

    lanes = Lanes(work, 1, 3, clock)
    for number in range(4):
        lanes.add(KEY, str(number))
    await holds(lambda: done["0"] >= 2)
    assert [done[str(number)] for number in (1, 2, 3)] == [1, 1, 1]
    await lanes.close()


async def test_what_came_to_nothing_rests_until_there_is_a_new_ticket(clock: FastClock) -> None:
    clock.speed = 1.0
    asked: Counter[str] = Counter()

    async def work(jobs: tuple[str, ...]) -> list[str]:
        asked.update(jobs)
        return [job_id for job_id in jobs if asked[job_id] > 1]

    lanes = Lanes(work, 4, 8, clock)
    lanes.add(KEY, "0")
    lanes.add(KEY, "0")
    await holds(lambda: asked["0"] == 1)
    lanes.hurry("bob")
    await asyncio.sleep(0)
    assert asked["0"] == 1
    lanes.hurry("alice")
    await holds(lambda: asked["0"] == 2)
    await lanes.close()


async def test_a_job_that_is_added_while_it_is_worked_on_is_worked_on_once_more(clock: FastClock) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def work(jobs: tuple[str, ...]) -> tuple[str, ...]:
        begun.set()
        await go.wait()
        done.extend(jobs)
        return jobs

    lanes = Lanes(work, 4, 8, clock)
    lanes.add(KEY, "0")
    await begun.wait()
    lanes.add(KEY, "0")
    go.set()
    await holds(lambda: done == ["0", "0"])


async def test_those_that_wait_are_worked_on_together_and_what_is_left_of_them_again(clock: FastClock) -> None:
    asked: list[tuple[str, ...]] = []

    async def work(jobs: tuple[str, ...]) -> list[str]:
        asked.append(jobs)
        return [job_id for job_id in jobs if job_id != "1" or len(asked) > 1]

    lanes = Lanes(work, 1, 3, clock)
    for number in range(5):
        lanes.add(KEY, str(number))
    await holds(lambda: len(asked) == 2)
    assert asked == [("0", "1", "2"), ("1", "3", "4")]
    await lanes.close()
