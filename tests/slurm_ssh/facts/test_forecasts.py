import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.catalogue.site import Site
from slurm_ssh.errors import FrontEndRefused, SiteUnreachable
from slurm_ssh.facts import forecasts as module
from slurm_ssh.facts.forecasts import Forecasts, Known
from slurm_ssh.scheduler import Forecast
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.login import Login
from tests.support import builders
from tests.support.local import LocalSite
from tests.support.waiting import Clock, until

# Nobody waits that long: a test that would, fails.
LONG = 3600.0
ALICE, BOB = (Login(name, name, "geneva") for name in ("alice", "bob"))
_SAID = "sbatch: Job 9 to start at 2026-11-27T02:02:31 using 1 processors on nodes n1 in partition normal\n"
_BEGINS = Forecast(datetime(2026, 11, 27, 2, 2, 31, tzinfo=UTC))
_NOTHING_YET, _NOTHING = Known(None, True), Known(None, False)


@pytest.fixture
def site(local: LocalSite) -> Site:
    local.tell("forecast", _SAID)
    return _site(local)


def _site(local: LocalSite, **changed: Any) -> Site:
    facts = builders.site(slurm_path=str(local.slurm), **changed)
    return builders.catalogue(sites={"geneva": facts}).sites["geneva"]


@pytest.fixture
async def forecasts(local: LocalSite) -> AsyncIterator[Forecasts]:
    pool: Any = local
    found = Forecasts(pool)
    yield found
    await found.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a site's turn as often as somebody wants to ask it."""
    monkeypatch.setattr(module, "EVERY_SECONDS", -1.0)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is old as soon as it is there."""
    monkeypatch.setattr(module, "FRESH_SECONDS", -1.0)


def _asked(local: LocalSite) -> int:
    return local.told("forecasts").count("x")


async def test_slurm_is_asked_what_a_submission_would_ask_of_it_and_submits_nothing(
    forecasts: Forecasts, site: Site, local: LocalSite
) -> None:
    request = builders.request(partition="normal", directives={"comment": "a b"})
    assert await forecasts.of(ALICE, site, request, LONG) == Known(_BEGINS)
    assert local.told("forecast.stdin") == slurm_jobs.batch_script(request)
    assert local.told("forecast.arguments").split() == ["--parsable", "--export=ALL", "--test-only"]
    assert local.told("submissions") == ""


async def test_a_site_with_auks_is_asked_with_its_option_and_without_a_ticket_going_anywhere(
    forecasts: Forecasts, local: LocalSite
) -> None:
    local.tell("forecast", _SAID)
    site = _site(local, ticket={"delivery": "auks"}, ticket_folder=None)
    local.delegated = local.home / "ticket"
    assert await forecasts.of(ALICE, site, builders.request(), LONG) == Known(_BEGINS)
    assert "--auks=done" in local.told("forecast.arguments")
    assert "KRB5CCNAME" not in local.told("forecast.environ")
    assert local.exchanges == 1


async def test_the_zone_of_a_sites_own_environment_changes_no_moment(
    forecasts: Forecasts, local: LocalSite
) -> None:
    local.tell("forecast", _SAID)
    site = _site(local, environment={"TZ": "Asia/Tokyo", "SLURM_TIME_FORMAT": "relative"})
    await forecasts.of(ALICE, site, builders.request(), LONG)
    environ = local.told("forecast.environ").splitlines()
    assert {"TZ=UTC", "SLURM_TIME_FORMAT=standard"} <= set(environ)


async def test_what_is_known_is_not_asked_again(forecasts: Forecasts, site: Site, local: LocalSite) -> None:
    both = [await forecasts.of(ALICE, site, builders.request(), LONG) for _ in range(2)]
    assert (both, _asked(local)) == ([Known(_BEGINS)] * 2, 1)


@pytest.mark.usefixtures("turns")
async def test_another_person_and_another_request_are_other_questions(
    forecasts: Forecasts, site: Site, local: LocalSite
) -> None:
    await forecasts.of(ALICE, site, builders.request(), LONG)
    await forecasts.of(BOB, site, builders.request(), LONG)
    await forecasts.of(ALICE, site, builders.request(cores=2), LONG)
    assert _asked(local) == 3


async def test_a_site_is_asked_once_in_a_while_whoever_asks(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", LONG)
    assert await forecasts.of(ALICE, site, builders.request(), LONG) == Known(_BEGINS)
    assert await forecasts.of(BOB, site, builders.request(), LONG) == _NOTHING_YET
    assert await forecasts.of(ALICE, site, builders.request(cores=2), LONG) == _NOTHING_YET
    other = Login("alice", "alice", "lugano")
    assert await forecasts.of(other, site, builders.request(), LONG) == Known(_BEGINS)
    assert _asked(local) == 2


@pytest.mark.usefixtures("old")
async def test_who_has_to_wait_for_a_turn_gets_the_last_answer(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", LONG)
    both = [await forecasts.of(ALICE, site, builders.request(), LONG) for _ in range(2)]
    assert (both, _asked(local)) == ([Known(_BEGINS, is_due=True)] * 2, 1)
    monkeypatch.setattr(module, "KEEP_SECONDS", -1.0)
    assert await forecasts.of(ALICE, site, builders.request(), LONG) == _NOTHING_YET


@pytest.mark.usefixtures("turns")
async def test_nobody_waits_longer_than_they_want_and_one_question_serves_who_asks_the_same(
    forecasts: Forecasts, site: Site, local: LocalSite
) -> None:
    may_answer = asyncio.Event()
    local.holds = [may_answer]
    assert await forecasts.of(ALICE, site, builders.request(), 0) == _NOTHING_YET
    # Of one person a second question waits for the first, whatever it is about.
    assert await forecasts.of(ALICE, site, builders.request(cores=2), LONG) == _NOTHING_YET
    again = asyncio.create_task(forecasts.of(ALICE, site, builders.request(), LONG))
    may_answer.set()
    assert await again == Known(_BEGINS)
    assert _asked(local) == 1


@pytest.mark.usefixtures("turns")
async def test_a_site_that_answers_nobody_holds_up_few(forecasts: Forecasts, site: Site, local: LocalSite) -> None:
    local.holds = [asyncio.Event() for _ in range(9)]
    for number in range(9):
        login = Login(f"user{number}", f"user{number}", "geneva")
        assert await forecasts.of(login, site, builders.request(), 0) == _NOTHING_YET
    await until(lambda: len(local.holds) == 5)
    await forecasts.close()
    assert len(local.holds) == 5


@pytest.mark.usefixtures("turns")
@pytest.mark.parametrize("trouble", ["unreachable", "refused", "silent", "garbage", "bug"])
async def test_who_got_no_answer_is_not_asked_for_again_so_soon(
    forecasts: Forecasts, site: Site, local: LocalSite, trouble: str
) -> None:
    match trouble:
        case "unreachable":
            local.refusal = SiteUnreachable("Nobody is there.")
        case "refused":
            local.refusal = FrontEndRefused("You are not let in.")
        case "silent":
            local.tell("refusal", "allocation failure: Unable to contact slurm controller (connect failure)\n")
        case "garbage":
            local.tell("forecast", "maintenance until Monday\n")
        case "bug":
            local.refusal = RuntimeError("a bug")
    assert await forecasts.of(ALICE, site, builders.request(), LONG) == _NOTHING
    exchanges, local.refusal = local.exchanges, None
    local.tell("forecast", _SAID)
    assert await forecasts.of(ALICE, site, builders.request(cores=2), LONG) == _NOTHING
    assert local.exchanges == exchanges


async def test_a_refusal_is_an_answer(forecasts: Forecasts, site: Site, local: LocalSite) -> None:
    local.tell("refusal", "allocation failure: Requested reservation is invalid\n")
    known = await forecasts.of(ALICE, site, builders.request(reservation="nix"), LONG)
    assert known.forecast == Forecast(
        refused="Geneva did not accept the job: you may not use this reservation now. Choose another one, or none."
    )


@pytest.mark.usefixtures("turns")
async def test_of_many_answers_the_oldest_are_forgotten(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    for cores in (1, 2, 3, 3, 2, 1):
        await forecasts.of(ALICE, site, builders.request(cores=cores), LONG)
    assert _asked(local) == 4


@pytest.mark.usefixtures("turns")
async def test_whoever_tries_many_choices_has_nobody_elses_answers_forgotten(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 4)
    monkeypatch.setattr(module, "_MOST_OF_ONE", 2)
    await forecasts.of(BOB, site, builders.request(), LONG)
    for cores in range(1, 6):
        await forecasts.of(ALICE, site, builders.request(cores=cores), LONG)
    asked = _asked(local)
    for cores in (4, 5):
        await forecasts.of(ALICE, site, builders.request(cores=cores), LONG)
    assert await forecasts.of(BOB, site, builders.request(), LONG) == Known(_BEGINS)
    assert _asked(local) == asked
    await forecasts.of(ALICE, site, builders.request(cores=3), LONG)
    assert _asked(local) == asked + 1


async def test_one_who_asks_with_ever_new_choices_takes_nobodys_turn(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.2)
    cores = 1
    await forecasts.of(ALICE, site, builders.request(cores=cores), LONG)
    # It is not the site's turn: Bob waits, and looks only once the greedy one has had two more answers.
    assert await forecasts.of(BOB, site, builders.request(), 0) == _NOTHING_YET
    while _asked(local) < 4:
        cores += 1
        await forecasts.of(ALICE, site, builders.request(cores=cores), LONG)
        await asyncio.sleep(0)
    assert await forecasts.of(BOB, site, builders.request(), LONG) == Known(_BEGINS)


async def test_who_waits_is_asked_for_what_they_wanted_last_also_if_they_do_not_come_back(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.2)
    await forecasts.of(ALICE, site, builders.request(), LONG)
    for cores in (1, 2, 3):
        assert await forecasts.of(BOB, site, builders.request(cores=cores), 0) == _NOTHING_YET
    await until(lambda: _asked(local) == 2)
    await until(lambda: "--cpus-per-task=3\n" in local.told("forecast.stdin"))


async def test_who_has_gone_is_not_asked_for(
    forecasts: Forecasts, site: Site, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", LONG)
    await forecasts.of(ALICE, site, builders.request(), LONG)
    assert await forecasts.of(BOB, site, builders.request(), 0) == _NOTHING_YET
    Clock(monkeypatch).advance(LONG)
    carol = Login("carol", "carol", "geneva")
    assert await forecasts.of(carol, site, builders.request(), LONG) == Known(_BEGINS)
    assert _asked(local) == 2


async def test_what_no_job_can_hold_is_asked_of_nobody(forecasts: Forecasts, site: Site, local: LocalSite) -> None:
    with pytest.raises(ValueError, match="control characters"):
        await forecasts.of(ALICE, site, builders.request(directives={"comment": "a\nb"}), LONG)
    assert local.exchanges == 0


def test_people_are_connected_where_they_have_a_connection(
    local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = (ALICE, Login("bob", "bob", "lugano"))
    monkeypatch.setattr(local, "logins", lambda: logins)
    pool: Any = local
    assert Forecasts(pool).connected("alice") == {"geneva"}
