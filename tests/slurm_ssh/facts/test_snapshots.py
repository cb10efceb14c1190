import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime

import pytest

from profiles.facts import UNKNOWN, SiteFacts
from slurm_ssh.errors import Broken, LaunchError, Refused, SiteUnreachable, Unavailable
from slurm_ssh.facts import snapshots as snapshots_module
from slurm_ssh.facts.snapshots import Snapshots
from tests.support.waiting import until

SITES = ("geneva", "lugano")
CROWD = [f"p{number:02}" for number in range(20)]


class _Sites:
    """Answers with new facts once it may, or as it is told to for a user or for all; counts who asked."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.problems: dict[str, Exception] = {}

    async def ask(self, user: str, key: str) -> SiteFacts:
        self.asked[user, key] += 1
        await self.may_answer.wait()
        for who in (user, "all"):
            if who in self.problems:
                raise self.problems[who]
        return SiteFacts(partitions={}, asked_at=datetime.now(UTC))

    def times(self, key: str) -> int:
        return sum(number for (_, site), number in self.asked.items() if site == key)


@pytest.fixture
async def slurms() -> _Sites:
    return _Sites()


@pytest.fixture
def snapshots(slurms: _Sites) -> Snapshots:
    return Snapshots(slurms.ask)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is known is due again at once."""
    monkeypatch.setattr(snapshots_module, "INTERVAL_SECONDS", -1.0)


async def settled(snapshots: Snapshots) -> None:
    await until(lambda: all(known.collection is None for known in snapshots._known.values()))


async def refreshed(snapshots: Snapshots, *users: str, sites: tuple[str, ...] = SITES) -> None:
    for user in users:
        snapshots.refresh(user, sites)
    await settled(snapshots)


async def test_at_first_nothing_is_known_and_nobody_is_asked(snapshots: Snapshots, slurms: _Sites) -> None:
    assert snapshots.of("geneva") == UNKNOWN
    assert not slurms.asked


async def test_a_page_asks_every_site_and_waits_for_none(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.may_answer.clear()
    snapshots.refresh("alice", SITES)
    assert snapshots.of("geneva") == UNKNOWN
    slurms.may_answer.set()
    await settled(snapshots)
    assert snapshots.of("geneva").partitions == snapshots.of("lugano").partitions == {}


async def test_twenty_people_at_once_are_one_question_to_a_site(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.may_answer.clear()
    for user in CROWD:
        snapshots.refresh(user, SITES)
    await until(lambda: slurms.times("geneva") > 0)
    slurms.may_answer.set()
    await settled(snapshots)
    await refreshed(snapshots, *CROWD)
    assert slurms.times("geneva") == slurms.times("lugano") == 1


@pytest.mark.usefixtures("hurry")
async def test_after_an_interval_the_next_page_asks_again(snapshots: Snapshots, slurms: _Sites) -> None:
    await refreshed(snapshots, "alice")
    first = snapshots.of("geneva").asked_at
    await refreshed(snapshots, "bob")
    assert slurms.times("geneva") == 2
    assert snapshots.of("geneva").asked_at != first


async def test_after_three_intervals_without_an_answer_it_is_stale(
    snapshots: Snapshots, slurms: _Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(snapshots, "alice")
    slurms.may_answer.clear()
    assert not snapshots.of("geneva").is_stale
    monkeypatch.setattr(snapshots_module, "INTERVAL_SECONDS", 1e-9)
    await asyncio.sleep(0)
    snapshots.refresh("alice", SITES)
    assert snapshots.of("geneva").is_stale
    assert snapshots.of("geneva").partitions == {}
    slurms.may_answer.set()


async def test_nothing_is_not_stale(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.problems["all"] = Broken("No.")
    await refreshed(snapshots, "alice")
    assert not snapshots.of("geneva").is_stale


class TestUnreachable:
    @pytest.mark.usefixtures("hurry")
    async def test_it_is_said_since_when_and_the_last_snapshot_stays(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        await refreshed(snapshots, "alice")
        known, began = snapshots.of("geneva"), datetime.now(UTC)
        slurms.problems["all"] = SiteUnreachable("Geneva cannot be reached.")
        await refreshed(snapshots, "alice")
        since = snapshots.of("geneva").unreachable_since
        assert since is not None
        assert began <= since <= datetime.now(UTC)
        await refreshed(snapshots, "bob")
        assert snapshots.of("geneva").unreachable_since == since
        assert snapshots.of("geneva").asked_at == known.asked_at
        slurms.problems.clear()
        await refreshed(snapshots, "alice")
        assert snapshots.of("geneva").unreachable_since is None
        assert snapshots.of("geneva").asked_at != known.asked_at

    async def test_a_site_that_does_not_answer_is_left_alone_for_an_interval(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        slurms.problems["all"] = Unavailable("Geneva did not answer.")
        await refreshed(snapshots, "alice")
        await refreshed(snapshots, *CROWD)
        assert slurms.times("geneva") == 1
        assert snapshots.of("geneva").unreachable_since

    @pytest.mark.usefixtures("hurry")
    async def test_admins_read_one_line_when_it_goes_and_one_when_it_is_back(
        self, snapshots: Snapshots, slurms: _Sites, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "slurm_ssh")
        slurms.problems["all"] = SiteUnreachable("Geneva cannot be reached.", "login1: no answer")
        for user in CROWD:
            await refreshed(snapshots, user, sites=("geneva",))
        slurms.problems.clear()
        for user in CROWD:
            await refreshed(snapshots, user, sites=("geneva",))
        said = [(record.levelname, record.getMessage()) for record in caplog.records]
        assert [level for level, _ in said] == ["WARNING", "INFO"]
        assert "login1: no answer" in said[0][1]
        assert "geneva answers again" in said[1][1]


class TestRefused:
    async def test_who_has_no_account_leaves_it_to_the_next(self, snapshots: Snapshots, slurms: _Sites) -> None:
        slurms.problems["heidi"] = Refused("You have no account there.")
        await refreshed(snapshots, "heidi")
        assert snapshots.of("lugano") == UNKNOWN
        await refreshed(snapshots, "alice")
        assert snapshots.of("lugano").partitions == {}

    async def test_whoever_came_meanwhile_asks_in_her_place(self, snapshots: Snapshots, slurms: _Sites) -> None:
        slurms.problems["heidi"] = Refused("You have no account there.")
        await refreshed(snapshots, "heidi", "alice", "bob")
        assert snapshots.of("lugano").partitions == {}
        assert slurms.asked["alice", "lugano"] == 1
        assert slurms.asked["bob", "lugano"] == 0

    async def test_she_is_not_refused_again_for_every_page(self, snapshots: Snapshots, slurms: _Sites) -> None:
        slurms.problems["heidi"] = Refused("You have no account there.")
        for _ in range(3):
            await refreshed(snapshots, "heidi")
        assert slurms.asked["heidi", "lugano"] == 1

    @pytest.mark.usefixtures("hurry")
    async def test_she_says_nothing_about_whether_the_site_can_be_reached(
        self, snapshots: Snapshots, slurms: _Sites, caplog: pytest.LogCaptureFixture
    ) -> None:
        slurms.problems["all"] = SiteUnreachable("Geneva cannot be reached.")
        await refreshed(snapshots, "alice")
        since = snapshots.of("geneva").unreachable_since
        caplog.clear()
        slurms.problems = {"all": Refused("You have no ticket.")}
        await refreshed(snapshots, "bob")
        assert snapshots.of("geneva").unreachable_since == since
        assert not caplog.records


class TestProblems:
    @pytest.mark.parametrize("problem", [Broken("What?", "sinfo: not found"), KeyError("geneva")])
    async def test_they_end_no_page_and_wait_for_the_next_interval(
        self, snapshots: Snapshots, slurms: _Sites, problem: LaunchError
    ) -> None:
        slurms.problems["all"] = problem
        await refreshed(snapshots, "alice")
        await refreshed(snapshots, "bob")
        assert snapshots.of("geneva") == UNKNOWN
        assert slurms.times("geneva") == 1

    @pytest.mark.usefixtures("hurry")
    async def test_the_same_problem_is_one_line(
        self,
        snapshots: Snapshots,
        slurms: _Sites,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        slurms.problems["all"] = Broken("Geneva does not say what is free.", "sinfo: not found")
        for user in CROWD:
            await refreshed(snapshots, user, sites=("geneva",))
        (line,) = caplog.messages
        assert "sinfo: not found" in line


async def test_a_site_is_asked_only_for_those_who_are_offered_it(snapshots: Snapshots, slurms: _Sites) -> None:
    await refreshed(snapshots, "alice", sites=("geneva",))
    assert slurms.asked == {("alice", "geneva"): 1}
    await refreshed(snapshots, "bob")
    assert slurms.asked == {("alice", "geneva"): 1, ("bob", "lugano"): 1}
