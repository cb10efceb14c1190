"""What people see of their tickets at a real hub, and what a start without one is told."""

import html
import re
import time
from importlib.resources import files

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.spawner import SimpleLocalProcessSpawner
from krb_caches import cache, credential

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.errors import TicketMissing
from kerberos_auth.pages import ticket_notice
from lab.plain_http import NO_TLS
from tests.support import client
from tests.support.hub import NoProxy

EXPIRED = "Your Kerberos ticket has expired. Log in again."
OF_ALICE = "alice has no valid Kerberos ticket and must log in before a server can be started."


class Browser:
    """A person at the hub."""

    def __init__(self, hub):
        self.path = hub.hub.base_url
        self.base = f"http://127.0.0.1:{hub.hub.port}{self.path}"
        self.http = client.browser()

    async def get(self, path):
        return await self.http.get(self.base + path)

    async def send(self, path, **fields):
        xsrf = next((c.value for c in self.http.cookies.jar if c.name == "_xsrf"), "")
        address = httpx.URL(self.base + path).copy_merge_params({"_xsrf": xsrf})
        return await self.http.post(address, data=fields)

    async def log_in(self, name):
        await self.get("login")
        assert (await self.send("login", username=name, password=f"{name}-pw")).status_code == 302
        await self.get("home")


class FormSpawner(SimpleLocalProcessSpawner):
    """One with a form, as ours."""

    options_form = "A form."


@pytest.fixture
async def hub(realm, hub_app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the hub writes its cookie secret where it stands
    return await hub_app(
        config={
            "JupyterHub": {
                "authenticator_class": KerberosPAMAuthenticator,
                "spawner_class": FormSpawner,
                "proxy_class": NoProxy,
                "allow_named_servers": True,
                "template_paths": [str(files("kerberos_auth") / "templates")],
                "template_vars": {"ticket_notice": ticket_notice},
            },
            "KerberosPAMAuthenticator": {
                "allow_all": True,
                "pam_service": "",
                "ticket_folder": str(tmp_path / "krb5"),
                "login_timeout_seconds": 60,
            },
        }
    )


@pytest.fixture
async def alice(hub):
    browser = Browser(hub)
    await browser.log_in("alice")
    return browser


def replace(hub, **facts):
    """Change alice's stored ticket without anybody noticing."""
    hub.authenticator.tickets.get("alice").path.write_bytes(cache(credential(**facts)))


def expire(hub):
    replace(hub, end=int(time.time()) - 1)


def banner(page):
    _, found, rest = page.text.partition('<div id="ticket-notice"')
    return " ".join(html.unescape(rest.partition("</div>")[0].partition(">")[2]).split()) if found else ""


async def test_the_page_shows_the_ticket_and_replaces_it(hub, alice):
    store, heard = hub.authenticator.tickets, []
    store.subscribe(heard.append)
    replace(hub, end=int(time.time()) + 600, renew_until=int(time.time()) + 1200)
    page = await alice.get("ticket?next=%2F%40%2Fspace%2520word%2Fhub%2Ftoken")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert f'<time datetime="{time.strftime("%FT%TZ", time.gmtime(store.get("alice").end))}">' in page.text
    ends = time.strftime("%a %d %b %Y %H:%M UTC", time.gmtime(store.get("alice").end))
    for shown in ("alice@LAB.TEST", ends):
        assert shown in page.text
    assert "cannot be renewed any longer" in banner(await alice.get("token"))
    answer = await alice.send("ticket?next=%2F%40%2Fspace%2520word%2Fhub%2Ftoken", password="alice-pw")
    assert (answer.status_code, heard) == (302, ["alice"])
    assert store.get("alice").end > time.time() + 30_000
    assert banner(await alice.get("home")) == ""


async def test_after_the_password_one_is_back_where_one_was_and_nowhere_else(alice):
    for asked, led in [
        ("?next=/@/space%2520word/hub/token", "token"),
        ("", "home"),
        ("?next=//evil.test/", "home"),
        ("?next=/@/space%2520word/hub/token%0d%0aa:%20b", "home"),
    ]:
        address = alice.base + "ticket" + asked
        form = await alice.http.get(address)
        action = html.unescape(form.text.partition('<form action="')[2].partition('"')[0])
        xsrf = form.text.partition('name="_xsrf" value="')[2].partition('"')[0]
        fields = {"password": "alice-pw", "_xsrf": xsrf}
        answer = await alice.http.post(str(httpx.URL(address).join(action)), data=fields)
        assert (answer.status_code, answer.headers["location"]) == (302, alice.path + led)


async def test_a_wrong_password_shows_the_page_again_and_keeps_the_ticket(hub, realm, alice):
    before, failures = hub.authenticator.tickets.get("alice"), realm.failures
    page = await alice.send("ticket", password="wrong")
    assert page.status_code == 403
    assert '<p class="login_error" id="ticket-error" role="alert">Invalid password</p>' in page.text
    assert realm.failures == failures + 1
    assert (await alice.send("ticket")).status_code == 403
    assert hub.authenticator.tickets.get("alice") == before


def news(page):
    """What a page says of a new ticket, "" for nothing."""
    rest = page.text.partition('<div id="ticket-news" class="container text-center alert alert-success"')[2]
    return html.unescape(re.sub("<[^>]*>", "", rest.partition("</div>")[0].partition(">")[2])).strip()


async def test_a_new_ticket_is_told_once_with_its_end(hub, alice):
    assert news(await alice.get("home")) == "", "a login is no news"
    await alice.get("ticket")
    assert (await alice.send("ticket", password="wrong")).status_code == 403
    assert news(await alice.get("token")) == ""
    assert (await alice.send("ticket", password="alice-pw")).status_code == 302
    assert news(await alice.get("ticket")) == "", "its own page says it anyway"
    bob = Browser(hub)
    await bob.log_in("bob")
    assert news(await bob.get("home")) == ""
    end = time.gmtime(hub.authenticator.tickets.get("alice").end)
    page = await alice.get("home")
    assert news(page) == f"You have a new Kerberos ticket until {time.strftime('%a %d %b %Y %H:%M UTC', end)}."
    assert f'<time datetime="{time.strftime("%FT%TZ", end)}">' in page.text
    assert news(await alice.get("home")) == ""


async def test_the_login_form_says_whose_password_it_wants(hub):
    assert "Use your user name and password of LAB.TEST (Kerberos)." in (await Browser(hub).get("login")).text


async def test_nobody_gets_a_ticket_of_somebody_else_by_the_page(hub, alice):
    assert (await alice.send("ticket", username="bob", password="bob-pw")).status_code == 403
    assert hub.authenticator.tickets.users() == ["alice"]


async def test_a_silent_kdc_is_told_on_the_page(realm, alice, monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    page = await alice.send("ticket", password="alice-pw")
    assert page.status_code == 503
    assert "The login servers cannot be reached. Try again in a minute." in page.text


async def test_the_page_is_for_people_who_are_logged_in_and_whose_form_it_was(hub, alice):
    assert "/login?next=" in (await Browser(hub).get("ticket")).headers["location"]
    assert (await alice.http.post(alice.base + "ticket", data={"password": "alice-pw"})).status_code == 403


async def test_an_expired_ticket_can_be_replaced_on_the_page(hub, alice):
    expire(hub)
    page = await alice.get("ticket")
    assert "You have no valid ticket." in page.text
    assert banner(page) == ""
    said = "You have no valid Kerberos ticket: your servers go on, but lose access to files that need it."
    assert banner(await alice.get("token")).startswith(f"{said} <a ")
    assert (await alice.send("ticket", password="alice-pw")).status_code == 302
    assert hub.authenticator.tickets.get("alice")


def item(page):
    """What the navigation says of the ticket."""
    _, found, rest = page.text.partition('id="ticket-item" href="/@/space%20word/hub/ticket">')
    return rest.partition("</a>")[0] if found else ""


async def test_the_navigation_says_how_long_the_ticket_is_valid(hub, alice):
    replace(hub, end=int(time.time()) + 9 * 3600 + 600)
    assert item(await alice.get("home")) == "Ticket: 9 h"
    replace(hub, end=int(time.time()) + 31 * 60)
    assert item(await alice.get("token")) in {"Ticket: 30 min", "Ticket: 31 min"}
    expire(hub)
    assert item(await alice.get("ticket")) == "Ticket: none"
    assert item(await Browser(hub).get("login")) == ""


async def test_the_banner_says_when_the_ticket_ends_for_a_page_that_shows_it_in_the_readers_zone(hub, alice):
    end = int(time.time()) + 600
    replace(hub, end=end, renew_until=end)
    at = time.strftime("%a %d %b %Y %H:%M UTC", time.gmtime(end))
    time_of = f'<time datetime="{time.strftime("%FT%TZ", time.gmtime(end))}">{at}</time>'
    said = banner(await alice.get("home"))
    assert said.startswith(f"Your Kerberos ticket expires at {time_of} and cannot be renewed any longer.")
    french = await alice.http.get(alice.base + "home", headers={"Accept-Language": "fr"})
    assert time.strftime(">%d/%m/%Y à %H:%M UTC</time>", time.gmtime(end)) in banner(french)


async def test_the_banner_is_for_its_person_alone(hub, alice):
    replace(hub, end=int(time.time()) + 600, renew_until=int(time.time()) + 600)
    assert "cannot be renewed any longer" in banner(await alice.get("home"))
    bob = Browser(hub)
    await bob.log_in("bob")
    assert banner(await bob.get("home")) == banner(await Browser(hub).get("login")) == ""


@pytest.mark.parametrize("server", ["spawn", "spawn/alice/two"])
async def test_a_form_sent_with_an_expired_ticket_says_so_and_login_leads_back(hub, alice, server):
    form = await alice.get(server)
    assert form.status_code == 200
    expire(hub)
    refused = await alice.send(server)
    assert refused.status_code == 403
    assert f"Error: {EXPIRED}" in refused.text
    page = await alice.get(server)
    assert page.status_code == 302
    assert page.headers["location"].endswith(
        "/login?next=" + (alice.path + server).replace("/", "%2F").replace("%20", "%2520").replace("@", "%40")
    )
    login = page.headers["location"].removeprefix(alice.path)
    assert (await alice.get(login)).status_code == 200
    answer = await alice.send(login, username="alice", password="alice-pw")
    assert (answer.status_code, answer.headers["location"]) == (302, alice.path + server)
    assert (await alice.get(server)).status_code == 200


async def start_by_api(hub, person, server="server"):
    token = hub.users[person].new_api_token(roles=["token"])
    async with httpx.AsyncClient(
        verify=NO_TLS, headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        answer = await client.post(f"{Browser(hub).base}api/users/alice/{server}")
    return answer.status_code, answer.json().get("message")


@pytest.mark.parametrize("server", ["server", "servers/two"])
async def test_callers_of_the_api_get_the_same_sentence(hub, alice, server):
    expire(hub)
    assert await start_by_api(hub, "alice", server) == (403, EXPIRED)
    assert await start_by_api(hub, "alice", server) == (403, EXPIRED)


async def test_an_administrator_is_told_whose_ticket_is_missing(hub, alice):
    user = hub.db.query(orm.User).filter_by(name="user").one()
    user.roles.append(hub.db.query(orm.Role).filter_by(name="admin").one())
    hub.db.commit()
    expire(hub)
    assert await start_by_api(hub, "user") == (403, OF_ALICE)
    hub.authenticator.tickets.remove("alice")
    assert await start_by_api(hub, "user", "servers/two") == (403, OF_ALICE)


ODD = ["%00", "%0d%0aset-cookie:%20a=b", "%ff%fe", "%ed%b3%bf", "%E2%80%AE", "%1b[2J", "a%0ab%0dc", "%u0000"]


@pytest.mark.parametrize("odd", ODD)
async def test_odd_bytes_on_the_way_back_are_never_a_server_error(hub, odd):
    browser = Browser(hub)
    back = f"next={hub.hub.base_url}home{odd}".replace(" ", "%2520")
    assert (await browser.get(f"login?{back}")).status_code in (200, 400)
    answer = await browser.send(f"login?{back}", username="alice", password="alice-pw")
    assert answer.status_code in (302, 400), answer.text
    assert "set-cookie: a=b" not in str(answer.headers)
    await browser.log_in("alice")
    for path in ("login", "ticket", "logout", "home"):
        assert (await browser.get(f"{path}?{back}")).status_code in (200, 302, 400), path
    await browser.log_in("alice")
    await browser.get("ticket")
    answer = await browser.send(f"ticket?{back}", password="alice-pw")
    assert answer.status_code in (302, 400), answer.text


async def test_logging_out_removes_the_ticket(hub, alice):
    await alice.get("logout")
    assert hub.authenticator.tickets.users() == []
    assert "/login" in (await alice.get("home")).headers["location"]
    assert (await Browser(hub).get("logout")).status_code == 302


async def test_logging_out_says_what_goes_on_without_its_person(hub, alice):
    assert (await alice.get("logout")).headers["location"].endswith("/hub/login?next=") is False
    await alice.log_in("alice")
    hub.users["alice"].spawners[""]._spawn_pending = True
    page = await alice.get("logout")
    assert (page.status_code, "One of your servers goes on" in page.text) == (200, True)
    assert 'id="logout"' not in page.text
    hub.users["alice"].spawners[""]._spawn_pending = False
    assert "/login" in (await alice.get("home")).headers["location"]


GOES_ON = "One of your servers goes on, until its time is up."
LATER = 36_000
NOT_RENEWED = (
    "Your ticket expires at {end} and cannot be renewed: from then on servers lose access to files that need it."
)


@pytest.mark.parametrize(
    ("facts", "remove", "said"),
    [
        (
            {"renew": LATER},
            "logout",
            "Your ticket is renewed for as long as that, until {end} at most, then removed.",
        ),
        ({"renew": LATER}, "never", "Your ticket is renewed for as long as that, until {end} at most."),
        (
            {"end": LATER},
            "logout",
            NOT_RENEWED,
        ),
        (
            {"end": -1},
            "logout",
            "You have no valid ticket: servers lose access to files that need it until you log in again.",
        ),
    ],
)
async def test_logging_out_says_what_becomes_of_the_ticket_of_servers_that_go_on(hub, alice, facts, remove, said):
    now = int(time.time())
    hub.authenticator.keeping.remove_ticket = remove
    replace(hub, end=now + facts.get("end", 3600), renew_until=now + facts.get("renew", 1))
    spawner = hub.users["alice"].spawners[""]
    spawner._spawn_pending = True
    page = await alice.get("logout")
    spawner._spawn_pending = False
    end = time.gmtime(now + LATER)
    text = page.text.partition('id="logged-out-said">')[2].partition("</p>")[0]
    said = said.format(end=time.strftime("%a %d %b %Y %H:%M UTC", end))
    assert html.unescape(re.sub("<[^>]*>", "", text)).strip() == f"{GOES_ON} {said}"
    assert (f'<time datetime="{time.strftime("%FT%TZ", end)}">' in text) == ("UTC" in said)


async def test_a_deleted_user_leaves_no_ticket(hub, alice):
    hub.authenticator.delete_user(hub.users["alice"])
    with pytest.raises(TicketMissing):
        hub.authenticator.tickets.get("alice")


async def test_a_token_outlives_a_block_and_a_ticket_and_ends_with_its_user(hub, alice):
    token = hub.users["alice"].new_api_token(roles=["user"])

    async def status():
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(headers=headers, verify=NO_TLS) as program:
            return (await program.get(f"{alice.base}api/user")).status_code

    assert await status() == 200
    hub.authenticator.blocked_users = {"alice"}
    expire(hub)
    hub.users["alice"]._auth_refreshed = None
    assert await status() == 200
    hub.authenticator.delete_user(hub.users["alice"])
    await hub.users["alice"].delete_spawners()
    hub.users.delete(hub.users["alice"])
    assert await status() == 403
