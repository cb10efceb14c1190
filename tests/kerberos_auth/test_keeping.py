import asyncio
import logging
import time
from types import SimpleNamespace

import pytest
from jupyterhub import orm
from krb_caches import cache
from tornado import web
from traitlets import TraitError
from traitlets.config import Config

from kerberos_auth import gss, keeping
from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.holds import Holds
from tests.support.realm import SHORT_LIFE_SECONDS
from tests.support.waiting import until

HALF = SHORT_LIFE_SECONDS * 2 // 3


@pytest.fixture
def make(realm, tmp_path, monkeypatch):
    """Builds an authenticator that has alice's ticket; `app.users` are JupyterHub's, by number."""
    monkeypatch.setattr(keeping, "_TIDY_SECONDS", 0.01)

    def build(remove_ticket="logout", has_ticket=True, db=None, **settings):
        common = {
            "allow_all": True,
            "pam_service": "",
            "ticket_folder": str(tmp_path / "krb5"),
            "login_timeout_seconds": 60,
        }
        config = Config(KerberosPAMAuthenticator=common | settings, TicketKeeping={"remove_ticket": remove_ticket})
        authenticator = KerberosPAMAuthenticator(config=config)
        if has_ticket:
            authenticator.tickets.put("alice", cache(), "alice@LAB.TEST")
        authenticator.app = SimpleNamespace(
            users={1: user(active=True), 2: SimpleNamespace(name="bob", active=False)}, db=db, tornado_settings={}
        )
        return authenticator

    return build


def user(*, active):
    return SimpleNamespace(name="alice", active=active)


STOPPED = SimpleNamespace(_spawn_future=None)


async def outcome(authenticator, *, running):
    """Stop a server of alice's and return whose tickets are there after a while."""
    authenticator.app.users[1].active = running
    authenticator.post_spawn_stop(user(active=running), STOPPED)
    await asyncio.sleep(0.03)
    return authenticator.tickets.users()


@pytest.fixture
def begun(make):
    async def begin(*args, **settings):
        authenticator = make(*args, **settings)
        authenticator.get_handlers(authenticator.app)
        return authenticator

    return begin


async def test_logout_waits_for_the_last_server(begun):
    authenticator = await begun()
    authenticator.keeping.logged_out("alice")
    assert await outcome(authenticator, running=True) == ["alice"]
    assert await outcome(authenticator, running=False) == []


async def test_logout_without_servers_removes_at_once(begun):
    authenticator = await begun()
    authenticator.app.users[1].active = False
    authenticator.keeping.logged_out("alice")
    assert authenticator.tickets.users() == []


async def test_a_login_in_between_keeps_the_ticket(begun):
    authenticator = await begun()
    authenticator.keeping.logged_out("alice")
    await authenticator.get_authenticated_user(None, {"username": "alice", "password": "alice-pw"})
    assert await outcome(authenticator, running=False) == ["alice"]


async def test_a_renewal_in_between_does_not_keep_the_ticket(begun):
    authenticator = await begun()
    authenticator.keeping.logged_out("alice")
    authenticator.tickets.put("alice", cache(), "alice@LAB.TEST")
    assert await outcome(authenticator, running=False) == []


def hold(authenticator, *names):
    """Write whom another process holds, and have the hub look."""
    Holds(authenticator.tickets.folder).put(names)
    authenticator.keeping.renewal.look()


async def looked(authenticator, *names):
    await until(lambda: authenticator.keeping._held == set(names))


async def held(begun, *args):
    """A hub at which alice is held and has no server."""
    authenticator = await begun(*args)
    authenticator.app.users[1].active = False
    hold(authenticator, "alice")
    await looked(authenticator, "alice")
    return authenticator


async def test_logout_waits_for_the_last_hold(begun):
    authenticator = await held(begun)
    authenticator.keeping.logged_out("alice")
    assert await outcome(authenticator, running=False) == ["alice"]
    hold(authenticator, "bob")
    await until(lambda: authenticator.tickets.users() == [])


async def test_a_hold_that_began_just_now_counts_at_logout(begun):
    authenticator = await begun()
    authenticator.app.users[1].active = False
    Holds(authenticator.tickets.folder).put(["alice"])
    authenticator.keeping.logged_out("alice")
    assert authenticator.tickets.users() == ["alice"]
    hold(authenticator)
    await until(lambda: authenticator.tickets.users() == [])


async def test_a_hold_that_ends_leaves_the_ticket_of_a_server(begun):
    authenticator = await held(begun)
    authenticator.keeping.logged_out("alice")
    authenticator.app.users[1].active = True
    hold(authenticator)
    await looked(authenticator)
    await asyncio.sleep(0.03)
    assert authenticator.tickets.users() == ["alice"]
    assert await outcome(authenticator, running=False) == []


async def test_a_hold_that_ends_leaves_the_ticket_of_who_is_logged_in(begun):
    authenticator = await held(begun)
    hold(authenticator)
    await looked(authenticator)
    await asyncio.sleep(0.03)
    assert authenticator.tickets.users() == ["alice"]


async def test_idle_removes_with_the_last_hold_too(begun):
    authenticator = await held(begun, "idle")
    assert await outcome(authenticator, running=False) == ["alice"]
    hold(authenticator)
    await until(lambda: authenticator.tickets.users() == [])


async def test_a_hold_and_a_logout_are_remembered_when_the_hub_starts_again(begun, database):
    authenticator = await held(begun)
    authenticator.tickets.put("carol", cache(owner="carol@LAB.TEST"), "carol@LAB.TEST")
    hold(authenticator, "alice", "carol")
    for name in ("alice", "carol"):
        authenticator.keeping.logged_out(name)
    await authenticator.keeping.close()
    authenticator.tickets.close()
    Holds(authenticator.tickets.folder).put(["carol"])
    database.query(orm.Server).delete()
    authenticator = await begun(has_ticket=False, db=database)
    authenticator.app.users[1].active = False
    assert authenticator.tickets.users() == ["carol"]
    await looked(authenticator, "carol")
    hold(authenticator)
    await until(lambda: authenticator.tickets.users() == [])


async def test_a_deleted_user_leaves_no_ticket_whoever_holds_it(begun):
    authenticator = await held(begun)
    authenticator.delete_user(user(active=False))
    assert authenticator.tickets.users() == []


async def test_the_ticket_of_who_is_held_is_renewed(begun):
    authenticator = await held(begun)
    store, renewal = authenticator.tickets, authenticator.keeping.renewal
    for name in ("frank", "hans"):
        principal = f"{name}@LAB.TEST"
        store.put(name, gss.acquire(principal, f"{name}-pw", store.folder, ""), principal)
    await asyncio.sleep(1)  # The KDC counts whole seconds.
    before = {name: store.get(name) for name in ("frank", "hans")}
    renewal._clock = lambda: time.time() + HALF
    hold(authenticator, "frank", "nobody-here")
    await until(lambda: store.get("frank").end > before["frank"].end)
    assert store.get("hans") == before["hans"]


@pytest.fixture
def database():
    """JupyterHub's, where alice has a server and bob has one that does not run."""
    session = orm.new_session_factory("sqlite:///:memory:")()
    for name, server in (("alice", orm.Server()), ("bob", None)):
        owner = orm.User(name=name)
        session.add_all([owner, orm.Spawner(name="", server=server, user=owner)])
    session.commit()
    yield session
    session.bind.dispose()


async def test_a_logout_is_remembered_when_the_hub_starts_again(begun, database):
    authenticator = await begun()
    authenticator.keeping.logged_out("alice")
    authenticator.tickets.close()
    authenticator = await begun(has_ticket=False, db=database)
    assert authenticator.tickets.users() == ["alice"]
    assert await outcome(authenticator, running=False) == []


async def test_who_has_logged_out_and_has_no_server_any_more_loses_the_ticket_when_the_hub_starts(begun, database):
    authenticator = await begun()
    authenticator.app.users[2].active = True
    authenticator.tickets.put("bob", cache(owner="bob@LAB.TEST"), "bob@LAB.TEST")
    for name in ("alice", "bob"):
        authenticator.keeping.logged_out(name)
    authenticator.tickets.close()
    authenticator = await begun(has_ticket=False, db=database)
    assert authenticator.tickets.users() == ["alice"]


async def test_who_did_not_log_out_keeps_the_ticket(begun):
    assert await outcome(await begun(), running=False) == ["alice"]


async def test_never_is_never_but_for_deleted_users(begun):
    authenticator = await begun("never")
    authenticator.keeping.logged_out("alice")
    assert await outcome(authenticator, running=False) == ["alice"]
    authenticator.delete_user(user(active=False))
    assert authenticator.tickets.users() == []


async def test_idle_removes_with_the_last_server_but_not_after_a_failed_start(begun):
    authenticator = await begun("idle")
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(web.HTTPError(400))
    authenticator.app.users[1].active = False
    authenticator.post_spawn_stop(user(active=False), SimpleNamespace(_spawn_future=failed))
    await asyncio.sleep(0.03)
    assert authenticator.tickets.users() == ["alice"]
    assert await outcome(authenticator, running=True) == ["alice"]
    assert await outcome(authenticator, running=False) == []


def test_other_values_are_refused(make):
    with pytest.raises(TraitError):
        make("sometimes")


async def test_only_people_with_servers_are_kept(begun):
    authenticator = await begun()
    authenticator.tickets.put("bob", cache(owner="bob@LAB.TEST"), "bob@LAB.TEST")
    await until(lambda: list(authenticator.keeping.renewal._plans) == ["alice"])


@pytest.mark.parametrize(
    ("settings", "user", "allowed"),
    [
        ({}, "alice", True),
        ({"blocked_users": {"alice"}}, "alice", False),
        ({"denied_users": {"alice"}}, "alice", False),
        ({"allow_all": False, "allowed_users": {"alice"}}, "alice", True),
        ({"allow_all": False, "allowed_users": {"bob"}}, "alice", False),
        ({"pam_service": "other"}, "alice-has-no-account", False),
        ({"pam_service": "other"}, "daemon", True),
    ],
)
async def test_accounts_are_checked_again(make, settings, user, allowed):
    assert await make(**settings).keeping._may_go_on(user) is allowed


async def test_whoever_is_locked_is_not_renewed(begun, caplog):
    authenticator = await begun(blocked_users={"alice"})
    renewal = authenticator.keeping.renewal
    await until(lambda: "alice" in renewal._plans)
    renewal._plans["alice"].due = 0
    renewal.look()
    await until(lambda: "the account may not be used any more" in caplog.text)


def test_a_start_tells_what_it_removed(make, tmp_path, caplog):
    make().tickets.close()
    (tmp_path / "krb5" / "bob").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert make().tickets.users() == ["alice"]
    (line,) = [each for each in caplog.messages if each.startswith("Removed")]
    assert line.startswith("Removed the stored ticket of bob: Your Kerberos ticket cannot be used.")
