"""Sharing a server at a real hub: by invitation, for a time, where its profile allows it, and nowhere else."""

import asyncio
import html
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.scopes import get_scopes_for

from slurm_ssh.job import new_launch_id
from slurm_ssh_spawner.hub import guests
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, launching
from tests.support.hub import ComposedSpawner
from tests.support.launching import LaunchingHub, Person
from tests.support.local import LocalSite

HUB = "/@/space%20word/hub/"
INVITE, TAKE_BACK, LEAVE = f"{HUB}share/invite", f"{HUB}share/take-back", f"{HUB}share/leave"
ACCEPT = f"{HUB}accept-share"
SCOPE = "access:servers!server=alice/south"
AN_HOUR = [("server", "south"), ("minutes", "60")]


def _catalogue(local: LocalSite) -> dict[str, Any]:
    profiles = {"together": builders.profile(name="Together", sharing=True), "alone": builders.profile()}
    return {**launching.one_site(local), "profiles": profiles}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        yield hub
        await hub.core.close()


async def _up(hub: LaunchingHub, owner: Person, server: str = "south", profile: str = "together") -> Any:
    """Have a server of theirs that is up; return JupyterHub's spawner."""
    launch_id = new_launch_id()
    what = builders.launch(hub.core.catalogue.current, {"profile": profile})
    await hub.core.launcher.records.begin(launch_id, what, server=server)
    await hub.core.launcher.records.settled()
    if server not in owner.user.orm_spawners:
        owner.user._new_orm_spawner(server, server)
    spawner = owner.user.spawners[server]
    url = f"/@/space%20word/user/{owner.name}/{server}/"
    spawner.orm_spawner.server = orm.Server(base_url=url, ip="127.0.0.1", port=9)
    spawner.profile_key = profile
    hub.app.db.commit()
    assert spawner.ready
    return spawner


async def _link(owner: Person) -> str:
    """Make an invitation to `south` and return its code."""
    page = await owner.post(INVITE, AN_HOUR)
    assert page.status_code == 200, page.text
    (link,) = re.findall(r'id="share-link" readonly value="([^"]+)"', page.text)
    address = urlsplit(html.unescape(link))
    assert (address.scheme, address.path) == ("http", ACCEPT)
    return parse_qs(address.query)["code"][0]


async def _let_in(owner: Person, guest: Person) -> None:
    answer = await guest.post(ACCEPT, [("code", await _link(owner))])
    assert answer.headers["location"] == "/@/space%20word/user/alice/south/"


def _may_enter(person: Person) -> bool:
    return SCOPE in get_scopes_for(person.user.orm_user)


def _said(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", main)).split())


def _keys(page: str) -> list[tuple[str, str]]:
    """Return kind and key of what the page offers to take back."""
    return re.findall(r'name="kind" value="(\w+)">\s*<input type="hidden" name="key" value="(\d+)"', page)


def _audit(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says of shares, without dates and codes."""
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("sharing: ")]
    dateless = (re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "DATE", each) for each in said)
    return [re.sub(r"invitation [\w-]{4} ", "invitation CODE ", each) for each in dateless]


async def test_a_guest_is_invited_accepts_and_is_put_out_again(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    assert "Share" in (await alice.page("home")).text
    page = _said((await alice.page("share?server=south")).text)
    assert "A guest acts as you at Geneva, with your account and your Kerberos ticket." in page
    assert "Nobody but you has access." in page
    code = await _link(alice)
    told = _said((await bob.page(f"accept-share?code={code}")).text)
    assert "alice invites you to work in their server south." in told
    assert "You act there as alice: with their files, their account and their ticket." in told
    assert not _may_enter(bob)
    assert (await bob.post(ACCEPT, [("code", code)])).status_code == 302
    assert _may_enter(bob)
    assert "shared with bob" in _said((await alice.page("home")).text)
    shared = (await alice.page("share?server=south")).text
    assert "Take back the access of bob" in shared
    home = (await bob.page("home")).text
    assert "Shared with you" in home
    assert "south of alice" in _said(home)
    assert 'href="/@/space%20word/user/alice/south/"' in home
    ((kind, key),) = _keys(shared)
    back = await alice.post(TAKE_BACK, [("server", "south"), ("kind", kind), ("key", key)])
    assert back.headers["location"] == f"{HUB}share?server=south"
    assert not _may_enter(bob)
    assert "Shared with you" not in (await bob.page("home")).text
    assert _audit(caplog) == [
        "sharing: alice made invitation CODE to alice/south, until DATE",
        "sharing: bob accepted invitation CODE to alice/south, until DATE",
        "sharing: access of bob to alice/south ended: revoked by alice",
    ]


async def test_an_invitation_lets_in_one_person(hub: LaunchingHub) -> None:
    alice, bob, carol = await hub.person("alice"), await hub.person("bob"), await hub.person("carol")
    await _up(hub, alice)
    code = await _link(alice)
    answers = await asyncio.gather(*(each.post(ACCEPT, [("code", code)]) for each in (bob, carol)))
    assert sorted(answer.status_code for answer in answers) == [302, 403]
    assert _may_enter(bob) != _may_enter(carol)


async def test_who_has_to_log_in_first_comes_back_to_the_invitation_and_its_code_is_in_no_log(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    code = await _link(alice)
    caplog.clear()
    bob.forget_cookies()
    login = await bob.page(f"accept-share?code={code}")
    assert code not in login.headers["location"]
    await bob.page(login.headers["location"].removeprefix(HUB))
    await bob.log_in()
    assert "alice invites you to work in their server south." in _said((await bob.page("accept-share")).text)
    # The browser of this test logs too.
    assert not [each for each in caplog.records if not each.name.startswith("http") and code in each.getMessage()]


async def test_an_invitation_that_is_taken_back_is_of_no_use(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    code = await _link(alice)
    ((kind, key),) = _keys((await alice.page("share?server=south")).text)
    await alice.post(TAKE_BACK, [("server", "south"), ("kind", kind), ("key", key)])
    for answer in (await bob.page(f"accept-share?code={code}"), await bob.post(ACCEPT, [("code", code)])):
        assert answer.status_code == 403
        assert "This invitation cannot be used" in _said(answer.text)
    assert _audit(caplog)[-1] == "sharing: invitation CODE to alice/south ended: revoked by alice"


async def test_only_a_server_that_runs_and_whose_profile_allows_it_is_shared(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _up(hub, alice, "alone", "alone")
    await _up(hub, alice)
    assert "share?server=alone" not in (home := (await alice.page("home")).text)
    assert "share?server=south" in home
    for server in ("alone", ""):
        assert (await alice.page(f"share?server={server}")).status_code == 403
        assert (await alice.post(INVITE, [("server", server), ("minutes", "60")])).status_code == 403
    assert hub.app.db.query(orm.ShareCode).count() == 0


async def test_what_the_page_does_not_offer_is_refused(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    for minutes in ("", "1", "-60", "60.0", "\u0666\u0660", "9" * 4000, "525600"):
        assert (await alice.post(INVITE, [("server", "south"), ("minutes", minutes)])).status_code == 400
    assert (await alice.post(INVITE, AN_HOUR, xsrf="")).status_code == 403
    assert (await bob.post(INVITE, AN_HOUR)).status_code == 404
    assert (await alice.post(TAKE_BACK, [("server", "south"), ("kind", "x"), ("key", "1")])).status_code == 400
    for code in ("", "x" * 9000, "\u00e9", "abcd", "sc_1"):
        assert (await bob.post(ACCEPT, [("code", code)])).status_code == 403
    own = await alice.page(f"accept-share?code={await _link(alice)}")
    assert (own.status_code, "Send the link to the person whom you invite." in own.text) == (403, True)


async def test_guests_of_one_server_are_not_let_into_another_and_invite_nobody(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    await _up(hub, alice, "north")
    await _let_in(alice, bob)
    theirs = {scope for scope in get_scopes_for(bob.user.orm_user) if "alice" in scope}
    assert theirs == {SCOPE}
    assert (await bob.page("share?server=south")).status_code == 404
    assert (await bob.post(INVITE, AN_HOUR)).status_code == 404
    ((kind, key),) = _keys((await alice.page("share?server=south")).text)
    # Taken back is what belongs to the server that is named.
    await alice.post(TAKE_BACK, [("server", "north"), ("kind", kind), ("key", key)])
    assert _may_enter(bob)


async def test_so_many_guests_and_no_more(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _up(hub, alice)
    for _ in range(guests.MOST):
        await _link(alice)
    refused = await alice.post(INVITE, AN_HOUR)
    assert (refused.status_code, "At most 20 guests" in refused.text) == (409, True)


async def test_access_ends_with_the_server(hub: LaunchingHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    await _let_in(alice, bob)
    code = await _link(alice)
    await alice.post(f"{HUB}home/stop", [("server", "south"), ("sure", "yes")])
    assert not _may_enter(bob)
    assert (await bob.post(ACCEPT, [("code", code)])).status_code == 403
    assert _audit(caplog)[-2:] == [
        "sharing: access of bob to alice/south ended: the server has stopped",
        "sharing: invitation CODE to alice/south ended: the server has stopped",
    ]
    await _up(hub, alice)
    assert not _may_enter(bob)


async def test_access_ends_with_the_invitations_time(hub: LaunchingHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    await _let_in(alice, bob)
    open_one = await _link(alice)
    sweep = (hub.app.db, hub.app.users, hub.core.catalogue.current)
    guests.sweep(*sweep)
    assert _may_enter(bob)
    for row in (*hub.app.db.query(orm.Share), *hub.app.db.query(orm.ShareCode)):
        assert row.expires_at is not None
        row.expires_at -= timedelta(hours=1)
    hub.app.db.commit()
    assert (await bob.post(ACCEPT, [("code", open_one)])).status_code == 403
    assert "Shared with you" not in (await bob.page("home")).text
    guests.sweep(*sweep)
    assert not _may_enter(bob)
    assert _audit(caplog)[-2:] == [
        "sharing: access of bob to alice/south ended: its time was up",
        "sharing: invitation CODE to alice/south ended: its time was up",
    ]


async def test_access_ends_when_the_profile_is_not_shared_any_more_or_the_server_is_gone(
    hub: LaunchingHub,
) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    spawner = await _up(hub, alice)
    await _let_in(alice, bob)
    guests.sweep(hub.app.db, hub.app.users, builders.catalogue(profiles={"together": builders.profile()}))
    assert not _may_enter(bob)
    await _let_in(alice, bob)
    spawner.orm_spawner.server = None
    hub.app.db.commit()
    guests.sweep(hub.app.db, hub.app.users, hub.core.catalogue.current)
    assert not _may_enter(bob)


async def test_guests_stay_when_the_hub_has_restarted(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    spawner = await _up(hub, alice)
    await _let_in(alice, bob)
    spawner.orm_spawner.state = {"job": builders.job().to_state(), "profile": "together"}
    hub.app.db.commit()
    alice.user.spawners.pop("south")
    guests.sweep(hub.app.db, hub.app.users, hub.core.catalogue.current)
    assert _may_enter(bob)


async def test_the_hub_itself_ends_what_has_come_to_its_end(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    await _let_in(alice, bob)
    (share,) = hub.app.db.query(orm.Share)
    share.expires_at -= timedelta(hours=1)
    hub.app.db.commit()
    guests.keep_sweeping(hub.app.db, hub.app.users, hub.core.catalogue)
    while _may_enter(bob):  # noqa: ASYNC110 - it is the hub that ends it
        await asyncio.sleep(0.1)


async def test_one_that_cannot_be_ended_holds_up_no_other(hub: LaunchingHub) -> None:
    alice, bob, carol = await hub.person("alice"), await hub.person("bob"), await hub.person("carol")
    await _up(hub, alice)
    await _let_in(alice, bob)
    await _up(hub, carol)
    row = carol.user.orm_spawners["south"]
    code, _ = guests.invite(hub.app.db, row, 60, None)
    guests.accept(hub.app.db, guests.invitation(hub.app.db, code), bob.user)
    first, second = hub.app.db.query(orm.Share).order_by(orm.Share.id)
    for share in (first, second):
        share.expires_at -= timedelta(hours=1)
    refuses = "BEFORE DELETE ON shares WHEN OLD.id = :id BEGIN SELECT RAISE(ABORT, 'kept'); END"
    hub.app.db.execute(sa.text(f"CREATE TRIGGER kept {refuses}".replace(":id", str(first.id))))
    hub.app.db.commit()
    guests.sweep(hub.app.db, hub.app.users, hub.core.catalogue.current)
    assert [share.owner.name for share in hub.app.db.query(orm.Share)] == ["alice"]
    hub.app.db.execute(sa.text("DROP TRIGGER kept"))
    guests.sweep(hub.app.db, hub.app.users, hub.core.catalogue.current)
    assert not hub.app.db.query(orm.Share).count()


async def test_a_second_invitation_never_shortens_the_first(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    # One without an end is none of ours.
    orm.Share.grant(hub.app.db, alice.user.orm_spawners["south"], bob.user.orm_user)
    assert "Shared with you" not in (await bob.page("home")).text
    guests.sweep(hub.app.db, hub.app.users, hub.core.catalogue.current)
    assert not _may_enter(bob)
    ends = []
    for minutes in ("240", "60"):
        page = await alice.post(INVITE, [("server", "south"), ("minutes", minutes)])
        (link,) = re.findall(r'id="share-link" readonly value="[^"]*code=([^"]+)"', page.text)
        await bob.post(ACCEPT, [("code", link)])
        (share,) = hub.app.db.query(orm.Share)
        ends.append(share.expires_at)
    assert ends[0] == ends[1]


async def test_an_invitation_ends_with_the_time_of_the_job(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    row = (await _up(hub, alice)).orm_spawner
    job_ends = datetime.now(UTC) + timedelta(minutes=10)
    _, until = guests.invite(hub.app.db, row, 240, job_ends)
    assert until <= job_ends + timedelta(seconds=1)


async def test_the_link_has_the_address_at_which_people_reach_the_hub(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _up(hub, alice)
    hub.app.tornado_settings["public_url"] = urlsplit("https://hub.example.org/")
    page = (await alice.post(INVITE, AN_HOUR)).text
    assert f'value="https://hub.example.org{ACCEPT}?code=' in page


async def test_a_guest_leaves(hub: LaunchingHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _up(hub, alice)
    await _let_in(alice, bob)
    await bob.post(LEAVE, [("owner", "alice"), ("server", "north")])
    assert _may_enter(bob)
    answer = await bob.post(LEAVE, [("owner", "alice"), ("server", "south")])
    assert (answer.headers["location"], _may_enter(bob)) == (f"{HUB}home", False)
    assert _audit(caplog)[-1] == "sharing: access of bob to alice/south ended: revoked by bob"


async def test_the_api_of_jupyterhub_shares_nothing_whoever_asks(
    start: Callable[[type], Awaitable[RunningHub]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    running = await start(ComposedSpawner)
    alice, bob, ruth = running.person("alice"), running.person("bob"), running.person("ruth", admin=True)
    row = alice.spawners[""].orm_spawner
    # An administrator has JupyterHub's scope for it.
    for person in (alice, ruth):
        token = person.new_api_token()
        assert (await running.post("shares/alice/", token, json={"user": "bob"})).status_code == 403
        code = await running.post("share-codes/alice/", token, json={})
        assert code.status_code == 403
        assert "Servers are shared by invitation only" in code.json()["message"]
    orm.Share.grant(running.app.db, row, bob.orm_user)
    gone = await running.delete("users/bob/shared/alice/", bob.new_api_token())
    assert (gone.status_code, running.app.db.query(orm.Share).count()) == (204, 0)
    assert _audit(caplog)[-1].endswith("/api/users/bob/shared/alice/ ended by the API: revoked by bob")
