"""Tickets come to their end: what is told at every way of starting a server, and how renewals put it off."""

import base64
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest

from kerberos_auth.ccache import parse
from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.hosts import PATIENCE_SECONDS
from lab.person import NotStarted, Person
from lab.plain_http import NO_TLS
from lab.plan import HUB_USER
from tests.lab.faults import broken, changed, expiring
from tests.lab.look import logged_in

STUB = {"profile": "stub", "site": "geneva"}
EXPIRED = "Your Kerberos ticket has expired. Log in again."
ASKED = "Your Kerberos ticket has expired. Enter your password and press Start."
SERVICE = {"Authorization": "token lab-service-token"}


def end_of_ticket(lab: Lab, name: str) -> int:
    """Return the epoch at which the ticket that the hub has for a person ends."""
    shown = lab.run("hub", ["base64", "-w0", f"/run/jupyterhub/krb5/{name}"]).stdout
    return parse(base64.b64decode(shown)).end


def lives(lab: Lab, seconds: int) -> AbstractContextManager[None]:
    return changed(lab, "shorty", f'-maxlife "{seconds} seconds"', '-maxlife "2 minutes"')


@contextmanager
def running(lab: Lab, seconds: int) -> Iterator[Person]:
    """Give shorty with a running server and tickets of so many seconds."""
    with lives(lab, seconds), logged_in(lab, "shorty") as shorty:
        try:
            shorty.start(STUB)
            yield shorty
        finally:
            shorty.stop()


@pytest.fixture
def shorty(lab: Lab) -> Iterator[Person]:
    """Give shorty, logged in, with a ticket that has expired since."""
    with expiring(lab, "shorty") as expire, logged_in(lab, "shorty") as person:
        person.model()  # makes her token while she may
        expire()
        yield person


@pytest.mark.parametrize("server", ["", "two"])
def test_a_form_sent_too_late_asks_for_the_password_and_then_the_start_goes_on(
    lab: Lab, shorty: Person, server: str
) -> None:
    page = shorty.http.get(f"/hub/spawn/shorty/{server}".rstrip("/"))
    assert (page.status_code, ASKED in page.text) == (200, True)
    with pytest.raises(NotStarted, match=ASKED):
        shorty.submit_form(STUB, server)
    with pytest.raises(NotStarted, match="Invalid password"):
        shorty.submit_form({**STUB, "password": "wrong"}, server)
    assert shorty.model()["servers"] == {}
    try:
        shorty.start({**STUB, "password": "shorty-pw"}, server)
        assert shorty.model()["servers"][server]["user_options"] == STUB
    finally:
        if server:
            shorty.remove(server)
        else:
            shorty.stop()


@pytest.mark.parametrize("server", ["server", "servers/two"])
def test_a_program_of_hers_is_told_by_the_api(shorty: Person, server: str) -> None:
    for _ in range(2):
        answer = shorty.api("POST", f"/hub/api/users/shorty/{server}", json=STUB)
        assert (answer.status_code, answer.json()["message"]) == (403, EXPIRED)


@pytest.mark.parametrize("server", ["server", "servers/two"])
def test_whoever_starts_a_server_for_her_is_told_whose_ticket_is_missing(
    lab: Lab, shorty: Person, server: str
) -> None:
    answer = httpx.post(
        f"{lab.url}/hub/api/users/shorty/{server}", json=STUB, headers=SERVICE, timeout=PATIENCE_SECONDS
    )
    said = "shorty has no valid Kerberos ticket and must log in before a server can be started."
    assert (answer.status_code, answer.json()["message"]) == (403, said)


def test_somebody_who_never_logged_in_has_no_ticket_either(lab: Lab) -> None:
    zoe = f"{lab.url}/hub/api/users/zoe"
    with httpx.Client(verify=NO_TLS, headers=SERVICE, timeout=PATIENCE_SECONDS) as service:
        assert service.post(zoe).status_code == 201
        try:
            answer = service.post(f"{zoe}/server", json=STUB)
            assert answer.status_code == 403
            assert answer.json()["message"].startswith("zoe has no valid Kerberos ticket")
        finally:
            assert service.delete(zoe).status_code == 204


def test_a_running_server_keeps_its_persons_ticket_alive(lab: Lab) -> None:
    with running(lab, 20) as shorty:
        first = end_of_ticket(lab, "shorty")
        lab.wait("the first ticket is over", lambda: time.time() > first)
        assert end_of_ticket(lab, "shorty") > first
        cache = "FILE:/run/jupyterhub/krb5/shorty"
        lab.run("hub", ["klist", "-s", "-c", cache])
        assert shorty.http.get("/hub/home").url.path == "/hub/home"


def test_an_outage_of_the_kdc_keeps_the_old_ticket(lab: Lab) -> None:
    def kept() -> int:
        return lab.log("hub", "jupyterhub").read_text().count("The ticket of shorty was not renewed, the old one")

    with running(lab, 40) as shorty:
        before, first = kept(), end_of_ticket(lab, "shorty")
        with broken(lab, ("kill", "kdc", "krb5kdc")):
            lab.wait("a renewal has failed", lambda: kept() > before)
            assert end_of_ticket(lab, "shorty") >= first
            assert shorty.http.get("/hub/home").url.path == "/hub/home"
        now = end_of_ticket(lab, "shorty")
        lab.wait("the next try succeeded", lambda: end_of_ticket(lab, "shorty") > now)
        assert "" in shorty.model()["servers"]


def test_the_password_given_again_replaces_the_ticket_and_stops_nothing(lab: Lab) -> None:
    with running(lab, 40) as shorty:
        lab.run("kdc", ["kadmin.local", "-q", 'modprinc -maxlife "2 minutes" shorty'])
        fields = {"password": "shorty-pw", "_xsrf": shorty.xsrf()}
        page = shorty.http.post("/hub/ticket", params={"next": "/hub/token"}, data=fields)
        assert (page.url.path, page.status_code) == ("/hub/token", 200)
        assert end_of_ticket(lab, "shorty") > time.time() + 100
        assert "" in shorty.model()["servers"]


def test_logging_out_removes_the_ticket_unless_a_server_needs_it(lab: Lab) -> None:
    def has_ticket(name: str) -> bool:
        return name in lab.run("hub", ["ls", "/run/jupyterhub/krb5"]).stdout.split()

    with logged_in(lab, "p29") as p29:
        assert has_ticket("p29")
        p29.http.get("/hub/logout")
        assert not has_ticket("p29")
    with running(lab, 60) as shorty:
        shorty.model()
        shorty.http.get("/hub/logout")
        assert has_ticket("shorty")
        assert shorty.http.get("/hub/home").url.path == "/hub/login"


BESIDE = """
import sys
from pathlib import Path
from kerberos_auth.holds import Holds
from kerberos_auth.reader import TicketReader
reader = TicketReader(Path("/run/jupyterhub/krb5"))
Holds(reader.folder).put(sys.argv[1:])
for user in sys.argv[1:]:
    print(reader.get(user).principal, reader.stamp(user) is not None)
"""


def test_another_process_reads_tickets_beside_the_hub_and_holds_them_over_a_logout(lab: Lab) -> None:
    def hold(*names: str) -> str:
        return lab.run("hub", [str(HUB_PYTHON), "-c", BESIDE, *names], user=HUB_USER).stdout

    # The job service would write down whom it holds: nobody.
    with broken(lab, ("kill", "hub", "jobs")), logged_in(lab, "p29") as p29:
        try:
            assert hold("p29") == "p29@LAB.TEST True\n"
            p29.http.get("/hub/logout")
            assert p29.http.get("/hub/home").url.path == "/hub/login"
            assert hold("p29") == "p29@LAB.TEST True\n"
        finally:
            assert hold() == ""


def test_a_second_hub_on_the_same_store_refuses_to_start(lab: Lab) -> None:
    command = [str(HUB_PYTHON), "-m", "jupyterhub", "-f", str(TREE / "lab/jupyterhub_config.py")]
    second = lab.run("hub", command, user=HUB_USER, check=False)
    assert second.returncode == 1
    assert "The ticket folder /run/jupyterhub/krb5 cannot be used: another hub uses it." in second.stderr
    assert httpx.get(f"{lab.url}/hub/api/", timeout=PATIENCE_SECONDS).status_code == 200
