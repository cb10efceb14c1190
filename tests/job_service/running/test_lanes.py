import asyncio
from collections import Counter

from job_service.running.lanes import Lanes
from tests.job_service.running.crowd import FastClock
from tests.job_service.running.service import holds

KEY = ("geneva", "alice")


async def test_no_more_than_so_many_of_a_lane_at_once_and_each_in_turn(clock: FastClock) -> None:
    under_way, most, done = set(), 0, []

    async def work(job_id: str) -> bool:
        nonlocal most
        under_way.add(job_id)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.discard(job_id)
        done.append(job_id)
        return True

    lanes = Lanes(work, 2, clock)
    for number in range(9):
        lanes.add(KEY, str(number))
    await holds(lambda: len(done) == 9)
    assert most == 2
    assert done == [str(number) for number in range(9)]


async def test_one_that_fails_for_itself_holds_nobody_up_for_good(clock: FastClock) -> None:
    done: Counter[str] = Counter()

    async def work(job_id: str) -> bool:
        done[job_id] += 1
        if job_id == "0":
            raise RuntimeError(job_id)
        return True

    lanes = Lanes(work, 1, clock)
    for number in range(4):
        lanes.add(KEY, str(number))
    await holds(lambda: done["0"] >= 2)
    assert [done[str(number)] for number in (1, 2, 3)] == [1, 1, 1]
    await lanes.close()


async def test_what_came_to_nothing_rests_until_there_is_a_new_ticket(clock: FastClock) -> None:
    clock.speed = 1.0
    asked: Counter[str] = Counter()

    async def work(job_id: str) -> bool:
        asked[job_id] += 1
        return asked[job_id] > 1

    lanes = Lanes(work, 4, clock)
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
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def work(job_id: str) -> bool:
        begun.set()
        await go.wait()
        done.append(job_id)
        return True

    lanes = Lanes(work, 4, clock)
    lanes.add(KEY, "0")
    await begun.wait()
    lanes.add(KEY, "0")
    go.set()
    await holds(lambda: done == ["0", "0"])
