import asyncio
import gc
import threading
from functools import partial

import pytest

from kerberos_auth.threads import LoginThreads
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def hang():
    """A call that returns only at the end of the test."""
    event = threading.Event()
    yield event.wait
    event.set()


async def test_answers_and_errors_come_back():
    threads = LoginThreads(2)
    assert await threads.run(lambda: 42, PATIENCE_SECONDS) == 42
    with pytest.raises(KeyError):
        await threads.run(lambda: {}["x"], PATIENCE_SECONDS)


async def test_a_hanging_call_is_left_behind_and_the_loop_goes_on(hang):
    threads = LoginThreads(2)
    with pytest.raises(TimeoutError):
        await threads.run(hang, 0.2)
    assert await threads.run(lambda: "others go on", PATIENCE_SECONDS) == "others go on"


async def test_when_all_hang_the_next_is_told_at_once():
    event = threading.Event()
    threads = LoginThreads(2)
    ends = await asyncio.gather(*(threads.run(event.wait, 0.1) for _ in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [TimeoutError] * 3
    told = asyncio.create_task(threads.run(lambda: 1, 600))
    done, _ = await asyncio.wait({told}, timeout=60)
    assert done == {told}
    assert isinstance(told.exception(), TimeoutError)
    event.set()
    await until(lambda: not threads._left_behind)
    assert await threads.run(lambda: 1, PATIENCE_SECONDS) == 1


async def test_a_thread_that_is_done_takes_the_next_call():
    threads = LoginThreads(3)
    assert len({await threads.run(threading.get_ident, PATIENCE_SECONDS) for _ in range(5)}) == 1


async def test_threads_end_with_their_owner():
    threads = LoginThreads(2)
    worker = await threads.run(threading.current_thread, PATIENCE_SECONDS)
    del threads
    gc.collect()
    worker.join(PATIENCE_SECONDS)
    assert not worker.is_alive()


async def test_as_many_as_the_limit_run_at_once_and_no_more():
    threads = LoginThreads(3)
    running, most = set(), 0
    counting, full = threading.Lock(), threading.Event()

    def call(number):
        nonlocal most
        with counting:
            running.add(number)
            most = max(most, len(running))
            if most == 3:
                full.set()
        full.wait(PATIENCE_SECONDS)
        with counting:
            running.remove(number)

    await asyncio.gather(*(threads.run(partial(call, number), PATIENCE_SECONDS) for number in range(20)))
    assert most == 3


def test_a_loop_that_ends_first_does_not_matter(hang):
    async def login():
        await LoginThreads(1).run(hang, 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(login())
