import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime

import pytest

from profiles.facts import UNKNOWN, Capacity, Nodes, PartitionFacts, SiteFacts
from slurm_ssh.errors import Broken, FrontEndRefused, LaunchError, Refused, SiteUnreachable, Unavailable
from slurm_ssh.facts import snapshots as snapshots_module
from slurm_ssh.facts.snapshots import MONITOR, Snapshots
from tests.support import builders
from tests.support.waiting import until

SITES = ("geneva", "lugano")
CROWD = [f"p{number:02}" for number in range(20)]
_MONITOR = {"principal": "jmonitor@LAB.TEST", "keytab": "/etc/jupyterhub/monitor.keytab", "login": "jmonitor"}
_SITES = builders.catalogue(sites={"geneva": builders.site(monitor=_MONITOR), "lugano": builders.site()}).sites


class _Sites:
    """Answers with new facts once it may, or as it is told to for an asker or for all; counts who asked."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str | None, str]] = Counter()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.problems: dict[str | None, Exception] = {}

    async def ask(self, user: str | None, key: str) -> SiteFacts:
        self.asked[user, key] += 1
        await self.may_answer.wait()
        for who in (user, "all"):
            if who in self.problems:
                raise self.problems[who]
        return SiteFacts(projects=(str(user),), partitions={}, asked_at=datetime.now(UTC))

    def times(self, key: str) -> int:
        return sum(number for (_, site), number in self.asked.items() if site == key)


@pytest.fixture
async def slurms() -> _Sites:
    return _Sites()


@pytest.fixture
def snapshots(slurms: _Sites) -> Snapshots:
    return Snapshots(_SITES, slurms.ask)


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


def said_by(snapshots: Snapshots, user: str, key: str) -> str | None:
    """Return whose answer a user is shown."""
    projects = snapshots.of(user, key).projects
    return projects[0] if projects else None


async def test_at_first_nothing_is_known_and_nobody_is_asked(snapshots: Snapshots, slurms: _Sites) -> None:
    assert snapshots.of("alice", "geneva") == snapshots.of("alice", "a site of yesterday") == UNKNOWN
    assert not slurms.asked


async def test_a_page_asks_every_site_and_waits_for_none(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.may_answer.clear()
    snapshots.refresh("alice", SITES)
    assert snapshots.of("alice", "geneva") == UNKNOWN
    slurms.may_answer.set()
    await settled(snapshots)
    assert snapshots.of("alice", "geneva").partitions == snapshots.of("alice", "lugano").partitions == {}


async def test_a_monitors_answer_is_everybodys_and_one_question(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.may_answer.clear()
    for user in CROWD:
        snapshots.refresh(user, SITES)
    await until(lambda: slurms.times("geneva") > 0)
    slurms.may_answer.set()
    await settled(snapshots)
    await refreshed(snapshots, *CROWD)
    assert slurms.times("geneva") == slurms.asked[MONITOR, "geneva"] == 1
    assert said_by(snapshots, "somebody else", "geneva") == "None"


async def test_without_a_monitor_an_answer_is_of_the_one_who_asked_alone(
    snapshots: Snapshots, slurms: _Sites
) -> None:
    await refreshed(snapshots, "bob")
    assert snapshots.of("alice", "lugano") == UNKNOWN
    await refreshed(snapshots, "alice", "bob", "alice")
    assert [said_by(snapshots, user, "lugano") for user in ("alice", "bob")] == ["alice", "bob"]
    assert slurms.asked["alice", "lugano"] == slurms.asked["bob", "lugano"] == 1


@pytest.mark.usefixtures("hurry")
async def test_a_lie_about_a_site_without_a_monitor_closes_it_for_the_liar_alone(
    snapshots: Snapshots, slurms: _Sites
) -> None:
    slurms.problems["bob"] = Unavailable("Slurm at Lugano does not answer.", "Unable to contact slurm controller")
    for _ in range(3):
        await refreshed(snapshots, "bob", "alice")
    assert snapshots.of("bob", "lugano").unreachable_since
    assert snapshots.of("alice", "lugano").unreachable_since is None
    assert said_by(snapshots, "alice", "lugano") == "alice"


@pytest.mark.usefixtures("hurry")
async def test_after_an_interval_the_next_page_asks_again(snapshots: Snapshots, slurms: _Sites) -> None:
    await refreshed(snapshots, "alice")
    first = snapshots.of("alice", "geneva").asked_at
    await refreshed(snapshots, "bob")
    assert slurms.times("geneva") == 2
    assert snapshots.of("alice", "geneva").asked_at != first


async def test_after_three_intervals_without_an_answer_it_is_stale(
    snapshots: Snapshots, slurms: _Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(snapshots, "alice")
    slurms.may_answer.clear()
    assert not snapshots.of("alice", "geneva").is_stale
    monkeypatch.setattr(snapshots_module, "INTERVAL_SECONDS", 1e-9)
    await asyncio.sleep(0)
    snapshots.refresh("alice", SITES)
    assert snapshots.of("alice", "geneva").is_stale
    assert snapshots.of("alice", "geneva").partitions == {}
    slurms.may_answer.set()


async def test_nothing_is_not_stale(snapshots: Snapshots, slurms: _Sites) -> None:
    slurms.problems["all"] = Broken("No.")
    await refreshed(snapshots, "alice")
    assert not snapshots.of("alice", "geneva").is_stale


async def test_what_was_asked_for_somebody_who_never_came_back_is_not_kept(
    snapshots: Snapshots, slurms: _Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(snapshots, *CROWD)
    monkeypatch.setattr(snapshots_module, "FORGET_SECONDS", -1.0)
    await refreshed(snapshots, "alice")
    assert set(snapshots._known) == {(MONITOR, "geneva"), ("alice", "lugano")}


class TestUnreachable:
    @pytest.mark.usefixtures("hurry")
    async def test_it_is_said_since_when_and_the_last_snapshot_stays(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        await refreshed(snapshots, "alice")
        known, began = snapshots.of("alice", "geneva"), datetime.now(UTC)
        slurms.problems["all"] = SiteUnreachable("Geneva cannot be reached.")
        await refreshed(snapshots, "alice")
        since = snapshots.of("alice", "geneva").unreachable_since
        assert since is not None
        assert began <= since <= datetime.now(UTC)
        await refreshed(snapshots, "bob")
        assert snapshots.of("bob", "geneva").unreachable_since == since
        assert snapshots.of("bob", "geneva").asked_at == known.asked_at
        slurms.problems.clear()
        await refreshed(snapshots, "alice")
        assert snapshots.of("alice", "geneva").unreachable_since is None
        assert snapshots.of("alice", "geneva").asked_at != known.asked_at

    async def test_a_site_that_does_not_answer_is_left_alone_for_an_interval(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        slurms.problems["all"] = Unavailable("Geneva did not answer.")
        await refreshed(snapshots, "alice")
        await refreshed(snapshots, *CROWD)
        await refreshed(snapshots, *CROWD)
        assert slurms.times("geneva") == 1
        assert slurms.times("lugano") == 1 + len(CROWD)
        assert snapshots.of("alice", "geneva").unreachable_since

    @pytest.mark.usefixtures("hurry")
    @pytest.mark.parametrize("site", SITES)
    async def test_admins_read_one_line_when_it_goes_and_one_when_it_is_back(
        self, snapshots: Snapshots, slurms: _Sites, caplog: pytest.LogCaptureFixture, site: str
    ) -> None:
        caplog.set_level(logging.INFO, "slurm_ssh")
        slurms.problems["all"] = SiteUnreachable("It cannot be reached.", "login1: no answer")
        for user in CROWD:
            await refreshed(snapshots, user, sites=(site,))
        slurms.problems.clear()
        for user in CROWD:
            await refreshed(snapshots, user, sites=(site,))
        said = [(record.levelname, record.getMessage()) for record in caplog.records]
        assert [level for level, _ in said] == ["WARNING", "INFO"]
        assert f"{site} does not answer {'its monitor' if site == 'geneva' else 'p00'}" in said[0][1]
        assert "login1: no answer" in said[0][1]
        assert f"{site} answers again" in said[1][1]


class TestRefused:
    async def test_who_has_no_account_is_not_refused_again_for_every_page(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        slurms.problems["heidi"] = Refused("You have no account there.")
        for _ in range(3):
            await refreshed(snapshots, "heidi")
        assert slurms.asked["heidi", "lugano"] == 1
        assert snapshots.of("heidi", "lugano") == UNKNOWN
        assert said_by(snapshots, "heidi", "geneva") == "None"

    @pytest.mark.usefixtures("hurry")
    async def test_why_they_are_not_let_in_is_known_until_they_are(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        assert snapshots.not_let_in("heidi", "lugano") == ""
        for problem, told in (
            (FrontEndRefused("You have no account there.", "for the log"), "You have no account there."),
            (SiteUnreachable("Lugano cannot be reached."), "You have no account there."),
            (Refused("You have no ticket."), ""),
            (FrontEndRefused("You have no account there."), "You have no account there."),
            (None, ""),
        ):
            slurms.problems = {"heidi": problem} if problem else {}
            await refreshed(snapshots, "heidi", sites=("lugano",))
            assert snapshots.not_let_in("heidi", "lugano") == told
            assert snapshots.not_let_in("bob", "lugano") == ""

    @pytest.mark.usefixtures("hurry")
    async def test_they_say_nothing_about_whether_the_site_can_be_reached(
        self, snapshots: Snapshots, slurms: _Sites, caplog: pytest.LogCaptureFixture
    ) -> None:
        slurms.problems["all"] = SiteUnreachable("Lugano cannot be reached.")
        await refreshed(snapshots, "bob")
        since = snapshots.of("bob", "lugano").unreachable_since
        caplog.clear()
        slurms.problems = {"bob": Refused("You have no ticket.")}
        await refreshed(snapshots, "bob", sites=("lugano",))
        assert snapshots.of("bob", "lugano").unreachable_since == since
        assert not caplog.records


class TestARefusedMonitor:
    @pytest.fixture(autouse=True)
    def _refused(self, slurms: _Sites) -> None:
        slurms.problems[MONITOR] = Refused("No ticket.")

    async def test_everybody_asks_for_themselves_and_sees_their_own(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        for _ in range(2):
            await refreshed(snapshots, "alice", "bob", sites=("geneva",))
        assert slurms.asked == {(MONITOR, "geneva"): 1, ("alice", "geneva"): 1, ("bob", "geneva"): 1}
        assert said_by(snapshots, "alice", "geneva") == "alice"
        assert said_by(snapshots, "bob", "geneva") == "bob"
        await refreshed(snapshots, "carol", sites=("geneva",))
        assert said_by(snapshots, "carol", "geneva") == "carol"

    @pytest.mark.usefixtures("hurry")
    async def test_what_the_monitor_said_last_stays_for_those_who_cannot_ask(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        refusal = slurms.problems.pop(MONITOR)
        await refreshed(snapshots, "alice")
        slurms.problems = {MONITOR: refusal, "heidi": Refused("You have no account there.")}
        await refreshed(snapshots, "bob", "heidi")
        assert said_by(snapshots, "bob", "geneva") == "bob"
        assert said_by(snapshots, "heidi", "geneva") == said_by(snapshots, "alice", "geneva") == "None"

    @pytest.mark.usefixtures("hurry")
    async def test_when_it_may_ask_again_its_answer_is_everybodys(
        self, snapshots: Snapshots, slurms: _Sites
    ) -> None:
        await refreshed(snapshots, "bob")
        slurms.problems.clear()
        await refreshed(snapshots, "alice")
        assert said_by(snapshots, "bob", "geneva") == said_by(snapshots, "alice", "geneva") == "None"


class TestProblems:
    @pytest.mark.parametrize("problem", [Broken("What?", "sinfo: not found"), KeyError("geneva")])
    async def test_they_end_no_page_and_wait_for_the_next_interval(
        self, snapshots: Snapshots, slurms: _Sites, problem: LaunchError
    ) -> None:
        slurms.problems["all"] = problem
        await refreshed(snapshots, "alice")
        await refreshed(snapshots, "bob")
        assert snapshots.of("alice", "geneva") == snapshots.of("bob", "lugano") == UNKNOWN
        assert slurms.times("geneva") == slurms.asked["alice", "lugano"] == 1

    @pytest.mark.usefixtures("hurry")
    @pytest.mark.parametrize("site", SITES)
    async def test_the_same_problem_is_one_line(
        self, snapshots: Snapshots, slurms: _Sites, caplog: pytest.LogCaptureFixture, site: str
    ) -> None:
        slurms.problems["all"] = Broken("It does not say what is free.", "sinfo: not found")
        for user in CROWD:
            await refreshed(snapshots, user, sites=(site,))
        (line,) = caplog.messages
        assert "sinfo: not found" in line


async def test_a_site_is_asked_only_for_those_who_are_offered_it(snapshots: Snapshots, slurms: _Sites) -> None:
    await refreshed(snapshots, "alice", sites=("geneva",))
    assert slurms.asked == {(MONITOR, "geneva"): 1}
    await refreshed(snapshots, "bob")
    assert slurms.asked == {(MONITOR, "geneva"): 1, ("bob", "lugano"): 1}


async def test_how_a_site_answered_last_is_kept(
    snapshots: Snapshots,
    slurms: _Sites,
    hurry: None,
) -> None:
    snapshots.refresh_by_monitors()
    await settled(snapshots)
    assert list(snapshots.health) == ["geneva"]
    snapshots.refresh("alice", SITES)
    await settled(snapshots)
    assert [(each.away_since, each.problem) for each in snapshots.health.values()] == [(None, ""), (None, "")]
    slurms.problems["all"] = SiteUnreachable("Geneva cannot be reached.", "No route")
    snapshots.refresh_by_monitors()
    await settled(snapshots)
    away = snapshots.health["geneva"]
    assert away.away_since is not None
    assert away.problem == "Geneva cannot be reached. [No route]"
    slurms.problems["all"] = Refused("not you")
    snapshots.refresh_by_monitors()
    await settled(snapshots)
    assert snapshots.health["geneva"] == away


@pytest.mark.usefixtures("hurry")
async def test_who_is_told_the_same_of_partitions_has_the_very_same() -> None:
    free = {"now": 4}

    async def ask(_user: str | None, _key: str) -> SiteFacts:
        nodes = Nodes(1, Capacity(8, 1000), Capacity(free["now"], 1000))
        partition = PartitionFacts(True, True, None, None, (nodes,))
        return SiteFacts(partitions={"normal": partition}, asked_at=datetime.now(UTC))

    snapshots = Snapshots(_SITES, ask)
    await refreshed(snapshots, "alice", "bob", sites=("lugano",))
    before = snapshots.of("alice", "lugano")
    assert before.partitions is snapshots.of("bob", "lugano").partitions
    free["now"] = 2
    await refreshed(snapshots, "bob", sites=("lugano",))
    assert snapshots.of("alice", "lugano") == before
    assert snapshots.of("bob", "lugano").partitions != before.partitions
