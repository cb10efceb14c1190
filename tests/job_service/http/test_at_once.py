"""Lists of jobs that many ask for at once: others have their turn between them."""

import asyncio

from job_service.http.at_once import InTurn


async def test_the_loop_has_a_turn_before_each_that_computes() -> None:
    showing, done = InTurn(), list[str]()

    async def show(name: str) -> None:
        async with showing.one():
            done.append(name)

    async def others() -> None:
        while len(done) < 10:
            done.append("other") if done[-1:] != ["other"] else None
            await asyncio.sleep(0)

    await asyncio.gather(others(), *(show("list") for _ in range(5)))
    assert done.count("list") == 5
    assert "list list" not in " ".join(done)


async def test_one_that_fails_leaves_the_turn_to_the_next() -> None:
    showing = InTurn()
    for _ in range(2):
        try:
            async with showing.one():
                raise ValueError
        except ValueError:
            pass
    async with showing.one():
        pass
