import asyncio
import contextvars
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kerberos_auth.errors import TicketMissing
from profiles.errors import ChoiceRefused
from profiles.facts import SiteFacts
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.errors import FrontEndRefused, Refused, SiteUnreachable, SubmitRefused, Unavailable
from slurm_ssh.facts.availability import Availability
from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.hub.shared import SETTING, Hub, StartRequest, launch_notices
from tests.support import builders, composing
from tests.support.waiting import until


class _NoSite:
    """Connections of a site that is away."""

    def connection(self, *_: Any) -> Any:
        raise SiteUnreachable("Nobody is there.")

    def renew(self, _user: str) -> None:
        """There is nothing to renew."""

    async def close(self) -> None:
        """There is nothing to close."""


_ALICE = StartRequest("alice")
_BASE = "/hub/"


def _request(**running: int) -> StartRequest:
    others = [profile for profile, count in running.items() for _ in range(count)]
    return StartRequest("alice", others={f"server{number}": profile for number, profile in enumerate(others)})


@pytest.fixture(autouse=True)
def _a_request_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of one run share a context, as requests do not."""
    monkeypatch.setattr("slurm_ssh_spawner.hub.shared._SENT", contextvars.ContextVar("sent", default=None))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    catalogue = builders.live(
        tmp_path,
        sites={"geneva": builders.site(), "lugano": builders.site(title="Lugano", projects="accounting")},
        profiles={"jupyterlab": builders.profile(), "few": builders.profile(name="Few", servers_max=2)},
    )
    url = f"sqlite:///{tmp_path}/launches.sqlite"
    hub = composing.hub(catalogue, composing.NoTickets(TicketMissing()), url, _NoSite())
    yield hub
    await hub.close()


def _knowing(hub: Hub, *projects: str) -> Hub:
    """Return the hub with a Lugano whose accounting has these projects of everybody."""

    async def ask(_user: str, _site_key: str) -> SiteFacts:
        return SiteFacts(projects=projects)

    async def ask_site(_user: str, _site_key: str) -> SiteFacts:
        return SiteFacts()

    hub.availability = Availability(hub.catalogue.sites, ask, ask_site)
    return hub


async def test_a_sent_form_becomes_the_choices_that_are_kept(hub: Hub) -> None:
    sent = {"_xsrf": ["x"], "profile": ["jupyterlab"], "time": ["2h"], "site": [""]}
    assert hub.read_form(_ALICE, sent) == {"profile": "jupyterlab", "time": "2h"}


async def test_after_a_refusal_a_person_finds_what_was_typed_in_the_same_request(hub: Hub) -> None:
    another = contextvars.copy_context()
    with pytest.raises(ChoiceRefused):
        hub.read_form(_ALICE, {"time": ["99h"], "site": ["geneva"]})
    assert 'value="99h"' in await hub.render_form(_ALICE, _BASE)
    later = asyncio.create_task(hub.render_form(_ALICE, _BASE), context=another)
    assert 'value="99h"' not in await later


async def test_a_form_of_which_no_start_came_is_shown_as_it_was_sent(hub: Hub) -> None:
    hub.read_form(StartRequest("alice", "south"), {"time": ["2h"]})
    assert 'value="2h"' in await hub.render_form(_ALICE, _BASE)


@pytest.mark.parametrize(
    ("error", "field", "is_for_choices"),
    [
        (SubmitRefused("Not that one.", choice="project"), "project", True),
        (SubmitRefused("Not now."), "site", False),
        (FrontEndRefused("You are not let in."), "site", True),
        (SiteUnreachable("Nobody is there."), "site", False),
    ],
)
async def test_what_a_site_refuses_stands_at_the_field_that_it_is_about(
    hub: Hub, error: Refused | Unavailable, field: str, is_for_choices: bool
) -> None:
    hub.read_form(_ALICE, {"time": ["2h"]})
    await hub.launcher.records.accept("alice", "", {"time": "2h"})
    assert await hub.refused(_ALICE, "geneva", error, {"time": "3h"}) is is_for_choices
    page = await hub.render_form(_ALICE, _BASE)
    assert error.message in page.split(f'id="{field}-problem"')[1]
    assert await hub.last_accepted(_ALICE) == {"time": "3h" if is_for_choices else "2h"}


async def test_what_one_person_typed_is_not_shown_to_another(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form(_ALICE, {"time": ["99h"]})
    assert 'value="99h"' not in await hub.render_form(StartRequest("bob"), _BASE)


async def test_a_form_of_another_shape_can_be_shown_again(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form(_ALICE, {"time": ["<b>", "2h"], "site": [{"body": b"file"}], "profile": []})
    assert "&lt;b&gt;" in await hub.render_form(_ALICE, _BASE)


async def test_the_first_form_offers_the_persons_projects(hub: Hub) -> None:
    assert '<option value="proj3">' in await _knowing(hub, "proj3", "proj12").render_form(_ALICE, _BASE)


async def test_a_site_that_was_taken_out_of_the_catalogue_gets_nobodys_ticket(hub: Hub, tmp_path: Path) -> None:
    asked = set()

    async def ask(_user: str, site_key: str) -> SiteFacts:
        asked.add(site_key)
        return SiteFacts()

    hub.availability = Availability(hub.catalogue.sites, ask, ask)
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites={"geneva": builders.site()}))
    await hub.render_form(StartRequest("alice"), _BASE)
    assert "lugano" in hub.catalogue.sites
    await until(lambda: bool(asked))
    assert asked == {"geneva"}


async def test_a_site_where_she_is_offered_nothing_gets_nobodys_ticket(hub: Hub, tmp_path: Path) -> None:
    asked = set()

    async def ask(_user: str, site_key: str) -> SiteFacts:
        asked.add(site_key)
        return SiteFacts()

    hub.availability = Availability(hub.catalogue.sites, ask, ask)
    staffs = builders.profile(sites=["lugano"], visible_to={"groups": ["staff"]})
    sites = {"geneva": builders.site(), "lugano": builders.site(projects="accounting")}
    profiles = {"all": builders.profile(sites=["geneva"]), "staff": staffs}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites, profiles=profiles))
    await hub.render_form(StartRequest("alice"), _BASE)
    await until(lambda: bool(asked))
    assert asked == {"geneva"}
    await hub.render_form(StartRequest("bob", groups=frozenset({"staff"})), _BASE)
    await until(lambda: "lugano" in asked)


async def test_a_start_at_one_site_asks_no_other(hub: Hub) -> None:
    asked = set()

    async def ask(_user: str | None, site_key: str) -> SiteFacts:
        asked.add(site_key)
        return SiteFacts()

    hub.availability = Availability(hub.catalogue.sites, ask, ask)
    await hub.accept(lambda: _ALICE, {"site": "geneva"}, lambda _: None)
    await hub.availability.close()
    assert asked == {"geneva"}


async def test_a_form_without_known_projects_takes_any(hub: Hub) -> None:
    assert '<input class="form-control" aria-describedby="project-hint" id="project"' in await hub.render_form(
        _ALICE, _BASE
    )
    sent = {"site": ["lugano"], "project": ["proj3"]}
    assert hub.read_form(_ALICE, sent) == {"site": "lugano", "project": "proj3"}


async def test_the_gate_knows_the_projects_that_the_form_offered(hub: Hub) -> None:
    _knowing(hub, "proj3", "proj12")
    await hub.render_form(_ALICE, _BASE)
    with pytest.raises(ChoiceRefused, match="Choose one of: proj3, proj12"):
        hub.read_form(_ALICE, {"site": ["lugano"], "project": ["proj5"]})


async def test_a_persons_other_launches_count_against_the_limit_of_their_profile(hub: Hub) -> None:
    few = Choices.of({"profile": "few"})
    assert hub.resolve(_request(jupyterlab=5, few=1), few).profile_key == "few"
    with pytest.raises(ChoiceRefused, match="You already have 2 servers of Few"):
        hub.resolve(_request(jupyterlab=5, few=2), few)


async def test_launches_that_jupyterhub_does_not_know_of_yet_count_too(hub: Hub) -> None:
    few: dict[str, str] = {"profile": "few"}
    taken: list[NotebookLaunch] = []
    begun = builders.launch(hub.catalogue.current, few)
    for number, server in enumerate(("north", "south", "south")):
        await hub.launcher.records.begin(LaunchId(f"{number:012x}"), begun, server=server)
    with pytest.raises(ChoiceRefused, match="You already have 2 servers of Few"):
        await hub.accept(lambda: StartRequest("alice", "east", others={"north": "few"}), few, taken.append)
    await hub.accept(lambda: StartRequest("alice", "south"), few, taken.append)
    await hub.launcher.records.want_stop(LaunchId(f"{0:012x}"))
    await hub.accept(lambda: StartRequest("alice", "east"), few, taken.append)
    assert [each.profile_key for each in taken] == ["few", "few"]


async def test_a_form_for_one_server_too_many_is_shown_again(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form(_request(few=2), {"profile": ["few"], "time": ["2h"]})
    page = await hub.render_form(_ALICE, _BASE)
    assert "You already have 2 servers of Few" in page
    assert 'value="2h"' in page


@pytest.mark.parametrize("admin", [True, False])
async def test_a_catalogue_that_cannot_be_used_is_told_to_admins_alone(
    hub: Hub, tmp_path: Path, admin: bool
) -> None:
    user = SimpleNamespace(name="ruth", admin=admin, settings={SETTING: hub})
    assert launch_notices(user) == ()
    (tmp_path / "catalogue.yaml").write_text("sites: 1")
    await hub.catalogue.refreshed()
    assert launch_notices(user) == ((hub.catalogue.problem,) if admin else ())
