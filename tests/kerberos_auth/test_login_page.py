"""The login form of a real hub: what a person sees."""

import asyncio
import re
import time
from importlib.resources import files

import httpx
import pytest
from jupyterhub import orm
from krb_caches import cache, credential

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.pages import ticket_notice
from lab.plain_http import NO_TLS
from tests.support import client
from tests.support.hub import NoProxy


class Browser:
    """A person at the hub; `log_in` fills the form as the page sends it."""

    def __init__(self, hub):
        self.base = f"http://127.0.0.1:{hub.hub.port}{hub.hub.base_url}"
        self.client = client.browser()

    async def get(self, path):
        return await self.client.get(self.base + path)

    async def log_in(self, query="", **form):
        page = await self.get(f"login{query}")
        assert page.status_code == 200 or (query and page.status_code == 302)
        form["_xsrf"] = next(c.value for c in self.client.cookies.jar if c.name == "_xsrf")
        return await self.client.post(f"{self.base}login{query}", data=form)


@pytest.fixture
async def hub(realm, hub_app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the hub writes its cookie secret where it stands
    return await hub_app(
        config={
            "JupyterHub": {
                "authenticator_class": KerberosPAMAuthenticator,
                "proxy_class": NoProxy,
                "template_paths": [str(files("kerberos_auth") / "templates")],
                "template_vars": {"ticket_notice": ticket_notice},
            },
            "KerberosPAMAuthenticator": {
                "allow_all": True,
                "pam_service": "",
                "ticket_folder": str(tmp_path / "krb5"),
                "keytab": realm.keytab,
                "login_timeout_seconds": 60,
                "password_change_text": "Change it at <passwd.lab.test>.",
            },
        }
    )


def alert(page):
    """The sentence above the login form."""
    assert 'id="password_input"' in page.text
    return page.text.partition('<p class="login_error" id="login-error" role="alert">')[2].partition("</p>")[0]


def field(page, name):
    """The attributes of a field of the login form."""
    element = re.search(rf'<input id="{name}_input"([^>]*)>', page.text)[1]
    return {key: value for key, _, value in re.findall(r'([\w-]+)(="([^"]*)")?', element)}


async def test_alice_is_in(hub):
    browser = Browser(hub)
    answer = await browser.log_in(username="ALICE@lab.test", password="alice-pw")
    assert answer.status_code == 302
    assert (await browser.get("home")).status_code == 200
    assert [user.name for user in hub.db.query(orm.User) if user.name != "user"] == ["alice"]
    assert hub.authenticator.tickets.get("alice").principal == "alice@LAB.TEST"


async def test_refusals_show_the_form_with_one_sentence(hub):
    browser = Browser(hub)
    for name, password in [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", "x"),
        ("dave", "dave-pw"),
        ("root", "root-pw"),
        ("../alice", "alice-pw"),
        ("\u202ealice", "alice-pw"),
        ("x" * 10_000, "x"),
    ]:
        page = await browser.log_in(username=name, password=password)
        assert page.status_code == 403
        assert alert(page) == "Invalid username or password"


async def test_who_comes_begins_with_the_name_and_who_was_refused_with_the_password(hub):
    browser = Browser(hub)
    page = await browser.get("login")
    name, password = field(page, "username"), field(page, "password")
    assert "required" in name.keys() & password.keys()
    assert ("autofocus" in name, "autofocus" in password) == (True, False)
    assert not {"aria-invalid", "aria-describedby"} & (name.keys() | password.keys())
    page = await browser.log_in(username="alice", password="wrong")
    name, password = field(page, "username"), field(page, "password")
    assert (name["value"], "autofocus" in name, "autofocus" in password) == ("alice", False, True)
    for each in (name, password):
        assert (each["aria-invalid"], each["aria-describedby"]) == ("true", "login-error")


async def test_fields_are_not_wrong_when_the_login_servers_are_away(hub, realm, monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    page = await Browser(hub).log_in(username="alice", password="alice-pw")
    assert alert(page).startswith("The login servers cannot be reached.")
    for each in (field(page, "username"), field(page, "password")):
        assert ("aria-invalid" in each, each["aria-describedby"]) == (False, "login-error")


async def test_carol_is_told_where_to_change_her_password(hub):
    page = await Browser(hub).log_in(username="carol", password="carol-pw")
    assert page.status_code == 403
    assert alert(page) == "Change it at &lt;passwd.lab.test&gt;."


async def test_a_silent_kdc_is_told_while_other_pages_answer(hub, silent_kdc, monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", str(silent_kdc.config))
    login = asyncio.create_task(Browser(hub).log_in(username="alice", password="alice-pw"))
    await asyncio.to_thread(silent_kdc.asked)
    other = Browser(hub)
    for _ in range(2):
        assert (await other.get("login")).status_code == 200
    assert not login.done()
    silent_kdc.end()
    page = await login
    assert page.status_code == 503
    assert alert(page) == "The login servers cannot be reached. Try again in a minute."


async def test_odd_forms_are_never_a_server_error(hub):
    browser = Browser(hub)
    assert (await browser.log_in(password="alice-pw")).status_code == 400
    assert (await browser.log_in(username="alice")).status_code == 403
    assert (await browser.log_in(username="alice", password=["wrong", "wrong too"])).status_code == 403


async def test_what_stands_around_a_name_is_no_part_of_it(hub):
    for name in ("alice\0", " alice", "alice\r\n"):
        browser = Browser(hub)
        assert (await browser.log_in(username=name, password="wrong")).status_code == 403
        assert (await browser.log_in(username=name, password="alice-pw")).status_code == 302
    assert [user.name for user in hub.db.query(orm.User) if user.name != "user"] == ["alice"]


@pytest.mark.parametrize(
    "elsewhere", ["%0d%0aSet-Cookie:%20a=b", "/hub/home%0d%0ax", "/%0a", "/%0b", "/%00", "/%E2%80%A8"]
)
async def test_no_way_back_ends_a_good_login_in_an_error_of_the_server(hub, elsewhere):
    browser = Browser(hub)
    for _ in range(2):
        # The second time they are logged in.
        answer = await browser.log_in(f"?next={elsewhere}", username="alice", password="alice-pw")
        assert (answer.status_code, "set-cookie: a" in str(answer.headers).lower()) == (302, False)


async def test_an_expired_ticket_leads_to_the_form_and_back(hub):
    browser = Browser(hub)
    await browser.log_in(username="alice", password="alice-pw")
    expired = cache(credential(end=int(time.time()) - 1))
    hub.authenticator.tickets.get("alice").path.write_bytes(expired)
    refused = await browser.get("spawn")
    assert refused.status_code == 403
    assert "Your Kerberos ticket has expired." in refused.text
    assert '<a id="log-in-again" href="/@/space%20word/hub/login?next=%2F%40%2Fspace%2520word%2Fhub%2Fspawn">' in (
        refused.text
    )
    page = await browser.get("home")
    assert page.status_code == 302
    assert "/login?next=" in page.headers["location"]
    assert (await browser.log_in(username="alice", password="alice-pw")).status_code == 302
    assert (await browser.get("home")).status_code == 200


async def test_users_made_through_rest_obey_the_same_rule(hub):
    token = hub.users["user"].new_api_token(roles=["token"])
    hub.db.query(orm.User).filter_by(name="user").one().roles.append(
        hub.db.query(orm.Role).filter_by(name="admin").one()
    )
    hub.db.commit()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, headers=headers) as client:
        users = f"{Browser(hub).base}api/users"
        made = {
            name: (await client.post(users, json={"usernames": [name]})).status_code
            for name in ("Bob@LAB.TEST", "root", "alice@OTHER", "a b")
        }
    assert made == {"Bob@LAB.TEST": 201, "root": 400, "alice@OTHER": 400, "a b": 400}
    assert hub.db.query(orm.User).filter_by(name="bob").count() == 1


async def test_an_odd_name_in_the_database_does_not_stop_a_start(hub):
    hub.db.add(orm.User(name="Odd Name@ELSEWHERE"))
    hub.db.commit()
    await hub.init_users()
    await hub.init_role_assignment()
    await hub.init_spawners()


async def test_the_page_is_shown_for_another_authenticator_too(hub_app, tmp_path, monkeypatch):
    """Whoever has our template_paths, and logs people in without Kerberos."""
    monkeypatch.chdir(tmp_path)
    hub = await hub_app(
        config={
            "JupyterHub": {
                "authenticator_class": "dummy",
                "proxy_class": NoProxy,
                "template_paths": [str(files("kerberos_auth") / "templates")],
            },
            "DummyAuthenticator": {"allow_all": True},
        }
    )
    page = await Browser(hub).get("login")
    assert page.status_code == 200
    assert 'id="username_input"' in page.text
    assert 'id="single-sign-on"' not in page.text
