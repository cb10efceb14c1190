"""Who waits for changes is told of them; while nothing is told, one look is for all."""

import asyncio

import pytest

from job_service.http import news
from job_service.http.news import News
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client, listens
from tests.job_service.http.test_history import read
from tests.job_service.http.test_jobs import V1, sent, until


class Looks:
    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> int:
        self.count += 1
        await asyncio.sleep(0)
        return self.count


async def test_of_many_who_ask_within_a_while_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    found, looks = News(asyncio.Event()), Looks()
    assert await asyncio.gather(*(found.newest(looks) for _ in range(200))) == [1] * 200
    monkeypatch.setattr(news, "_LOOK_SECONDS", 0.0)
    assert await found.newest(looks) == 2


async def test_who_waits_knows_whether_something_was_told(
    monkeypatch: pytest.MonkeyPatch, service: Serving
) -> None:
    monkeypatch.setattr(news, "_LOOK_SECONDS", 0.001)
    found = News(asyncio.Event())
    async with client(service.app(), "alice:submit") as alice:
        record = await service.store.jobs.get(await sent(alice))
    with found.of_owner("alice") as woken:
        assert not await woken()
        found.tell(record)
        assert await woken()


async def _looks(found: News) -> None:
    before = found._looked
    await until(lambda: found._looked > before)


async def test_what_nobody_told_of_comes_with_the_next_look(
    monkeypatch: pytest.MonkeyPatch, service: Serving
) -> None:
    monkeypatch.setattr(news, "_LOOK_SECONDS", 0.01)
    app = service.app()
    async with client(app, "alice:submit") as alice:
        job_id = await sent(alice)
        stream = asyncio.create_task(alice.get(f"{V1}/events"))
        await until(lambda: listens(app, "alice"))
        await _looks(app.state.kept.news)
        record = await service.store.jobs.get(job_id)
        await service.store.jobs.change(record, {"title": "another"}, "Somebody else named it anew.")
        for _ in range(2):
            await _looks(app.state.kept.news)
        service.closing.set()
        texts = [each["text"] for _, each in read((await stream).text)]
    assert texts == ["Somebody else named it anew."]
