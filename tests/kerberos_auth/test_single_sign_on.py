"""Login without a password at a real hub: what a browser is told."""

import asyncio
import base64
import time
from importlib.resources import files

import pytest
from krb_caches import cache, credential
from tornado import web

from kerberos_auth import gss
from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.errors import AuthFailed, TicketMissing
from tests.support import client
from tests.support.hub import NoProxy


@pytest.fixture
def start(realm, hub_app, tmp_path, monkeypatch):
    """Starts a hub with single sign-on; keywords change the authenticator's settings."""
    monkeypatch.chdir(tmp_path)  # the hub writes its cookie secret where it stands

    async def begin(keytab=realm.http_keytab, **settings):
        common = {
            "allow_all": True,
            "pam_service": "",
            "ticket_folder": str(tmp_path / "krb5"),
            "login_timeout_seconds": 60,
        }
        return await hub_app(
            config={
                "JupyterHub": {
                    "authenticator_class": KerberosPAMAuthenticator,
                    "proxy_class": NoProxy,
                    "template_paths": [str(files("kerberos_auth") / "templates")],
                },
                "KerberosPAMAuthenticator": common | settings,
                "SingleSignOn": {"keytab": keytab},
            }
        )

    return begin


@pytest.fixture
def alice_cache(realm, tmp_path):
    return client.kinit(tmp_path, "alice")


class Browser:
    """Shows what it is told to show in its Authorization header."""

    def __init__(self, hub):
        self.path = hub.hub.base_url
        self.base = f"http://127.0.0.1:{hub.hub.port}{self.path}"
        self.http = client.browser()

    async def get(self, path, **headers):
        return await self.http.get(self.base + path, headers=headers)

    async def negotiate(self, token, query=""):
        shown = token if isinstance(token, str) else f"Negotiate {base64.b64encode(token).decode()}"
        return await self.get(f"negotiate{query}", authorization=shown)


async def test_alice_is_in_and_has_a_ticket(start, alice_cache):
    hub = await start()
    browser, context = Browser(hub), client.context(alice_cache)
    answer = await browser.negotiate(context.step(), "?next=%2Fhub%2Ftoken")
    assert (answer.status_code, answer.headers["location"]) == (302, "/hub/token")
    context.step(base64.b64decode(answer.headers["www-authenticate"].removeprefix("Negotiate ")))
    assert context.complete, "the hub proved itself too"
    assert ">alice<" in (await browser.get("home")).text.replace(" ", "").replace("\n", "")
    ticket = hub.authenticator.tickets.get("alice")
    assert ticket.principal == "alice@LAB.TEST"
    assert ticket.forwardable


async def test_a_browser_without_a_ticket_is_asked_for_one_and_led_to_the_form(start):
    browser = Browser(await start())
    page = await browser.get("negotiate?next=%2Fhub%2Fspawn%3Fa%3D%22b")
    assert page.status_code == 401
    assert page.headers["www-authenticate"] == "Negotiate"
    assert "Your browser sent no Kerberos ticket" in page.text
    assert f'href="{browser.path}login?next=%2Fhub%2Fspawn%3Fa%3D%22b"' in page.text


async def test_a_browser_that_keeps_its_ticket_is_told_what_to_change(start, alice_cache):
    hub = await start()
    page = await Browser(hub).negotiate(client.token(alice_cache, delegate=False))
    assert page.status_code == 403
    assert "network.negotiate-auth.delegation-uris" in page.text
    assert "AuthNegotiateDelegateAllowlist" in page.text
    assert "<summary>How to set up this browser</summary>" in page.text
    assert 'id="password-login"' in page.text
    with pytest.raises(TicketMissing):
        hub.authenticator.tickets.get("alice")


async def test_somebody_elses_token_is_of_no_use_twice(start, alice_cache):
    hub = await start()
    token = client.token(alice_cache)
    assert (await Browser(hub).negotiate(token)).status_code == 302
    thief = Browser(hub)
    assert (await thief.negotiate(token)).status_code == 403
    assert (await thief.get("home")).status_code == 302


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ("Negotiate", 403),
        ("Negotiate !!!", 403),
        ("Negotiate TlRMTVNTUAABAAAA", 403),
        ("Negotiate " + "A" * 60_000, 403),
        ("NTLM TlRMTVNTUAABAAAA", 401),
        ("Basic YWxpY2U6YWxpY2UtcHc=", 401),
        ("Bearer Negotiate", 401),
    ],
)
async def test_odd_headers_are_answered_by_a_sentence(start, shown, status):
    page = await Browser(await start()).negotiate(shown)
    assert page.status_code == status
    assert "og in with your password" in page.text


async def test_it_brings_a_new_ticket_to_somebody_whose_own_has_expired(start, alice_cache):
    hub = await start()
    browser = Browser(hub)
    await browser.negotiate(client.token(alice_cache))
    expired = cache(credential(end=int(time.time()) - 1))
    hub.authenticator.tickets.get("alice").path.write_bytes(expired)
    assert (await browser.get("spawn")).status_code == 403
    assert (await browser.negotiate(client.token(alice_cache))).status_code == 302
    assert hub.authenticator.tickets.get("alice").forwardable
    assert (await browser.get("home")).status_code == 200


async def test_a_shorter_ticket_does_not_take_the_place_of_a_longer_one(start, alice_cache, tmp_path):
    hub = await start()
    short = client.kinit(tmp_path, "alice", "-l3m", "-r4m")
    shortest = client.kinit(tmp_path, "alice", "-l2m", "-r3m")
    store, kept = hub.authenticator.tickets, []
    for shown in (short, shortest, alice_cache, short):
        assert (await Browser(hub).negotiate(client.token(shown))).status_code == 302
        kept.append(store.read("alice"))
    assert kept[0] == kept[1] != kept[2] == kept[3]
    expired = cache(credential(end=int(time.time()) - 1))
    store.get("alice").path.write_bytes(expired)
    await Browser(hub).negotiate(client.token(short))
    assert store.get("alice").end < time.time() + 200


async def test_a_login_by_a_shorter_ticket_takes_a_logout_back(start, alice_cache, tmp_path):
    hub = await start()
    await Browser(hub).negotiate(client.token(alice_cache))
    hub.authenticator.tickets.mark("alice")
    await Browser(hub).negotiate(client.token(client.kinit(tmp_path, "alice", "-l3m", "-r4m")))
    assert hub.authenticator.tickets.marked() == set()


@pytest.mark.parametrize(
    ("site", "mode", "dest", "status"),
    [
        ("none", "navigate", "document", 302),
        ("same-origin", "navigate", "document", 302),
        ("cross-site", "navigate", "document", 403),
        ("same-site", "navigate", "document", 403),
        ("cross-site", "no-cors", "image", 403),
        ("same-origin", "no-cors", "image", 403),
        ("same-origin", "navigate", "iframe", 403),
        ("same-origin", "cors", "empty", 403),
    ],
)
async def test_only_a_page_that_the_person_opens_logs_in(start, alice_cache, site, mode, dest, status):
    hub = await start()
    shown = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    token = f"Negotiate {base64.b64encode(client.token(alice_cache)).decode()}"
    for authorization in ({}, {"authorization": token}):
        page = await Browser(hub).get("negotiate", **shown, **authorization)
        if status == 403:
            assert page.status_code == 403
            assert "www-authenticate" not in page.headers
            assert "cannot log you in without a password" in page.text
            assert 'id="password-login"' in page.text
    assert page.status_code == status
    assert hub.authenticator.tickets.users() == ["alice"] * (status == 302)


async def test_the_way_back_never_leads_elsewhere(start, alice_cache):
    hub = await start()
    for elsewhere in ["https://evil.test/", "//evil.test/", "/hub/%0d%0aevil:%20b"]:
        answer = await Browser(hub).negotiate(client.token(alice_cache), f"?next={elsewhere}")
        assert answer.status_code == 302
        assert "evil" not in answer.headers["location"]


@pytest.mark.parametrize("odd", ["%0d%0aset-cookie:%20a=b", "%00", "%ff", "%0a"])
async def test_odd_bytes_on_the_way_back_are_never_a_server_error(start, alice_cache, odd):
    hub = await start()
    back = f"?next={hub.hub.base_url}home{odd}".replace(" ", "%2520")
    assert (await Browser(hub).get(f"negotiate{back}")).status_code in (400, 401)
    answer = await Browser(hub).negotiate(client.token(alice_cache), back)
    assert answer.status_code in (302, 400)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"allow_all": False, "allowed_users": {"bob"}}, "You are not allowed to use this hub."),
        ({"blocked_users": {"alice"}}, "belongs to nobody who may log in here"),
        ({"denied_users": {"alice"}}, "belongs to nobody who may log in here"),
        ({"pam_service": "other"}, "belongs to nobody who may log in here"),
    ],
)
async def test_the_authenticators_rules_hold_here_too(start, alice_cache, settings, sentence):
    hub = await start(**settings)
    browser = Browser(hub)
    page = await browser.negotiate(client.token(alice_cache))
    assert page.status_code == 403
    assert sentence in page.text
    assert hub.authenticator.tickets.users() == []
    assert (await browser.get("home")).status_code == 302


async def test_a_rule_of_the_sites_own_is_told_with_the_way_to_the_form(start, alice_cache):
    def refuses(_authenticator, _handler, _model):
        raise web.HTTPError(403, "Only on weekdays.")

    hub = await start(post_auth_hook=refuses)
    page = await Browser(hub).negotiate(client.token(alice_cache))
    assert page.status_code == 403
    assert "Only on weekdays." in page.text
    assert 'id="password-login"' in page.text
    assert hub.authenticator.tickets.users() == []


async def test_an_admin_is_an_admin(start, alice_cache):
    browser = Browser(await start(admin_users={"alice"}))
    await browser.negotiate(client.token(alice_cache))
    assert (await browser.get("admin")).status_code == 200


async def test_a_ticket_of_somebody_else_is_not_stored(start, monkeypatch):
    hub = await start()
    mixed_up = gss.Accepted("alice@LAB.TEST", cache(owner="bob@LAB.TEST"), b"")
    monkeypatch.setattr(gss, "accept", lambda *_: mixed_up)
    page = await Browser(hub).negotiate(b"token")
    assert page.status_code == 403
    assert "cannot be used" in page.text
    assert hub.authenticator.tickets.users() == []


async def test_a_keytab_that_was_lost_is_the_administrators_matter(start, monkeypatch):
    def lost(*_):
        raise AuthFailed("Contact the administrators.", "no keytab")

    hub = await start()
    monkeypatch.setattr(gss, "accept", lost)
    page = await Browser(hub).negotiate(b"token")
    assert page.status_code == 503
    assert "Contact the administrators" in page.text


async def test_each_refusal_is_one_line_for_the_administrators(start, caplog, monkeypatch):
    hub = await start()
    monkeypatch.setattr(gss, "accept", lambda *_: gss.Accepted("a\x1b[2J@OTHER.TEST", b"", b""))
    await Browser(hub).negotiate(b"a-secret-token")
    (line,) = [record.getMessage() for record in caplog.records if "Single sign-on failed" in record.getMessage()]
    assert "SignOnRefused" in line
    assert r"a\x1b[2J@OTHER.TEST" in line
    assert base64.b64encode(b"a-secret-token").decode() not in caplog.text


async def test_other_pages_answer_while_a_token_is_checked(start, monkeypatch, alice_cache):
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    accept = gss.accept

    def slowly(*arguments):
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return accept(*arguments)

    hub = await start()
    monkeypatch.setattr(gss, "accept", slowly)
    login = asyncio.create_task(Browser(hub).negotiate(client.token(alice_cache)))
    await begun.wait()
    assert (await Browser(hub).get("login")).status_code == 200
    assert not login.done()
    go_on.set()
    assert (await login).status_code == 302


async def test_the_login_page_shows_the_way(start):
    browser = Browser(await start())
    page = await browser.get("login?next=%2Fhub%2Ftoken%3Fa%3D%22b")
    assert f'href="{browser.path}negotiate?next=%2Fhub%2Ftoken%3Fa%3D%22b"' in page.text
    assert 'id="password_input"' in page.text


async def test_without_a_keytab_there_is_neither_link_nor_page(start):
    browser = Browser(await start(keytab=""))
    assert "negotiate" not in (await browser.get("login")).text
    assert (await browser.get("negotiate")).status_code == 404


async def test_a_keytab_that_the_hub_cannot_read_stops_its_start(start, tmp_path):
    with pytest.raises(SystemExit, match=r"There is no keytab .*none\.keytab"):
        await start(keytab=str(tmp_path / "none.keytab"))
