"""The stream that tells an open Home of changes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

import languages
from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh_spawner.hub import changes, looks
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.servers import ServerView, State
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.waiting import until


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    monkeypatch.setattr(looks, "_EVERY_SECONDS", 0.01)
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


@contextlib.asynccontextmanager
async def _told(person: Person) -> AsyncIterator[AsyncIterator[str]]:
    async with person.stream("home/changes") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        yield answer.aiter_lines()


async def _next(lines: AsyncIterator[str], said: str) -> None:
    async for line in lines:
        if line == said:
            return
    pytest.fail(f"The stream ended without {said!r}.")


async def _begin(hub: LaunchingHub, number: int) -> LaunchId:
    launch_id = LaunchId(f"{number:012x}")
    await hub.core.launcher.records.begin(launch_id, builders.launch(hub.core.catalogue.current), server="")
    return launch_id


async def test_it_tells_of_what_changes_for_its_person_and_of_nothing_else(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    async with _told(alice) as alices, _told(bob) as bobs:
        for lines in (alices, bobs):
            await _next(lines, ":")
        await _begin(hub, 1)
        await _next(alices, "event: changed")
        heard = [await anext(bobs) for _ in range(40)]
        assert set(heard) == {":", ""}


async def test_it_ends_after_a_while_and_with_its_person(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_LOOKS", 3)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    async with _told(alice) as lines:
        assert [line async for line in lines].count(":") == 4
    monkeypatch.setattr(changes, "_LOOKS", 10**6)
    async with _told(bob) as lines:
        await _next(lines, ":")
        hub.app.users.delete(bob.user.id)
        async with asyncio.timeout(60):
            assert "event: changed" not in [line async for line in lines]


async def test_who_is_not_logged_in_hears_nothing(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    alice.forget_cookies()
    assert (await alice.page("home/changes")).status_code == 403


async def test_all_pages_of_a_person_hear_of_one_look(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    async with _told(alice) as first, _told(alice) as second:
        for lines in (first, second):
            await _next(lines, ":")
        (open_pages,) = changes.Changes._open.values()
        assert open_pages.pages == 2
        assert open_pages.next() is open_pages.next()
        await _begin(hub, 1)
        for lines in (first, second):
            await _next(lines, "event: changed")
    await until(lambda: not changes.Changes._open)


async def test_what_is_said_is_no_news_in_another_language(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _begin(hub, 1)
    hub.core.launcher.records.end(LaunchId(f"{1:012x}"), "TIMEOUT")
    await hub.core.launcher.records.settled()
    look = looks.Looks(hub.core, alice.user)
    english = await look.now()
    with languages.speaking("fr"):
        assert await look.now() == english


async def test_one_person_has_so_many_and_no_more(hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_MOST", 1)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    async with _told(alice) as lines, _told(bob):
        await _next(lines, ":")
        assert (await alice.page("home/changes")).status_code == 429
    await until(lambda: not changes.Changes._open)


@pytest.mark.parametrize(("minutes", "about"), [(59, 59), (60, 12), (64, 12), (65, 13)])
def test_minutes_are_exact_within_an_hour(minutes: int, about: int) -> None:
    assert looks._about(minutes) == about


_BEGUN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "said"),
    [(State.RUNNING, (20, 0)), (State.WAITING, (0, 40)), (State.ENDED, (0, 40)), (State.STOPPING, (0, 0))],
)
def test_minutes_count_as_far_as_the_card_says_them(state: State, said: tuple[int, int]) -> None:
    launched = LaunchRecord(**{**dict.fromkeys(LaunchRecord.__annotations__, ""), "begun": _BEGUN, "ended": None})
    report = JobReport(JobState.RUNNING, ends=_BEGUN + timedelta(hours=1))
    view = ServerView("", "", state, _BEGUN + timedelta(minutes=40), launched, report=report)
    assert looks._minutes(view) == said
