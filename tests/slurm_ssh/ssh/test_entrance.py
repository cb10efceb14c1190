"""Which front end somebody gets in by, alone and in a crowd: doubles of front ends below a real pool."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from profiles.catalogue.site import FrontEnd
from slurm_ssh.errors import Broken, FrontEndRefused, NoSuchHost, SiteUnreachable
from slurm_ssh.ssh import connecting, entrance
from slurm_ssh.ssh.by_ticket import ByTicket
from slurm_ssh.ssh.connecting import FrontEndSilent, FrontEndUnknown
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.proof import Proof
from tests.support import builders
from tests.support.waiting import Clock, until


def _front_end(host: str, port: int = 22) -> FrontEnd:
    return FrontEnd(host=host, port=port, host_keys=(builders.HOST_KEY,))


class _Crowd:
    """Front ends that fail or answer as they are told, below a real pool, and whom each of them has met."""

    def __init__(self, patch: pytest.MonkeyPatch, **answers: Exception | None) -> None:
        self.met: dict[str, int] = dict.fromkeys(answers, 0)
        self.made: list[_Made] = []
        self._answers = answers
        patch.setattr(entrance, "connect", self._connect)
        # Long enough for a busy machine to begin an attempt in, and short of what a dead one takes.
        patch.setattr(entrance, "HEAD_START_SECONDS", 1)
        tickets: Any = SimpleNamespace()
        self.pool = ConnectionPool(lambda _user: tickets, 60)
        front_ends = tuple(_front_end(host) for host in answers)
        self.site = builders.catalogue().sites["geneva"].model_copy(update={"front_ends": front_ends})

    async def _connect(self, front_end: FrontEnd, *_: Any) -> Any:
        self.met[front_end.host] += 1
        await asyncio.sleep(3 if isinstance(self._answers[front_end.host], FrontEndSilent) else 0.002)
        if error := self._answers[front_end.host]:
            raise error
        self.made.append(_Made())
        return self.made[-1]

    async def come(self, people: int) -> list[Any]:
        """Return what became of so many people who come at once."""

        async def one(number: int) -> Any:
            async with self.pool.connection(Login(f"p{number}", f"p{number}", "geneva"), self.site) as connection:
                return connection

        return await asyncio.gather(*(one(number) for number in range(people)), return_exceptions=True)


class _Made:
    """A connection that was made."""

    is_open = is_fresh = True
    turns: Any = None
    idle_seconds = 1.0

    def __init__(self) -> None:
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


async def test_a_crowd_gets_in_while_the_first_front_end_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, dead=FrontEndSilent("dead"), alive=None)
    came = await crowd.come(100)
    assert all(isinstance(each, _Made) for each in came)
    # Whoever waited for it behind others does not try it again, and nobody comes to it later.
    assert crowd.met["dead"] <= entrance.CONNECTS_AT_ONCE
    await crowd.come(1)
    assert crowd.met["dead"] <= entrance.CONNECTS_AT_ONCE
    await crowd.pool.close()


async def test_a_front_end_that_was_silent_to_one_of_many_is_silent_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entrance, "_BUSY_PAUSES_SECONDS", (0.001,) * 3)
    crowd = _Crowd(monkeypatch, only=None)
    connect, has_one = crowd._connect, asyncio.Event()

    async def connect_slowly(front_end: FrontEnd, login: Login, *_: Any) -> Any:
        if login.user == "p0" and not has_one.is_set():
            has_one.set()
            # Others come to the front end after this one, and wait for it, and are let in meanwhile.
            await until(lambda: len(crowd.made) >= 5)
            raise FrontEndSilent("no answer in time")
        return await connect(front_end)

    monkeypatch.setattr(entrance, "connect", connect_slowly)
    assert [type(each) for each in await crowd.come(100)] == [_Made] * 100
    await crowd.pool.close()


async def test_a_crowd_waits_for_as_long_as_others_are_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, frozen=True)
    crowd = _Crowd(monkeypatch, only=None)

    async def connect_slowly(*_: Any) -> Any:
        clock.advance(entrance.PATIENCE_SECONDS / 10)
        await asyncio.sleep(0)
        crowd.made.append(_Made())
        return crowd.made[-1]

    monkeypatch.setattr(entrance, "connect", connect_slowly)
    assert [type(each) for each in await crowd.come(60)] == [_Made] * 60
    await crowd.pool.close()


async def test_who_would_wait_for_others_at_the_first_front_end_goes_to_the_second_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = _Crowd(monkeypatch, first=None, second=None)
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 600)
    connect = crowd._connect

    async def connect_last(front_end: FrontEnd, *_: Any) -> Any:
        if front_end.host == "first":
            await until(lambda: crowd.met["second"] >= 6)
        return await connect(front_end)

    monkeypatch.setattr(entrance, "connect", connect_last)
    came = await crowd.come(entrance.CONNECTS_AT_ONCE + 6)
    assert {type(each) for each in came} == {_Made}
    await crowd.pool.close()


async def test_a_crowd_at_a_dead_site_is_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, dead=FrontEndSilent("dead"), too=FrontEndSilent("dead too"))
    came = await crowd.come(100)
    assert all(isinstance(each, SiteUnreachable) for each in came)
    assert max(crowd.met.values()) <= entrance.CONNECTS_AT_ONCE
    await crowd.pool.close()


async def test_a_front_end_that_lets_nobody_in_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, nologin=FrontEndRefused("in maintenance"), alive=None)
    assert all(isinstance(each, _Made) for each in await crowd.come(20))
    await crowd.pool.close()


async def test_somebody_whom_no_front_end_lets_in_is_told_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, one=FrontEndRefused("no account"), two=FrontEndSilent("dead"))
    (refused,) = await crowd.come(1)
    assert isinstance(refused, FrontEndRefused)
    assert refused.message == "no account"
    await crowd.pool.close()


async def test_a_wrong_host_key_is_passed_by_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, imposter=Broken("another key"), alive=None)
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 5)
    assert [type(each) for each in await crowd.come(3)] == [Broken] * 3
    assert crowd.met["alive"] == 0
    await crowd.pool.close()


async def test_what_one_that_is_given_up_says_at_its_end_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = _Crowd(monkeypatch, slow=None, alive=None)
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 0)
    connect, ended = crowd._connect, asyncio.Event()

    async def connect_stubbornly(front_end: FrontEnd, *_: Any) -> Any:
        if front_end.host == "alive":
            return await connect(front_end)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise FrontEndRefused("closed") from None

    monkeypatch.setattr(entrance, "connect", connect_stubbornly)
    assert [type(each) for each in await crowd.come(1)] == [_Made]
    await ended.wait()
    await crowd.pool.close()


@pytest.mark.parametrize("turns", range(12))
async def test_whoever_waits_no_longer_leaves_no_connection(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    crowd = _Crowd(monkeypatch, one=None)

    async def connect_at_once(_front_end: FrontEnd, *_: Any) -> Any:
        crowd.made.append(_Made())
        return crowd.made[-1]

    monkeypatch.setattr(entrance, "connect", connect_at_once)
    coming = asyncio.create_task(crowd.come(1))
    for _ in range(turns):
        await asyncio.sleep(0)
    coming.cancel()
    await asyncio.wait((coming,))
    await asyncio.sleep(0.01)
    await crowd.pool.close()
    assert all(each.is_closed for each in crowd.made)


@pytest.mark.parametrize("turns", range(8))
async def test_a_login_that_is_given_up_leaves_no_connection(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    made: list[Any] = []

    async def connect_at_once(_front_end: FrontEnd, _owner: str, _proof: Proof, hearing: Any) -> Any:
        made.append(SimpleNamespace(is_open=True))
        hearing.connection_made(SimpleNamespace(abort=lambda: vars(made[-1]).update(is_open=False)))
        return made[-1]

    monkeypatch.setattr(connecting, "_connect", connect_at_once)
    hearing, proof = connecting._Hearing(), ByTicket(builders.ticket("alice"))
    coming = asyncio.create_task(connecting._in_time(_front_end("127.0.0.1", 1), "alice", proof, hearing))
    for _ in range(turns):
        await asyncio.sleep(0)
    coming.cancel()
    await asyncio.wait((coming,))
    assert coming.cancelled() == (not any(each.is_open for each in made))


async def test_of_two_front_ends_that_answer_together_one_connection_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = _Crowd(monkeypatch, one=None, two=None)
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 0)
    (kept,) = await crowd.come(1)
    await crowd.pool.close()
    assert all(each.is_closed for each in crowd.made)
    assert kept in crowd.made


async def test_a_front_end_that_was_silent_is_first_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, Exception | None] = {"first": FrontEndSilent("away"), "second": None}
    crowd = _Crowd(monkeypatch, **answers)
    monkeypatch.setattr(entrance, "SILENT_SECONDS", 0.3)
    await crowd.come(1)
    crowd._answers["first"] = None
    await asyncio.sleep(0.5)
    before = crowd.met["first"]
    async with crowd.pool.connection(Login("late", "late", "geneva"), crowd.site):
        assert crowd.met["first"] == before + 1
    await crowd.pool.close()


@pytest.mark.parametrize("second", [FrontEndUnknown, FrontEndSilent])
async def test_a_site_none_of_whose_names_there_is_is_for_the_admins(
    monkeypatch: pytest.MonkeyPatch, second: type[FrontEndSilent]
) -> None:
    crowd = _Crowd(monkeypatch, first=FrontEndUnknown("no such name"), second=second("no answer"))
    with pytest.raises(SiteUnreachable) as unreachable:
        await crowd.pool.connection(Login("alice", "alice", "geneva"), crowd.site).__aenter__()
    assert isinstance(unreachable.value, NoSuchHost) == (second is FrontEndUnknown)
    await crowd.pool.close()
