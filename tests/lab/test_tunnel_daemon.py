"""Servers behind tunnels while the hub, the daemon that carries them or the way to their site is away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from faults.hub_files import without
from lab import Lab
from lab.daemons import TUNNELS_SOCKET
from lab.folders import HUB_PYTHON
from lab.person import Person
from lab.plan import HUB, HUB_USER
from tests.lab.faults import another_hub, broken, wait_for_hub
from tests.lab.look import jobs_of, logged_in, wait_for_server
from tests.lab.test_catalogue_edits import edited

AT_LUGANO = {"profile": "jupyterlab", "site": "lugano"}
STOP = "/home/jmeier/stop"
# Counts until it is told to stop, so that a gap would show.
COUNT = f"""
import os, time
number = 0
while not os.path.exists("{STOP}"):
    print(number, flush=True)
    number += 1
    time.sleep(0.1)
"""


@pytest.fixture(scope="class")
def judy(lab: Lab) -> Iterator[Person]:
    """Give judy with a notebook at lugano, the same to all tests of the class."""
    with logged_in(lab, "judy") as judy:
        judy.start(AT_LUGANO)
        yield judy
        judy.stop()
        lab.wait("no tunnel is left", lambda: carried(lab, "judy") == [])


def carried(lab: Lab, name: str) -> list[str]:
    """Return what the daemon says of somebody's tunnels, a line each; nothing while it does not answer."""
    command = [str(HUB_PYTHON.with_name("jupyterhub-sites")), "tunnels", "--socket", TUNNELS_SOCKET, "--list"]
    lines = lab.run(HUB.name, command, user=HUB_USER, check=False).stdout.splitlines()
    return [line for line in lines if line.split()[1] == name]


@contextmanager
def counting(lab: Lab, person: Person) -> Iterator[list[str]]:
    """Have a cell count for the length of a block; what it has printed is in the list afterwards."""
    printed: list[str] = []
    with person.kernel() as run:
        cell = threading.Thread(target=lambda: printed.append(run(COUNT)))
        cell.start()
        try:
            yield printed
        finally:
            lab.run("lugano-login", ["touch", STOP], user="jmeier")
            cell.join()
            lab.run("lugano-login", ["rm", STOP], user="jmeier")


@pytest.mark.xdist_group("a notebook at lugano behind the daemon")
class TestNotebook:
    def test_a_cell_counts_on_while_the_hub_is_killed_and_started_again(self, lab: Lab, judy: Person) -> None:
        before = carried(lab, "judy")
        assert len(before) == 1
        with counting(lab, judy) as printed:
            lab.fault("kill", "hub", "jupyterhub")
            lab.fault("start", "hub", "jupyterhub")
            wait_for_hub(lab)
            wait_for_server(lab, judy)
        numbers = [int(line) for line in printed[0].split()]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > 10
        assert carried(lab, "judy") == before
        assert judy.run("print(6 * 7)") == "42\n"

    def test_the_tunnel_comes_back_with_its_port_when_the_daemon_is_killed_and_started(
        self, lab: Lab, judy: Person
    ) -> None:
        before = carried(lab, "judy")
        lab.fault("kill", "hub", "tunnels")
        lab.fault("start", "hub", "tunnels")
        lab.wait("the tunnel is open", lambda: carried(lab, "judy") == before)
        assert judy.run("print(6 * 7)") == "42\n"

    def test_the_page_says_that_the_site_is_away_also_after_a_restart_of_the_hub_and_comes_back(
        self, lab: Lab, judy: Person
    ) -> None:
        def page() -> str:
            return judy.http.get("/user/judy/api/status", headers={"accept": "text/html"}).text

        (job,) = jobs_of(lab, "jmeier", "lugano")
        with broken(lab, ("cut", "lugano-login")):
            lab.fault("kill", "hub", "jupyterhub")
            lab.fault("start", "hub", "jupyterhub")
            wait_for_hub(lab)
            lab.wait("the page says so", lambda: "Lugano cannot be reached since" in page())
            wait_for_server(lab, judy)
        lab.wait("the server answers", lambda: judy.http.get("/user/judy/api/").status_code == 200)
        assert jobs_of(lab, "jmeier", "lugano") == [job]

    def test_a_server_works_on_though_its_site_is_taken_out_and_the_hub_started_again(
        self, lab: Lab, judy: Person
    ) -> None:
        before = carried(lab, "judy")
        with edited(lab, lambda text: without(text, "lugano")):
            another_hub(lab)
            assert judy.run("print(6 * 7)") == "42\n"
            wait_for_server(lab, judy)
        another_hub(lab)
        assert carried(lab, "judy") == before
        assert judy.run("print(6 * 7)") == "42\n"
