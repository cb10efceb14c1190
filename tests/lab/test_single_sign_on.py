"""Login without a password in the lab: curl and Chromium on a front end, as people with a ticket of their own."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from lab import Lab
from lab.demo import CELL
from lab.person import Person
from tests.lab.browser import FLAGS

PAGE = "http://hub.lab.test:8000/hub/negotiate"
HOST = "geneva-login1"
CURL = "curl --silent --show-error --negotiate --user : --cookie-jar jar --location"
POLICIES = "/etc/chromium/policies/managed"


def at_desk(lab: Lab, name: str, script: str) -> str:
    """Run a script as a person who has just taken a ticket, in a folder that is gone afterwards."""
    lines = [
        "cd $(mktemp -d)",
        "trap 'rm -rf $PWD' EXIT",
        "export HOME=$PWD KRB5CCNAME=FILE:$PWD/ticket",
        f"kinit -f {name} <<<{name}-pw >kinit.log || exit",
        script,
    ]
    return lab.run(HOST, ["bash", "-c", "\n".join(lines)], user=name).stdout


def chromium(url: str) -> str:
    """Return the command that prints a page as Chromium shows it.

    It takes Kerberos into use at its next start after a page that asked for a ticket.
    """
    command = f"chromium --headless {FLAGS} --user-data-dir=profile --dump-dom '{url}' 2>chromium.log"
    return f"{command} >first-start.html; {command}"


@pytest.fixture
def forgotten(lab: Lab) -> Iterator[None]:
    """The hub holds no ticket of alice, neither before nor afterwards."""
    forget = ["rm", "-f", "/run/jupyterhub/krb5/alice"]
    lab.run("hub", forget)
    yield
    lab.run("hub", forget)


@pytest.fixture
def allow(lab: Lab) -> Iterator[Callable[..., None]]:
    """Writes Chromium's policies as an administrator of a desktop does; keywords are their names."""

    def write(**policies: str) -> None:
        script = f"mkdir -p {POLICIES} && cat >{POLICIES}/single-sign-on.json"
        lab.run(HOST, ["sh", "-c", script], input=json.dumps(policies))

    yield write
    lab.run(HOST, ["rm", "-rf", POLICIES])


def kept(lab: Lab) -> str:
    """Return what klist says about the ticket of alice that the hub holds."""
    return lab.run("hub", ["klist", "-f", "-c", "/run/jupyterhub/krb5/alice"], check=False).stdout


def is_home_of_alice(page: str) -> bool:
    return 'id="logout"' in page and 'user: "alice"' in page


@pytest.mark.usefixtures("forgotten")
def test_curl_gets_in_with_alices_ticket(lab: Lab) -> None:
    page = at_desk(lab, "alice", f"{CURL} --delegation always '{PAGE}?next=/hub/home'")
    assert is_home_of_alice(page)
    shown = kept(lab)
    assert "Default principal: alice@LAB.TEST" in shown
    flags = re.search(r"Flags: (\w+)", shown)
    assert flags
    assert {"F", "R"} <= set(flags[1]), "forwardable and renewable"


@pytest.mark.usefixtures("forgotten")
def test_a_notebook_has_the_ticket_that_the_browser_passed_on(lab: Lab) -> None:
    jar = at_desk(lab, "alice", f"{CURL} --delegation always --output page '{PAGE}?next=/hub/home'; cat jar")
    cookies = [line.removeprefix("#HttpOnly_").split("\t") for line in jar.splitlines() if line.count("\t") == 6]
    with Person(lab.url, "alice") as alice:
        for _, _, path, _, _, name, value in cookies:
            alice.http.cookies.set(name, value, domain="127.0.0.1", path=path)
        assert is_home_of_alice(alice.http.get("/hub/home").text)
        alice.start({"profile": "jupyterlab", "site": "geneva"})
        try:
            printed = alice.run(CELL)
        finally:
            alice.stop()
    assert "ticket of alice@LAB.TEST" in printed
    assert "nfs/storage.lab.test@LAB.TEST: kvno" in printed


@pytest.mark.usefixtures("forgotten")
def test_a_browser_that_keeps_its_ticket_is_told_what_to_change(lab: Lab) -> None:
    page = at_desk(lab, "alice", f"{CURL} '{PAGE}'")
    assert "Your browser proved who you are but did not forward your ticket." in page
    assert "/hub/login?next=" in page
    assert kept(lab) == ""


def test_without_a_ticket_the_page_leads_to_the_password(lab: Lab) -> None:
    page = at_desk(lab, "alice", f"kdestroy; {CURL} --delegation always '{PAGE}'")
    assert "Your browser sent no Kerberos ticket" in page
    assert "/hub/login?next=" in page


def test_the_login_page_leads_here(lab: Lab) -> None:
    with Person(lab.url, "alice") as alice:
        assert "/hub/negotiate?next=" in alice.http.get("/hub/login").text


@pytest.mark.usefixtures("forgotten")
class TestChromium:
    def test_it_gets_in_without_a_password(self, lab: Lab, allow: Callable[..., None]) -> None:
        allow(AuthServerAllowlist="*.lab.test", AuthNegotiateDelegateAllowlist="*.lab.test")
        page = at_desk(lab, "alice", chromium(f"{PAGE}?next=/hub/home"))
        assert is_home_of_alice(page)
        assert "Default principal: alice@LAB.TEST" in kept(lab)

    def test_it_shows_that_the_ticket_was_not_passed_on(self, lab: Lab, allow: Callable[..., None]) -> None:
        allow(AuthServerAllowlist="*.lab.test")
        page = at_desk(lab, "alice", chromium(PAGE))
        assert "Your browser proved who you are but did not forward your ticket." in page
        assert kept(lab) == ""

    def test_it_shows_the_way_to_the_password_where_nothing_is_allowed(self, lab: Lab) -> None:
        page = at_desk(lab, "alice", chromium(PAGE))
        assert "Your browser sent no Kerberos ticket" in page
        assert "/hub/login?next=" in page
