"""What a browser is told, at a hub with our pages, that could not be logged in without a password."""

import base64
import html
import re

import pytest

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.pages import ticket_notice
from slurm_ssh_spawner.hub import launch_notices
from tests.support import client, launching


@pytest.fixture
async def hub(realm, hub_app, tmp_path, monkeypatch):
    settings = {
        "JupyterHub": {
            "authenticator_class": KerberosPAMAuthenticator,
            "template_vars": {"launch_notices": launch_notices, "ticket_notice": ticket_notice},
        },
        "KerberosPAMAuthenticator": {
            "allow_all": True,
            "pam_service": "",
            "ticket_folder": str(tmp_path / "krb5"),
            "login_timeout_seconds": 60,
        },
        "SingleSignOn": {"keytab": realm.http_keytab},
    }
    async with launching.launching(hub_app, tmp_path, monkeypatch, settings=settings) as hub:
        yield hub
        await hub.core.close()


async def asked(hub, token=None):
    headers = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"} if token else {}
    async with client.browser() as browser:
        return await browser.get(f"{hub.app.hub.url}negotiate", headers=headers)


def main(page):
    """The text of a page's content."""
    inside = page.text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", inside)).split())


async def test_a_browser_without_a_ticket_reads_how_to_set_it_up(hub):
    page = await asked(hub)
    assert (page.status_code, page.headers["www-authenticate"]) == (401, "Negotiate")
    said = main(page)
    assert said.startswith(
        "Your browser showed no ticket Your browser sent no Kerberos ticket. Get one (kinit -f)"
    )
    how, _, way = said.partition("How to set up this browser ")[2].partition("Log in with your password")
    assert "network.negotiate-auth.trusted-uris" in how
    assert "AuthServerAllowlist" in how
    assert way
    assert "not logged in" not in said


async def test_a_browser_that_keeps_its_ticket_reads_so(hub, tmp_path):
    page = await asked(hub, client.token(client.kinit(tmp_path, "alice"), delegate=False))
    assert page.status_code == 403
    assert main(page).startswith("Your browser did not pass on your ticket Your browser proved who you are")
    assert '<details id="browser-settings">' in page.text


async def test_another_refusal_has_nothing_to_do_with_settings(hub):
    page = await asked(hub, b"no ticket")
    assert main(page).startswith("You could not be logged in without a password Your browser's ticket was not")
    assert "<details" not in page.text
    assert 'id="password-login"' in page.text
