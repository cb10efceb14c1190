"""The line that says whom to ask, where a login is refused or asked for."""

import time
from importlib.resources import files

import pytest
from krb_caches import cache, credential
from test_login_page import Browser
from traitlets.config import Config

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.errors import AuthFailed
from kerberos_auth.login_help import LoginHelp
from tests.support.hub import NoProxy

ASK = "Ask the <helpdesk> & co: 12345"
SHOWN = "Ask the &lt;helpdesk&gt; &amp; co: 12345"
LINK = "https://help.example.org/?a=1&b=%22x"


@pytest.fixture
def start(realm, hub_app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the hub writes its cookie secret where it stands

    async def started(**settings):
        return await hub_app(
            config={
                "JupyterHub": {
                    "authenticator_class": KerberosPAMAuthenticator,
                    "proxy_class": NoProxy,
                    "template_paths": [str(files("kerberos_auth") / "templates")],
                },
                "KerberosPAMAuthenticator": {
                    "allow_all": True,
                    "pam_service": "",
                    "ticket_folder": str(tmp_path / "krb5"),
                    "login_timeout_seconds": 60,
                },
                "LoginHelp": settings,
            }
        )

    return started


def helped(page):
    """What the line says, as markup; "" if there is none."""
    return page.text.partition('<p class="login-help text-center">')[2].partition("</p>")[0].strip()


async def test_a_hub_without_the_setting_has_no_line(start):
    assert helped(await Browser(await start()).get("login")) == ""


async def test_the_login_says_whom_to_ask_also_after_a_refusal(start):
    browser = Browser(await start(text=ASK))
    assert helped(await browser.get("login")) == SHOWN
    for name, password in (("dave", "dave-pw"), ("alice", "wrong"), ("carol", "carol-pw")):
        refused = await browser.log_in(username=name, password=password)
        assert (refused.status_code, helped(refused)) == (403, SHOWN), name


async def test_the_line_may_be_a_link(start):
    page = await Browser(await start(text=ASK, link=LINK)).get("login")
    assert helped(page) == f'<a href="https://help.example.org/?a=1&amp;b=%22x">{SHOWN}</a>'


async def test_the_page_of_the_ticket_says_it_when_the_password_is_refused(start):
    hub = await start(text=ASK)
    browser = Browser(hub)
    await browser.log_in(username="alice", password="alice-pw")
    assert helped(await browser.get("ticket")) == SHOWN
    hub.authenticator.tickets.get("alice").path.write_bytes(cache(credential(end=int(time.time()) - 1)))
    assert helped(await browser.get("ticket")) == SHOWN


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "help.example.org",
        "//help.example.org",
        "data:text/html,x",
        "https:",
        "mailto:",
        "http://[x",
    ],
)
def test_a_link_that_leads_nowhere_good_is_refused(link):
    with pytest.raises(AuthFailed, match="https://, http:// or mailto:"):
        LoginHelp(config=Config(LoginHelp={"link": link, "text": ASK}))


def test_a_link_needs_a_text():
    with pytest.raises(AuthFailed, match="has no text"):
        LoginHelp(config=Config(LoginHelp={"link": LINK}))


def test_a_mail_address_is_a_link_too():
    assert LoginHelp(config=Config(LoginHelp={"link": "mailto:help@example.org", "text": ASK})).link
