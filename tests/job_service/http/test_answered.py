"""Tokens that somebody makes up do not hold up those that are known."""

import asyncio

import pytest

from job_service.http import answered
from job_service.http.answered import Answered, Said
from job_service.http.caller import TooManyTokens

ALICE = {"name": "alice"}


class Hub:
    """Answers when it is told to; it knows the tokens in `people`."""

    def __init__(self) -> None:
        self.people = {"alices": ALICE}
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.now = 0.0

    async def ask(self, token: str) -> Said:
        self.asked.append(token)
        await self.answers.wait()
        return self.people.get(token)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def answers(hub: Hub) -> Answered:
    return Answered(hub.ask, lambda: hub.now)


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered, "STRANGERS_AT_ONCE", 2)
    monkeypatch.setattr(answered, "STRANGERS_WAITING", 3)


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _flooded(answers: Answered, hub: Hub, count: int) -> list[asyncio.Task[Said]]:
    hub.answers.clear()
    flood = [asyncio.create_task(answers.of(f"made-up-{n}")) for n in range(count)]
    await _settled()
    return flood


async def test_answers_hold_for_a_while_and_those_about_nobody_more_briefly(answers: Answered, hub: Hub) -> None:
    for token, seconds, said in (
        ("alices", answered.KNOWN_SECONDS, ALICE),
        ("nobodys", answered.UNKNOWN_SECONDS, None),
    ):
        hub.asked.clear()
        for later in (0, seconds - 1, 1):
            hub.now += later
            assert await answers.of(token) == said
        assert hub.asked == [token, token]
    assert answered.UNKNOWN_SECONDS < answered.KNOWN_SECONDS


async def test_of_many_who_want_to_know_the_same_one_asks_and_may_go_away(answers: Answered, hub: Hub) -> None:
    hub.answers.clear()
    asking = [asyncio.create_task(answers.of("alices")) for _ in range(5)]
    await _settled()
    asking[0].cancel()
    await _settled()
    hub.answers.set()
    assert await asyncio.gather(*asking[1:]) == [ALICE] * 4
    assert hub.asked == ["alices"]


@pytest.mark.usefixtures("_few")
async def test_only_few_made_up_tokens_are_asked_about_and_the_rest_is_refused(hub: Hub) -> None:
    answers = Answered(hub.ask)
    flood = await _flooded(answers, hub, 50)
    assert len(hub.asked) == 2
    refused = [each for each in flood if each.done()]
    assert len(refused) == 45
    for each in refused:
        assert isinstance(each.exception(), TooManyTokens)
    hub.answers.set()
    assert await asyncio.gather(*(each for each in flood if each not in refused)) == [None] * 5


@pytest.mark.usefixtures("_few")
async def test_a_token_that_was_known_is_asked_about_however_many_are_made_up(hub: Hub) -> None:
    answers = Answered(hub.ask, lambda: hub.now)
    assert await answers.of("alices") == ALICE
    flood = await _flooded(answers, hub, 50)
    assert await answers.of("alices") == ALICE
    hub.now += answered.KNOWN_SECONDS
    again = asyncio.create_task(answers.of("alices"))
    await _settled()
    assert hub.asked[-1] == "alices"
    hub.answers.set()
    assert await again == ALICE
    await asyncio.gather(*flood, return_exceptions=True)


@pytest.mark.usefixtures("_few")
async def test_nobody_waits_for_their_turn_for_ever(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answered(hub.ask)
    flood = await _flooded(answers, hub, 2)
    monkeypatch.setattr(answered, "_TURN_SECONDS", 0.0)
    with pytest.raises(TooManyTokens):
        await answers.of("one-more")
    hub.answers.set()
    await asyncio.gather(*flood)
    assert await answers.of("one-more") is None


async def test_a_token_that_was_taken_back_is_nobodys_and_then_a_stranger(answers: Answered, hub: Hub) -> None:
    await answers.of("alices")
    hub.people.clear()
    hub.now += answered.KNOWN_SECONDS
    assert await answers.of("alices") is None
    hub.now += answered.UNKNOWN_SECONDS
    await _flooded(answers, hub, answered.STRANGERS_AT_ONCE + answered.STRANGERS_WAITING)
    with pytest.raises(TooManyTokens):
        await answers.of("alices")
    await answers.close()


async def test_made_up_tokens_take_little_memory_and_push_out_none_that_is_known(
    answers: Answered, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answered, "MOST_KEPT", 10)
    await answers.of("alices")
    for number in range(100):
        await answers.of(f"made-up-{number}")
    assert len(answers._unknown) == 10
    assert await answers.of("alices") == ALICE
    assert hub.asked.count("alices") == 1


async def test_a_question_without_an_answer_is_asked_again(hub: Hub) -> None:
    failed = 0

    async def failing(token: str) -> Said:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise OSError(token)
        return await hub.ask(token)

    answers = Answered(failing)
    with pytest.raises(OSError, match="alices"):
        await answers.of("alices")
    assert await answers.of("alices") == ALICE
