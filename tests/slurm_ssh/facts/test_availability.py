import asyncio
from collections import Counter

import pytest

from profiles.facts import UNKNOWN, SiteFacts
from slurm_ssh.facts import availability as availability_module
from slurm_ssh.facts.availability import Availability
from tests.support import builders
from tests.support.waiting import until

# Nobody waits that long: a test that would, fails.
LONG = 3600.0
_PROJECTS = {"lugano": "accounting", "bern": "accounting", "geneva": "none", "basel": ["proj5"]}
_SITES = builders.catalogue(
    sites={key: builders.site(projects=projects) for key, projects in _PROJECTS.items()}
).sites


class _Slurm:
    """Answers questions with `facts` once it may; counts who was asked about."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.facts: SiteFacts | None = SiteFacts(projects=("proj3",))
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.snapshots: Counter[tuple[str | None, str]] = Counter()
        # Most tests are about projects.
        self.site_may_answer = asyncio.Event()

    async def ask(self, user: str, site_key: str) -> SiteFacts | None:
        self.asked[user, site_key] += 1
        await self.may_answer.wait()
        return self.facts

    async def ask_site(self, user: str | None, site_key: str) -> SiteFacts:
        self.snapshots[user, site_key] += 1
        await self.site_may_answer.wait()
        return SiteFacts(partitions={}, reservations=(), asked_at=builders.NOW)


@pytest.fixture
async def slurm() -> _Slurm:
    return _Slurm()


@pytest.fixture
def availability(slurm: _Slurm) -> Availability:
    return Availability(_SITES, slurm.ask, slurm.ask_site)


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """All facts are old as soon as they are known."""
    monkeypatch.setattr(availability_module, "FRESH_SECONDS", -1.0)
    monkeypatch.setattr(availability_module, "RETRY_SECONDS", -1.0)


async def test_at_first_nothing_is_known_and_nobody_is_asked(availability: Availability, slurm: _Slurm) -> None:
    assert availability.facts("alice") == dict.fromkeys(_SITES, UNKNOWN)
    assert not slurm.asked


async def test_the_first_time_a_person_waits_for_the_answer(availability: Availability) -> None:
    facts = await availability.refreshed("alice", LONG)
    assert facts["lugano"].projects == facts["bern"].projects == ("proj3",)
    assert availability.facts("alice") == facts


async def test_whoever_gets_a_name_anew_is_asked_about_anew(availability: Availability, slurm: _Slurm) -> None:
    slurm.site_may_answer.set()
    for user in ("alice", "bob"):
        await availability.refreshed(user, LONG)
        await until(lambda: all(each.asked_at for each in availability.facts(user).values()))  # noqa: B023
    of_bob = availability.facts("bob")
    availability.forget_person("alice")
    assert availability.facts("alice") == dict.fromkeys(_SITES, UNKNOWN)
    assert availability.facts("bob") == of_bob
    assert (await availability.refreshed("alice", LONG))["lugano"].projects == ("proj3",)
    assert slurm.asked["alice", "lugano"] == 2


async def test_sites_without_accounting_are_never_asked(availability: Availability, slurm: _Slurm) -> None:
    facts = await availability.refreshed("alice", LONG)
    assert slurm.asked == {("alice", "lugano"): 1, ("alice", "bern"): 1}
    assert facts["geneva"] == facts["basel"] == UNKNOWN


async def test_what_is_known_is_not_asked_again(availability: Availability, slurm: _Slurm) -> None:
    first = await availability.refreshed("alice", LONG)
    slurm.may_answer.clear()
    assert await availability.refreshed("alice", LONG) == first
    assert slurm.asked["alice", "lugano"] == 1


async def test_what_is_known_of_one_person_says_nothing_of_another(
    availability: Availability, slurm: _Slurm
) -> None:
    await availability.refreshed("alice", LONG)
    assert availability.facts("bob")["lugano"] == UNKNOWN
    slurm.facts = SiteFacts(projects=())
    assert (await availability.refreshed("bob", LONG))["lugano"].projects == ()
    assert availability.facts("alice")["lugano"].projects == ("proj3",)


async def test_those_who_ask_at_the_same_time_share_one_question(
    availability: Availability, slurm: _Slurm
) -> None:
    answers = await asyncio.gather(*(availability.refreshed("alice", LONG) for _ in range(10)))
    assert slurm.asked["alice", "lugano"] == 1
    assert answers[0]["lugano"].projects == ("proj3",)


async def test_patience_ends_before_a_slow_answer_which_is_kept_when_it_comes(
    availability: Availability, slurm: _Slurm
) -> None:
    slurm.may_answer.clear()
    assert (await availability.refreshed("alice", 0.01))["lugano"] == UNKNOWN
    slurm.may_answer.set()
    await until(lambda: availability.facts("alice")["lugano"].projects == ("proj3",))
    assert slurm.asked["alice", "lugano"] == 1


async def test_who_asks_while_somebody_waits_for_the_first_answer_waits_for_it_too(
    availability: Availability, slurm: _Slurm
) -> None:
    slurm.may_answer.clear()
    first, second = (asyncio.create_task(availability.refreshed("alice", LONG)) for _ in range(2))
    await until(lambda: slurm.asked["alice", "lugano"] == 1)
    third = asyncio.create_task(availability.refreshed("alice", LONG))
    await asyncio.wait((first, second, third), timeout=0.05)
    slurm.may_answer.set()
    answers = await asyncio.gather(first, second, third)
    assert [facts["lugano"].projects for facts in answers] == [("proj3",)] * 3


async def test_only_the_first_time_does_a_person_wait(availability: Availability, slurm: _Slurm) -> None:
    slurm.may_answer.clear()
    await availability.refreshed("alice", 0.01)
    async with asyncio.timeout(60):
        assert (await availability.refreshed("alice", LONG))["lugano"] == UNKNOWN


@pytest.mark.usefixtures("stale")
async def test_old_facts_are_served_while_new_ones_are_asked_for(
    availability: Availability, slurm: _Slurm
) -> None:
    await availability.refreshed("alice", LONG)
    slurm.may_answer.clear()
    slurm.facts = SiteFacts(projects=("proj12",))
    for _ in range(3):
        async with asyncio.timeout(60):
            assert (await availability.refreshed("alice", LONG))["lugano"].projects == ("proj3",)
    slurm.may_answer.set()
    await until(lambda: availability.facts("alice")["lugano"].projects == ("proj12",))
    assert slurm.asked["alice", "lugano"] == 2


@pytest.mark.usefixtures("stale")
async def test_a_failed_question_keeps_the_old_facts_and_is_asked_again(
    availability: Availability, slurm: _Slurm
) -> None:
    await availability.refreshed("alice", LONG)
    slurm.facts = None
    for asked in (2, 3):
        await availability.refreshed("alice", LONG)
        await until(lambda: slurm.asked["alice", "lugano"] == asked)  # noqa: B023 - waited for at once
    assert availability.facts("alice")["lugano"].projects == ("proj3",)


async def test_a_site_that_refused_somebody_is_not_asked_for_every_page(
    availability: Availability, slurm: _Slurm
) -> None:
    slurm.facts = None
    for _ in range(3):
        assert (await availability.refreshed("alice", LONG))["lugano"] == UNKNOWN
    assert slurm.asked["alice", "lugano"] == 1


@pytest.mark.usefixtures("stale")
async def test_a_failed_first_question_is_asked_again_without_waiting(
    availability: Availability, slurm: _Slurm
) -> None:
    slurm.facts = None
    await availability.refreshed("alice", LONG)
    slurm.facts = SiteFacts(projects=("proj3",))
    await availability.refreshed("alice", LONG)
    await until(lambda: availability.facts("alice")["lugano"].projects == ("proj3",))


async def test_no_page_waits_for_what_is_free(availability: Availability, slurm: _Slurm) -> None:
    async with asyncio.timeout(60):
        facts = await availability.refreshed("alice", LONG)
    assert facts["lugano"] == SiteFacts(projects=("proj3",))
    assert slurm.snapshots["alice", "geneva"] == slurm.snapshots["alice", "lugano"] == 1


async def test_what_one_person_was_told_is_free_is_theirs_alone(availability: Availability, slurm: _Slurm) -> None:
    slurm.site_may_answer.set()
    await availability.refreshed("alice", LONG)
    await until(lambda: all(each.partitions is not None for each in availability.facts("alice").values()))
    assert availability.facts("alice")["lugano"].projects == ("proj3",)
    assert availability.facts("alice")["lugano"].asked_at == builders.NOW
    assert availability.facts("bob") == dict.fromkeys(_SITES, UNKNOWN)
    await availability.refreshed("bob", LONG)
    assert set(slurm.snapshots) == {(user, key) for key in _SITES for user in ("alice", "bob")}


async def test_only_sites_that_matter_are_asked(availability: Availability, slurm: _Slurm) -> None:
    await availability.refreshed("alice", LONG, {"lugano", "geneva", "a site of tomorrow"})
    assert slurm.asked == {("alice", "lugano"): 1}
    await until(lambda: len(slurm.snapshots) == 2)
    assert set(slurm.snapshots) == {("alice", "lugano"), ("alice", "geneva")}
