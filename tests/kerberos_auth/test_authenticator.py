import asyncio
import logging
import os
import threading
import time

import pytest
from jupyterhub.app import JupyterHub
from keytabs import keytab
from krb_caches import RENEWABLE, cache, credential
from tornado import web
from traitlets import TraitError

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.errors import TicketMissing
from kerberos_auth.taken import Taken


@pytest.fixture
def make(realm, tmp_path):
    """Builds an authenticator that asks the test KDC alone; it ends the one built before, as a restart does."""
    built = []

    def build(**settings):
        while built:
            built.pop().tickets.close()
        folder = str(tmp_path / "krb5")
        common = {"allow_all": True, "pam_service": "", "ticket_folder": folder, "keytab": realm.keytab}
        settings = common | {"login_timeout_seconds": 60} | settings
        built.append(KerberosPAMAuthenticator(**settings))
        return built[0]

    return build


async def log_in(authenticator, name, password):
    """Log in as JupyterHub does, with its checks of who may; return the name that is let in, or None."""
    model = await authenticator.get_authenticated_user(None, {"username": name, "password": password})
    return model and model["name"]


async def model_of(authenticator, name):
    """Return what JupyterHub is told of somebody who logs in."""
    return await authenticator.get_authenticated_user(None, {"username": name, "password": f"{name}-pw"})


class User:
    def __init__(self, name):
        self.name = name
        self._auth_refreshed = 1.0


class Handler:
    pass


@pytest.mark.parametrize("typed", ["alice", "ALICE", "alice@LAB.TEST"])
async def test_alice_is_in_and_has_a_ticket(make, typed):
    authenticator = make()
    assert await log_in(authenticator, typed, "alice-pw") == "alice"
    ticket = authenticator.tickets.get("alice")
    assert ticket.principal == "alice@LAB.TEST"
    assert ticket.forwardable
    assert ticket.renewable


async def test_the_password_leaves_the_form_data(make):
    data = {"username": "alice", "password": "alice-pw"}
    await make().get_authenticated_user(None, data)
    assert data == {"username": "alice"}


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", "alice-pw\0"),
        ("nobody", "nobody-pw"),
        ("dave", "dave-pw"),
        ("root", "root-pw"),
        ("alice@OTHER", "alice-pw"),
        ("alice/admin", "alice-pw"),
        ("../alice", "alice-pw"),
        ("alice\0", "alice-pw"),
        ("alice\udcff", "alice-pw"),
        ("x" * 10_000, "alice-pw"),
        ("", "alice-pw"),
    ],
)
async def test_everything_else_is_one_and_the_same_refusal(make, caplog, name, password):
    authenticator = make()
    assert await log_in(authenticator, name, password) is None
    assert authenticator.tickets.users() == []
    assert len(caplog.messages) == 1
    assert len(caplog.text) < 1000
    if password:
        assert password not in caplog.text


async def test_a_failed_login_costs_one_failure_and_keeps_the_old_ticket(make, realm):
    authenticator = make()
    await log_in(authenticator, "alice", "alice-pw")
    before, failures = authenticator.tickets.get("alice"), realm.failures
    assert await log_in(authenticator, "alice", "wrong") is None
    assert realm.failures == failures + 1
    assert authenticator.tickets.get("alice") == before


def by_group(_username, authentication):
    return "physics" in authentication["groups"]


def refuses(_authenticator, _handler, _model):
    raise web.HTTPError(403, "Not today.")


@pytest.mark.parametrize(
    ("settings", "name", "is_in"),
    [
        ({"allowed_users": {"bob"}}, "alice", False),
        ({"allowed_users": {"bob"}}, "bob", True),
        ({}, "alice", False),
        ({"allow_all": True}, "alice", True),
        ({"allowed_users": {"bob"}, "admin_users": {"alice"}}, "alice", False),
        ({"allow_existing_users": True}, "frank", True),
        ({"allow_existing_users": True}, "alice", False),
        ({"allow_all": True, "username_pattern": "[bf].*"}, "alice", False),
        ({"allow_all": True, "post_auth_hook": lambda *_: None}, "alice", False),
    ],
)
async def test_nobody_who_may_not_use_the_hub_leaves_a_ticket(make, settings, name, is_in):
    authenticator = make(**{"allow_all": False} | settings)
    authenticator.add_user(User("frank"))  # as for everybody in JupyterHub's database when it starts
    assert bool(await log_in(authenticator, name, f"{name}-pw")) is is_in
    assert authenticator.tickets.users() == [name] * is_in


async def test_a_hook_that_refuses_leaves_no_ticket(make):
    authenticator = make(post_auth_hook=refuses)
    with pytest.raises(web.HTTPError, match="Not today"):
        await log_in(authenticator, "alice", "alice-pw")
    assert authenticator.tickets.users() == []


@pytest.mark.parametrize("group", ["physics", "history"])
async def test_a_rule_about_groups_decides_before_a_ticket_is_stored(make, monkeypatch, group):
    monkeypatch.setattr("kerberos_auth.groups.of", lambda _user: [group])
    authenticator = make(allow_all=False, manage_groups=True)
    authenticator.check_allowed = by_group  # as a site's own subclass has it
    assert bool(await log_in(authenticator, "alice", "alice-pw")) is (group == "physics")
    assert authenticator.tickets.users() == ["alice"] * (group == "physics")


async def test_who_may_no_longer_use_the_hub_does_not_replace_the_ticket(make):
    authenticator = make()
    await log_in(authenticator, "alice", "alice-pw")
    before = authenticator.tickets.read("alice")
    authenticator.allow_all = False
    assert await log_in(authenticator, "alice", "alice-pw") is None
    assert authenticator.tickets.read("alice") == before


@pytest.mark.parametrize("settings", [{"denied_users": {"bob"}}, {"blocked_users": {"bob"}}])
async def test_denied_and_blocked_people_never_reach_the_kdc(make, realm, settings):
    authenticator = make(**settings)
    requests = realm.requests
    assert await log_in(authenticator, "bob", "bob-pw") is None
    assert realm.requests == requests


async def test_what_pam_refuses_never_reaches_the_kdc(make, realm, caplog):
    authenticator = make(pam_service="other")
    requests = realm.requests
    assert await log_in(authenticator, "daemon", "daemon-pw") is None
    assert realm.requests == requests
    assert "step=pam" in caplog.text


async def test_where_pam_decides_a_name_that_the_machine_does_not_know_is_refused_first(make, realm, caplog):
    authenticator = make(pam_service="other")
    requests = realm.requests
    assert await log_in(authenticator, "alice", "alice-pw") is None
    assert "step=account" in caplog.text
    assert realm.requests == requests
    assert authenticator.tickets.users() == []


async def test_an_expired_password_says_where_to_change_it(make):
    with pytest.raises(web.HTTPError) as refusal:
        await log_in(make(password_change_text="Go to the desk: 100% sure."), "carol", "carol-pw")
    assert refusal.value.status_code == 403
    assert refusal.value.get_message() == "Go to the desk: 100% sure."


async def test_a_spoofed_kdc_is_told_apart(make, realm):
    authenticator = make(keytab=realm.other_keytab)
    with pytest.raises(web.HTTPError, match="could not prove its identity") as refusal:
        await log_in(authenticator, "alice", "alice-pw")
    assert refusal.value.status_code == 503
    assert authenticator.tickets.users() == []


@pytest.mark.parametrize("way", ["dead", "silent"])
async def test_a_kdc_that_does_not_answer_is_told_in_time(make, realm, monkeypatch, way):
    authenticator = make(login_timeout_seconds=0.3)
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs[way]))
    # libkrb5 itself waits for 25 s.
    with pytest.raises(web.HTTPError, match=r"cannot be reached. Try again in a minute") as refusal:
        async with asyncio.timeout(20):
            await log_in(authenticator, "alice", "alice-pw")
    assert refusal.value.status_code == 503


async def test_when_all_threads_hang_people_are_told_at_once(make, realm, monkeypatch):
    monkeypatch.setattr("kerberos_auth.authenticator._LOGIN_THREADS", 1)
    authenticator = make(login_timeout_seconds=0.3)
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["silent"]))
    for _ in range(2):
        with pytest.raises(web.HTTPError, match="cannot be reached"):
            async with asyncio.timeout(20):
                await log_in(authenticator, "alice", "alice-pw")


async def test_logins_that_hang_hold_up_no_page_of_others(make, silent_kdc, monkeypatch):
    monkeypatch.setattr("kerberos_auth.authenticator._LOGIN_THREADS", 1)
    authenticator = make(manage_groups=True)
    await model_of(authenticator, "bob")
    monkeypatch.setenv("KRB5_CONFIG", str(silent_kdc.config))
    hanging = asyncio.create_task(log_in(authenticator, "alice", "alice-pw"))
    refreshed = asyncio.create_task(authenticator.refresh_user(User("bob")))
    done, _ = await asyncio.wait({hanging, refreshed}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {refreshed}
    assert refreshed.result()["groups"] is not None
    silent_kdc.end()
    with pytest.raises(web.HTTPError, match="cannot be reached"):
        await hanging


async def test_a_form_without_a_name_is_a_bad_request(make):
    with pytest.raises(web.HTTPError) as refusal:
        await make().authenticate(None, {"password": "x"})
    assert refusal.value.status_code == 400
    assert await make().authenticate(None, {"username": "alice"}) is None


async def test_each_failure_is_one_line_for_the_administrators(make, caplog):
    await log_in(make(), "ALICE@LAB.TEST", "not-the-password")
    (line,) = caplog.messages
    assert caplog.records[0].levelno == logging.WARNING
    for part in ("user='ALICE@LAB.TEST'", "principal=alice@LAB.TEST", "step=kdc", "ms=", "krb5 -1765328360"):
        assert part in line
    assert "not-the-password" not in line


async def test_a_ticket_that_is_of_little_use_is_told_to_the_administrators_at_login(make, caplog):
    authenticator = make(keytab="")
    caplog.clear()
    await log_in(authenticator, "alice", "alice-pw")
    assert caplog.text == ""
    await log_in(authenticator, "gina", "gina-pw")
    assert "The ticket of gina cannot be renewed: renew_lifetime in the hub's krb5.conf" in caplog.text
    never = cache(credential("bob@LAB.TEST", flags=RENEWABLE), owner="bob@LAB.TEST")
    authenticator.keeping.keep(Taken("bob", "bob@LAB.TEST", never))
    assert "The ticket of bob may not be forwarded" in caplog.text


async def test_a_good_ticket_refreshes_and_a_missing_one_asks_for_a_login(make):
    authenticator = make()
    await log_in(authenticator, "alice", "alice-pw")
    alice, bob, handler = User("alice"), User("bob"), Handler()
    assert await authenticator.refresh_user(alice, handler)
    assert alice._auth_refreshed == 1.0
    assert not hasattr(handler, "_token_authenticated")
    assert not await authenticator.refresh_user(bob, handler)
    assert bob._auth_refreshed is None
    assert handler._token_authenticated is False
    assert not await authenticator.refresh_user(bob)


async def test_an_expired_ticket_asks_for_a_login(make):
    authenticator = make()
    await log_in(authenticator, "alice", "alice-pw")
    authenticator.tickets.get("alice").path.write_bytes(cache(credential(end=int(time.time()) - 1)))
    assert not await authenticator.refresh_user(User("alice"))


async def test_a_request_with_a_token_stays_one(make):
    handler = Handler()
    handler._token_authenticated = True
    assert not await make().refresh_user(User("alice"), handler)
    assert handler._token_authenticated is True


@pytest.mark.parametrize("name", ["../x", "root", "", "x" * 10_000, "ünï"])
async def test_users_with_odd_names_have_no_ticket(make, name):
    assert not await make().refresh_user(User(name))


@pytest.mark.parametrize(
    ("typed", "user", "valid"),
    [
        ("Alice@LAB.TEST", "alice", True),
        ("ALICE", "alice", True),
        ("ROOT", "root", False),
        ("alice@OTHER", "alice@other", False),
        ("a b", "a b", False),
        ("alice\0", "alice\0", False),
    ],
)
def test_names_from_config_and_rest_obey_the_same_rule(make, typed, user, valid):
    authenticator = make()
    assert authenticator.normalize_username(typed) == user
    assert authenticator.validate_username(user) is valid


def test_username_pattern_still_narrows(make):
    authenticator = make(username_pattern="a.*")
    assert authenticator.validate_username("alice")
    assert not authenticator.validate_username("bob")


def test_a_start_sweeps_what_a_killed_hub_left(make):
    folder = make().tickets.folder
    (folder / ".new-0123").touch()
    make()
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pam_service": "no-such-service"}, "There is no PAM service file /etc/pam.d/no-such-service"),
        ({"pam_service": "../x"}, "There is no PAM service file"),
        ({"keytab": "/nowhere/keytab"}, "There is no keytab /nowhere/keytab."),
        ({"realm": "NOPE.ORG"}, "krb5.conf does not know the realm NOPE.ORG. It knows: LAB.TEST."),
        ({"keytab": "", "verify_kdc": "require"}, "verify_kdc is 'require', but keytab is not set"),
        ({"ticket_folder": "/dev/null/krb5"}, "The ticket folder /dev/null/krb5 cannot be used"),
        ({"realm": "a realm"}, "not a valid realm name"),
        ({"username_map": {"a": "b"}}, "username_map is not supported"),
    ],
)
def test_a_wrong_setting_refuses_the_start_with_a_sentence(make, settings, sentence):
    with pytest.raises(SystemExit) as refusal:
        make(**settings)
    assert str(refusal.value).startswith("JupyterHub cannot start: ")
    assert sentence in str(refusal.value)


def test_a_wrong_realm_deletes_no_ticket(make, realm, monkeypatch, tmp_path):
    """Whoever writes another realm that krb5.conf knows finds everybody's tickets where they were, once mended."""
    ticket = make().tickets.put("alice", cache(), "alice@LAB.TEST")
    two = tmp_path / "krb5.conf"
    two.write_text(realm.configs["good"].read_text().replace("[realms]", "[realms]\n OTHER.TEST = {\n }"))
    monkeypatch.setenv("KRB5_CONFIG", str(two))
    other = tmp_path / "other.keytab"
    other.write_bytes(keytab("host/hub.lab.test@OTHER.TEST"))
    assert make(realm="OTHER.TEST", keytab=str(other)).tickets.users() == ["alice"]
    assert make().tickets.get("alice") == ticket


async def test_a_kdc_need_not_prove_itself_where_that_is_off(make, realm):
    for path in (realm.other_keytab, "/nowhere/keytab"):
        authenticator = make(keytab=path, verify_kdc="off")
        assert await log_in(authenticator, "alice", "alice-pw") == "alice"
    with pytest.raises(TraitError):
        make(verify_kdc="sometimes")


@pytest.mark.parametrize(
    ("of_hub", "settings", "sentence"),
    [
        (
            {"load_groups": {"course": {}}},
            {"manage_groups": True},
            "names some .course.: JupyterHub does not start",
        ),
        ({"load_roles": [{"name": "staff"}, {"name": "staff"}]}, {}, "has more than one role staff"),
        ({"load_roles": [{"scopes": ["self"]}]}, {}, "has '' as its `name`, which cannot be one"),
        ({"load_roles": [{"name": "Staff"}]}, {}, "has 'Staff' as its `name`, which cannot be one"),
    ],
)
def test_groups_and_roles_with_which_the_hub_does_not_start_are_told(make, of_hub, settings, sentence):
    with pytest.raises(SystemExit, match=sentence):
        make(parent=JupyterHub(**of_hub), **settings)


def test_krb5ccname_refuses_the_start_and_leaves_its_file(make, monkeypatch, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "mine"))
    with pytest.raises(SystemExit, match="Start the hub without it"):
        make()
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not (tmp_path / "krb5").exists()


def test_auth_refresh_age_zero_is_a_config_error(make):
    with pytest.raises(TraitError, match="must be above 0"):
        make(auth_refresh_age=0)
    assert make().auth_refresh_age == 300


def test_defaults(make):
    authenticator = make()
    assert authenticator.refresh_pre_spawn
    assert not KerberosPAMAuthenticator.allow_all.default_value
    own = KerberosPAMAuthenticator.class_own_traits(config=True)
    assert len(own) <= 8
    assert all("Default" in trait.help for trait in own.values())


async def test_a_failed_store_is_an_error_with_a_sentence(make):
    authenticator = make()
    authenticator.tickets.folder.rmdir()
    with pytest.raises(web.HTTPError, match="could not be stored") as refusal:
        await log_in(authenticator, "alice", "alice-pw")
    assert refusal.value.status_code == 503
    with pytest.raises(TicketMissing):
        authenticator.tickets.get("alice")
    assert "KRB5CCNAME" not in os.environ


async def test_groups_of_the_machine_become_groups_of_the_hub_where_that_is_on(make, monkeypatch):
    monkeypatch.setattr("kerberos_auth.groups.of", lambda user: [f"group-of-{user}"])
    authenticator = make(manage_groups=True)
    with_groups = {"name": "alice", "groups": ["group-of-alice"]}
    assert with_groups.items() <= (await model_of(authenticator, "alice")).items()
    assert await authenticator.refresh_user(User("alice")) == with_groups


async def test_a_refused_login_asks_for_no_groups(make, monkeypatch):
    asked = []
    monkeypatch.setattr("kerberos_auth.groups.of", asked.append)
    authenticator = make(manage_groups=True)
    assert await log_in(authenticator, "alice", "wrong") is None
    assert not await authenticator.refresh_user(User("bob"))
    assert asked == []


@pytest.mark.parametrize("fault", [OSError("SSSD is away"), None])
async def test_a_group_database_that_does_not_answer_leaves_the_groups_as_they_were(make, monkeypatch, fault):
    monkeypatch.setattr("kerberos_auth.authenticator._GROUPS_PATIENCE_SECONDS", 0.1)
    hangs = threading.Event()

    def of(_user):
        if fault:
            raise fault
        hangs.wait(60)

    monkeypatch.setattr("kerberos_auth.groups.of", of)
    authenticator = make(manage_groups=True)
    assert (await model_of(authenticator, "alice"))["groups"] is None
    hangs.set()
