"""A start without a usable ticket at a hub with our spawner: the form asks for the password."""

import html
import logging
import re
import time

import pytest
from krb_caches import cache, credential

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.pages import ticket_notice
from slurm_ssh_spawner.hub import launch_notices
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, told

CHOSEN = [("profile", "few"), ("time", "2h")]
ASKED = "Your Kerberos ticket has expired. Enter your password and press Start."
SECRET = "a-wrong-Secret"


def _catalogue(local):
    return {
        "sites": {"geneva": launching.site(local)},
        "profiles": {"usual": builders.profile(), "few": builders.profile(name="Few")},
    }


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
    }
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue, settings) as hub:
        yield hub
        await hub.core.close()


@pytest.fixture
async def alice(hub):
    return await hub.person("alice")


@pytest.fixture
def log(hub):
    """All that is written to the log meanwhile."""
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    kept = Kept(logging.DEBUG)
    kept.setFormatter(logging.Formatter())
    loggers = [hub.app.log, logging.getLogger(), logging.getLogger("tornado")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.addHandler(kept)
        each.setLevel(logging.DEBUG)
    yield lines
    for each, level in zip(loggers, levels, strict=True):
        each.removeHandler(kept)
        each.setLevel(level)


def expire(hub, *, seen_lately=True):
    """Let alice's ticket expire; what JupyterHub knows of her is new only if she was `seen_lately`."""
    expired = cache(credential(end=int(time.time()) - 1))
    hub.app.authenticator.tickets.get("alice").path.write_bytes(expired)
    if not seen_lately:
        hub.app.users["alice"]._auth_refreshed = None


def asks(page):
    """What the form says above its password field, "" if there is none."""
    _, found, rest = page.text.partition('id="ticket-password"')
    block = rest.partition("</div>")[0]
    assert not found or 'type="password" name="password"' in block
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", block.partition("<label")[0].partition(">")[2])).split())


def keeps_the_choices(page):
    return '<option value="few" selected' in page.text and 'value="2h"' in page.text


def submitted(hub):
    return hub.local.told("sbatch.stdin")


@pytest.mark.parametrize("seen_lately", [True, False])
async def test_the_refusal_asks_for_the_password_and_then_the_start_goes_on(hub, alice, seen_lately):
    expire(hub, seen_lately=seen_lately)
    page = await alice.send(CHOSEN)
    assert (page.status_code, asks(page), keeps_the_choices(page)) == (403, ASKED, True)
    assert not submitted(hub)
    page = await alice.send([*CHOSEN, ("password", "alice-pw")])
    assert REFUSED_BY_SLURM in told(page.text)
    assert "You have a new Kerberos ticket until" not in (await alice.page("home")).text, "it was told already"
    assert "--time=120" in submitted(hub)
    assert hub.app.authenticator.tickets.get("alice").end > time.time()
    assert asks(page) == ""


async def test_a_form_that_is_opened_without_a_ticket_asks_at_once(hub, alice):
    expire(hub)
    page = await alice.page("spawn")
    assert (page.status_code, asks(page)) == (200, ASKED)
    assert "ticket-notice" not in page.text, "it is said once"
    expired = hub.app.authenticator.tickets.users()
    assert expired == ["alice"]
    hub.app.authenticator.tickets.remove("alice")
    said = "You have no valid Kerberos ticket. Enter your password and press Start."
    assert asks(await alice.page("spawn")) == said


async def test_with_a_good_ticket_nobody_is_asked(hub, alice):
    assert asks(await alice.page("spawn")) == ""
    assert REFUSED_BY_SLURM in told((await alice.send(CHOSEN)).text)


@pytest.mark.parametrize("seen_lately", [True, False])
async def test_a_wrong_password_is_refused_and_kept_nowhere(hub, alice, realm, log, tmp_path, seen_lately):
    expire(hub, seen_lately=seen_lately)
    failures = realm.failures
    page = await alice.send([*CHOSEN, ("password", SECRET)])
    assert (page.status_code, asks(page), keeps_the_choices(page)) == (403, f"Invalid password {ASKED}", True)
    assert realm.failures == failures + 1
    assert not submitted(hub)
    assert SECRET not in page.text
    await alice.send([*CHOSEN, ("password", "alice-pw")])
    await hub.core.launcher.records.settled()
    kept = [str(alice.stored()), *log, submitted(hub)]
    kept += [file.read_bytes().decode("latin-1") for file in tmp_path.glob("launches.sqlite*")]
    assert log
    for secret in (SECRET, "alice-pw"):
        assert not [text for text in kept if secret in text]
    assert "password" not in alice.stored()


async def test_a_password_of_no_text_is_refused_without_being_repeated(hub, alice, realm, log):
    expire(hub)
    requests = realm.requests
    for path in ("spawn/alice", "ticket", "login"):
        raw = b"username=alice&password=" + b"%ff%fe" + SECRET.encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-XSRFToken": alice.xsrf}
        page = await alice._client.post(f"{alice._url}{path}", content=raw, headers=headers)
        assert (page.status_code, SECRET in page.text) == (403, False), path
    assert realm.requests == requests
    assert not [line for line in log if SECRET in line]


async def test_the_password_is_asked_of_nobody_without_the_token_of_the_form(hub, alice, realm):
    expire(hub, seen_lately=False)
    requests = realm.requests
    fields = [*CHOSEN, ("password", "alice-pw")]
    page = await alice.post("/@/space%20word/hub/spawn/alice", fields, "wrong-token")
    assert (page.status_code, asks(page)) == (403, "")
    assert realm.requests == requests
    assert not submitted(hub)


async def test_a_silent_kdc_is_told_in_the_form(hub, alice, realm, monkeypatch):
    expire(hub)
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    page = await alice.send([*CHOSEN, ("password", "alice-pw")])
    unreachable = "The login servers cannot be reached. Try again in a minute."
    assert (page.status_code, asks(page)) == (503, f"{unreachable} {ASKED}")
    assert keeps_the_choices(page)


async def test_a_start_that_is_tried_again_asks_too(hub, alice):
    failed = await alice.send(CHOSEN)
    assert REFUSED_BY_SLURM in told(failed.text)
    page = await alice.page("spawn-pending/alice")
    action, hidden = re.search(
        r'<form method="post" action="([^"]*)">(.*?)<button class="[^"]*" id="try-again"', page.text, re.DOTALL
    ).groups()
    fields = [tuple(map(html.unescape, each)) for each in re.findall(r'name="([^"]*)" value="([^"]*)"', hidden)]
    expire(hub)
    asked = await alice.post(html.unescape(action), fields)
    assert (asked.status_code, asks(asked), keeps_the_choices(asked)) == (403, ASKED, True)
    again = await alice.post(html.unescape(action), [*fields, ("password", "alice-pw")])
    assert REFUSED_BY_SLURM in told(again.text)


async def test_the_name_of_a_further_server_is_kept_too(hub, alice):
    expire(hub)
    page = await alice.send([*CHOSEN, ("server_name", "My Analysis")])
    assert asks(page) == ASKED
    action = re.search(r'id="spawn_form" action="([^"]*)"', page.text)[1]
    assert action == "/@/space%20word/hub/spawn/alice/my-analysis?display_name=My+Analysis"
    started = await alice.post(html.unescape(action), [*CHOSEN, ("password", "alice-pw")])
    assert REFUSED_BY_SLURM in told(started.text)
    assert alice.user.orm_spawners["my-analysis"].display_name == "My Analysis"


async def test_an_administrator_is_asked_for_nobodys_password(hub, alice, realm):
    bob = await hub.person("bob", admin=True)
    expire(hub)
    of_alice = "alice has no valid Kerberos ticket and must log in before a server can be started."
    requests = realm.requests
    page = await bob.post("/@/space%20word/hub/spawn/alice", [*CHOSEN, ("password", "alice-pw")], follow=False)
    assert (page.status_code, told(page.text), asks(page)) == (403, of_alice, "")
    assert realm.requests == requests
    page = await bob.post("/@/space%20word/hub/spawn/nobody", [("password", "bob-pw")], follow=False)
    assert page.status_code == 404


async def test_an_administrator_without_a_ticket_starts_nobodys_server(hub, alice):
    bob = await hub.person("bob", admin=True)
    hub.app.authenticator.tickets.remove("bob")
    hub.app.users["bob"]._auth_refreshed = None
    page = await bob.post("/@/space%20word/hub/spawn/alice", CHOSEN, follow=False)
    assert page.status_code == 403
    assert not submitted(hub)
