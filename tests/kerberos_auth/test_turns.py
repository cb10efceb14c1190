import asyncio

from kerberos_auth.turns import Turns


async def test_of_many_who_could_go_on_at_once_one_goes_on_in_each_round_of_the_loop():
    turns, gate, rounds, went = Turns(), asyncio.Event(), 0, []

    async def one(number):
        await gate.wait()
        await turns.mine()
        went.append((number, rounds))

    async def others():
        nonlocal rounds
        while len(went) < 20:
            rounds += 1
            await asyncio.sleep(0)

    waiting = [asyncio.create_task(one(number)) for number in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(others(), *waiting)
    assert [number for number, _ in went] == list(range(20))
    assert len({at for _, at in went}) == 20


async def test_one_who_waits_no_longer_does_not_hold_up_the_others():
    turns = Turns()
    first, second, third = (asyncio.create_task(turns.mine()) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    ends = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), asyncio.CancelledError, type(None)]
