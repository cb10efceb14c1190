"""A notebook outlives its first ticket: renewed tickets reach running jobs, and stops wait for a ticket."""

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.faults import changed
from tests.lab.look import jobs_of, logged_in, wait_for_server, wait_for_tickets

END = """
import subprocess, time
listing = subprocess.run(["klist"], capture_output=True, text=True)
line = next(line for line in listing.stdout.splitlines() if "krbtgt/" in line)
print(" ".join(line.split()[2:4]))
"""
USE = """
import subprocess
print(subprocess.run(["kvno", "nfs/storage.lab.test"], capture_output=True, text=True))
"""


@pytest.mark.long
def test_notebooks_outlive_their_first_ticket(lab: Lab) -> None:
    """At both sites at once: the ticket is one, and lives for minutes."""
    sites = {"": "geneva", "south": "lugano"}
    with changed(lab, "frank", '-maxlife "2 minutes"', '-maxlife "10 hours"'), logged_in(lab, "frank") as frank:
        for server, site in sites.items():
            frank.start({"profile": "jupyterlab", "site": site}, server)
        with frank.kernel() as here, frank.kernel("south") as there:
            firsts = {run: run(END) for run in (here, there)}
            for run, first in firsts.items():
                lab.wait("a later ticket is in the job", lambda run=run, first=first: run(END) > first)  # type: ignore[misc]
            last = max(firsts.values())
            lab.wait("the first ticket is over", lambda: lab.run("hub", ["date", "+%D %T"]).stdout > last)
            for run in firsts:
                assert "nfs/storage.lab.test@LAB.TEST: kvno = 1" in run(USE)
        frank.stop()
        frank.remove("south")
    for site in sites.values():
        wait_for_tickets(lab, "frank", site, [])
        assert jobs_of(lab, "frank", site) == []


def test_after_a_reboot_of_the_hubs_host_notebooks_go_on_and_wait_for_their_people(
    lab: Lab, alice: Person
) -> None:
    alice.start({"profile": "jupyterlab", "site": "lugano"})
    before = jobs_of(lab, "alice", "lugano")
    for daemon in ("jupyterhub", "tunnels"):
        lab.fault("stop", "hub", daemon)
    lab.run("hub", ["rm", "-r", "/run/jupyterhub/krb5"])
    for daemon in ("tunnels", "jupyterhub"):
        lab.fault("start", "hub", daemon)
    lab.wait("the hub answers again", lambda: alice.http.get("/hub/api/").status_code == 200)
    page = alice.api("GET", "/user/alice/lab")
    assert "You have no Kerberos ticket here. Log in again." in page.text
    assert "Your notebook keeps running" in page.text
    assert jobs_of(lab, "alice", "lugano") == before
    with logged_in(lab, "alice"):
        assert alice.run("print(6 * 7)").strip() == "42"
    assert jobs_of(lab, "alice", "lugano") == before


def test_a_stop_without_a_ticket_waits_for_the_login(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub", "site": "lugano"})
    lab.fault("stop", "hub", "jupyterhub")
    lab.run("hub", ["rm", "-r", "/run/jupyterhub/krb5"])
    lab.fault("start", "hub", "jupyterhub")
    lab.wait("the hub answers again", lambda: alice.http.get("/hub/api/").status_code == 200)
    wait_for_server(lab, alice)
    alice.stop()
    assert len(jobs_of(lab, "alice", "lugano")) == 1
    assert "/hub/login" in str(alice.http.get("/hub/home").url), "she is asked to log in"
    with logged_in(lab, "alice"):
        lab.wait("the job is gone", lambda: jobs_of(lab, "alice", "lugano") == [])
