"""Two sites that differ: tunnels, projects, names, several servers at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from lab import Lab
from lab.demo import CELL
from lab.people import CROWD
from lab.person import NotStarted, Person
from tests.lab.faults import another_hub, broken, wait_for_hub
from tests.lab.look import connections, jobs_of, logged_in, tunnels, wait_for_server, wait_for_tickets

ON_LUGANO = {"profile": "jupyterlab", "site": "lugano"}
STUB_AT_LUGANO = {"profile": "stub", "site": "lugano"}


def answers(person: Person) -> bool:
    return person.api("GET", f"/user/{person.name}/api").status_code == 200


def host_of(person: Person, server: str = "") -> str:
    """Return the host on which a stub server of a person answers."""
    base = f"/user/{person.name}/{server}/".replace("//", "/")
    return str(person.api("GET", f"{base}api").raise_for_status().json()["host"])


@pytest.fixture(scope="class")
def notebook(lab: Lab) -> Iterator[Person]:
    """Give alice with a notebook at lugano, the same to all tests of the class."""
    with logged_in(lab, "alice") as alice:
        alice.start(ON_LUGANO)
        yield alice
        alice.stop()


@pytest.mark.xdist_group("a notebook at lugano")
class TestNotebook:
    def test_a_cell_runs_on_a_node_that_the_hub_cannot_reach(self, lab: Lab, notebook: Person) -> None:
        printed = notebook.run(CELL)
        assert "lugano-n" in printed
        assert "ticket of alice@LAB.TEST" in printed
        assert "nfs/storage.lab.test@LAB.TEST: kvno = 1" in printed
        (port,) = tunnels(lab)
        assert 20000 <= port <= 24999

    def test_a_large_answer_comes_whole(self, notebook: Person) -> None:
        notebook.run("open('large', 'wb').write(bytes(range(256)) * 200_000)")
        body = notebook.api("GET", "/user/alice/files/large").content
        notebook.run("import os; os.remove('large')")
        assert body == bytes(range(256)) * 200_000

    def test_nobody_passes_by_its_tunnel_without_a_token(self, lab: Lab, notebook: Person) -> None:
        (port,) = tunnels(lab)
        for token in ("", "?token=lab-service-token"):
            url = f"http://127.0.0.1:{port}/user/alice/api/contents{token}"
            ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url]
            assert lab.run("hub", ask).stdout == "403"
        assert notebook.api("GET", "/user/alice/api/contents").status_code == 200

    def test_the_tunnel_stays_while_the_hub_is_started_again(self, lab: Lab, notebook: Person) -> None:
        before = tunnels(lab)
        lab.fault("stop", "hub", "jupyterhub")
        assert tunnels(lab) == before
        lab.fault("start", "hub", "jupyterhub")
        wait_for_hub(lab)
        wait_for_server(lab, notebook)
        assert tunnels(lab) == before
        assert notebook.run("print(6 * 7)").strip() == "42"
        assert len(jobs_of(lab, "alice", "lugano")) == 1


class TestTunnels:
    def test_a_tunnel_outlives_its_connection_on_the_same_port(self, lab: Lab, alice: Person) -> None:
        alice.start(STUB_AT_LUGANO)
        before = tunnels(lab)
        with broken(lab, ("cut", "lugano-login")):
            lab.wait("the connection is seen to be dead", lambda: connections(lab, "lugano-login") == 0)
            assert tunnels(lab) == before
        lab.wait("the server answers again", lambda: answers(alice))
        assert tunnels(lab) == before

    def test_a_killed_hub_has_the_tunnel_again(self, lab: Lab, alice: Person) -> None:
        alice.start(STUB_AT_LUGANO)
        before = tunnels(lab)
        another_hub(lab)
        assert tunnels(lab) == before
        assert answers(alice)


class TestSeveralServers:
    @pytest.mark.long
    def test_one_person_on_both_sites_at_once_and_nothing_is_left(self, lab: Lab, alice: Person) -> None:
        alice.start({"profile": "stub", "site": "geneva"})
        alice.start(STUB_AT_LUGANO, "south")
        assert host_of(alice).startswith("geneva-n")
        assert host_of(alice, "south").startswith("lugano-n")
        alice.stop()
        assert host_of(alice, "south").startswith("lugano-n")
        alice.stop("south")
        for site in ("geneva", "lugano"):
            assert jobs_of(lab, "alice", site) == []
            wait_for_tickets(lab, "alice", site, [])
        assert tunnels(lab) == []
        for host in ("geneva-login1", "geneva-login2", "lugano-login"):
            lab.wait(f"no connection to {host} is left", lambda host=host: connections(lab, host) == 0)

    def test_the_limit_per_person_is_told(self, alice: Person) -> None:
        names = ("a", "b", "c", "d", "e", "f")
        try:
            answers = [
                alice.api("POST", f"/hub/api/users/alice/servers/{name}", json={"profile": "dies"})
                for name in names
            ]
        finally:
            for name in names:
                alice.remove(name)
        assert "already has the maximum of 5 named servers" in answers[-1].json()["message"]

    def test_the_limit_of_a_profile_is_told(self, alice: Person) -> None:
        alice.start({"profile": "single"})
        with pytest.raises(NotStarted) as caught:
            alice.start({"profile": "single"}, "south")
        assert "You already have 1 server of One at a time, the maximum for one person." in str(caught.value)
        alice.start({"profile": "stub"}, "south")

    def test_thirty_people_start_at_once(self, lab: Lab) -> None:
        with ExitStack() as stack:
            people = [stack.enter_context(logged_in(lab, person.name)) for person in CROWD]
            with ThreadPoolExecutor(len(people)) as threads:
                said = list(threads.map(lambda person: person.start(STUB_AT_LUGANO)[-1], people))
            assert len(said) == 30
            assert len(set(tunnels(lab))) == 30
            with ThreadPoolExecutor(len(people)) as threads:
                list(threads.map(lambda person: person.stop(), people))
        assert lab.run("lugano-login", ["squeue", "-h"]).stdout == ""
        assert tunnels(lab) == []


class TestWhoIsWho:
    def test_judy_has_another_name_at_lugano(self, lab: Lab) -> None:
        with logged_in(lab, "judy") as judy:
            judy.start(ON_LUGANO)
            printed = judy.run(CELL)
            judy.stop()
        assert "user      jmeier" in printed
        assert "ticket of judy@LAB.TEST" in printed

    def test_alices_projects_are_offered_and_charged(self, lab: Lab, alice: Person) -> None:
        page = alice.http.get("/hub/spawn").text
        assert "Only at Lugano." in page
        assert 'value="proj3"' in page
        assert 'value="proj12"' in page
        alice.start({**STUB_AT_LUGANO, "project": "proj12"})
        assert lab.run("lugano-login", ["squeue", "-h", "-u", "alice", "-o", "%a"]).stdout.strip() == "proj12"
