"""The straight path in the lab: form, job, notebook, stop; and the people for whom it is not straight."""

import re
from collections.abc import Iterator

import pytest

from lab import Lab
from lab.demo import CELL
from lab.person import NotStarted, Person
from tests.lab.browser import browser, log_in, pick
from tests.lab.faults import wait_for_hub
from tests.lab.look import closed, delivered, jobs_of, logged_in, stored_state, wait_for_server, wait_for_tickets

ON_GENEVA = {"profile": "jupyterlab", "site": "geneva"}


@pytest.fixture(scope="class")
def started(lab: Lab) -> Iterator[tuple[Person, list[str]]]:
    """Give alice with a notebook, the same to all tests of the class, and what she was told at its start."""
    with logged_in(lab, "alice") as alice:
        yield alice, alice.start(ON_GENEVA)
        alice.stop()
    assert jobs_of(lab, "alice") == []


@pytest.fixture
def notebook(started: tuple[Person, list[str]]) -> Person:
    return started[0]


@pytest.fixture
def said(started: tuple[Person, list[str]]) -> list[str]:
    return started[1]


@pytest.mark.xdist_group("a notebook at geneva")
class TestNotebook:
    def test_a_cell_runs_on_a_node_as_alice_with_her_ticket(
        self, lab: Lab, notebook: Person, said: list[str]
    ) -> None:
        printed = notebook.run(CELL)
        assert re.search(r"host\s+geneva-n[12]\.lab\.test", printed)
        assert re.search(r"user\s+alice", printed)
        assert "ticket of alice@LAB.TEST" in printed
        assert "nfs/storage.lab.test@LAB.TEST: kvno = 1" in printed
        (job,) = jobs_of(lab, "alice")
        assert f"accepted job {job.split()[0]}" in " ".join(said)
        assert re.fullmatch(r"\d+ RUNNING jupyter-hub-[0-9a-f]{12}", job)

    def test_nobody_can_read_the_token_from_a_script_a_command_line_or_a_log(
        self, lab: Lab, notebook: Person
    ) -> None:
        token = notebook.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
        assert len(token) > 20
        (job,) = jobs_of(lab, "alice")
        script = lab.run("geneva-ctl", ["scontrol", "write", "batch_script", job.split()[0], "-"]).stdout
        assert "JUPYTERHUB_API_URL" in script
        assert token not in script
        for host in ("geneva-n1", "geneva-n2", "geneva-login1"):
            assert token not in lab.run(host, ["ps", "-eo", "args"]).stdout
        assert token not in lab.log("hub", "jupyterhub").read_text()

    def test_a_user_file_is_not_made_private_by_us(self, notebook: Person) -> None:
        assert notebook.run("import os; old = os.umask(0); print(oct(old))").strip() == "0o22"

    def test_state_in_the_database_holds_no_secret(self, lab: Lab, notebook: Person) -> None:
        stored = stored_state(lab)
        token = notebook.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
        assert token not in stored
        assert '"job_id"' in stored
        assert "jupyter-hub-" in stored

    def test_nobody_else_reports_about_a_launch(self, lab: Lab, notebook: Person) -> None:
        (job,) = jobs_of(lab, "alice")
        path = f"/hub/api/launches/{job.rsplit('-', 1)[1]}"
        with logged_in(lab, "bob") as bob:
            assert bob.api("POST", path, json={"port": 5000}).status_code == 403
        assert notebook.api("POST", path, json={"port": 5000}).status_code == 403, "it is not the server's token"
        token = notebook.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
        own = {"Authorization": f"token {token}"}
        for body, status in (
            ({"port": 5000}, 204),
            ({"port": True}, 400),
            ({"port": 5000, "ip": "10.0.0.1"}, 400),
        ):
            assert notebook.http.post(path, json=body, headers=own).status_code == status
        unknown = "/hub/api/launches/000000000000"
        assert notebook.http.post(unknown, json={"port": 5000}, headers=own).status_code == 404
        assert notebook.run("print(6 * 7)").strip() == "42", "a late report changes nothing"

    def test_a_job_that_nobody_waits_for_ends_itself(self, lab: Lab, notebook: Person) -> None:
        (job,) = jobs_of(lab, "alice")
        script = lab.run("geneva-ctl", ["scontrol", "write", "batch_script", job.split()[0], "-"]).stdout
        assert "/launches/" in script
        stray = script.replace(job.rsplit("-", 1)[1], "0123456789ab")
        token = notebook.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
        command = f"export JUPYTERHUB_API_TOKEN={token}; sbatch --parsable --wait"
        lab.run("geneva-login1", ["sh", "-c", command], user="alice", input=stray, check=False)
        log = lab.run("geneva-login1", ["cat", "/scratch/alice/jupyter/0123456789ab.log"]).stdout
        assert log == "This job ends, because the hub does not know it: nobody waits for it.\n"

    def test_a_restarted_hub_keeps_a_running_notebook(self, lab: Lab, notebook: Person) -> None:
        before = jobs_of(lab, "alice")
        kernel = notebook.api("POST", "/user/alice/api/kernels", json={"name": "python3"}).json()["id"]
        lab.fault("stop", "hub", "jupyterhub")
        listed = notebook.api("GET", "/user/alice/api/kernels")
        assert [one["id"] for one in listed.json()] == [kernel], "the notebook answers while the hub is away"
        lab.fault("start", "hub", "jupyterhub")
        wait_for_hub(lab)
        wait_for_server(lab, notebook)
        assert jobs_of(lab, "alice") == before
        assert notebook.run("print(6 * 7)").strip() == "42"


@pytest.fixture(scope="class")
def frank(lab: Lab) -> Iterator[Person]:
    """Give frank with a notebook, the same to all tests of the class."""
    with logged_in(lab, "frank") as frank:
        frank.start(ON_GENEVA)
        yield frank
        frank.stop()
    assert jobs_of(lab, "frank") == []


@pytest.mark.xdist_group("a talkative shell")
class TestTalkativeShell:
    def test_frank_whose_shell_is_tcsh_and_talks_works_like_alice(self, frank: Person) -> None:
        assert "ticket of frank@LAB.TEST" in frank.run(CELL)

    def test_what_rc_files_set_does_not_reach_the_job(self, frank: Person) -> None:
        names = set(frank.run("import os; print(*os.environ)").split())
        assert {"HOME", "USER", "SHELL", "PATH", "SLURM_JOB_ID", "KRB5CCNAME"} <= names
        assert not {"SQUEUE_STATES", "LC_ALL", "TZ", "SLURM_TIME_FORMAT"} & names


def test_nothing_is_left_after_stop(lab: Lab, alice: Person) -> None:
    nodes = ("geneva-n1", "geneva-n2")
    # A job of another test that was killed may have left something.
    before = {node: lab.run(node, ["find", "/tmp", "-user", "alice"]).stdout for node in nodes}
    alice.start(ON_GENEVA)
    (ticket,) = delivered(lab, "alice")
    assert lab.run("geneva-n1", ["stat", "-c", "%a %U", ticket]).stdout == "600 alice\n"
    alice.stop()
    assert jobs_of(lab, "alice") == []
    wait_for_tickets(lab, "alice", "geneva", [])
    assert alice.model()["servers"] == {}
    assert {node: lab.run(node, ["find", "/tmp", "-user", "alice"]).stdout for node in nodes} == before


def test_grace_is_told_that_her_home_is_full(lab: Lab) -> None:
    with logged_in(lab, "grace") as grace, pytest.raises(NotStarted) as caught:
        grace.start(ON_GENEVA)
    assert "Your home directory at Geneva is full" in str(caught.value)
    assert jobs_of(lab, "grace") == []


def test_a_job_that_dies_at_once_shows_the_end_of_its_log(lab: Lab) -> None:
    # A hub that another test killed may have left something.
    before = delivered(lab, "bob")
    with logged_in(lab, "bob") as bob, pytest.raises(NotStarted) as caught:
        bob.start({"profile": "dies"})
    assert "ended before the notebook was up (FAILED)" in str(caught.value)
    assert "no licence for this program" in str(caught.value)
    wait_for_tickets(lab, "bob", "geneva", before)


def test_the_longest_time_is_the_partitions(lab: Lab) -> None:
    with logged_in(lab, "bob") as bob, pytest.raises(NotStarted) as caught:
        bob.start({"profile": "jupyterlab", "time": "9h"})
    assert "Time: 9h is not offered. Choose 1m to 8h." in str(caught.value)


def test_the_form_comes_back_with_what_was_typed(lab: Lab) -> None:
    with logged_in(lab, "bob") as bob:
        page = bob.http.post(
            "/hub/spawn", params={"_xsrf": bob.xsrf()}, data={"profile": "dies", "time": "9 weeks"}
        )
    assert page.status_code == 400
    assert 'value="9 weeks"' in page.text
    assert '<option value="dies" selected>' in page.text


def test_a_link_with_a_query_starts_nothing(lab: Lab) -> None:
    with logged_in(lab, "bob") as bob:
        page = bob.http.get("/hub/spawn", params={"profile": "jupyterlab"})
        assert "Filled in by a link you opened." in page.text
        assert bob.model()["servers"] == {}


@pytest.mark.parametrize("options", [{"site": "geneva", "extra": "x"}, {"profile": ["jupyterlab"]}, {"time": 60}])
def test_the_api_passes_the_same_gate(lab: Lab, options: dict[str, object]) -> None:
    with logged_in(lab, "bob") as bob:
        answer = bob.api("POST", "/hub/api/users/bob/server", json=options)
    assert answer.status_code == 400
    assert "choice" in answer.json()["message"]


def test_the_api_starts_with_no_options_at_all(lab: Lab, alice: Person) -> None:
    assert alice.api("POST", "/hub/api/users/alice/server", json={}).status_code in (201, 202)
    assert [event.ready for event in alice.progress()][-1]


class TestTheJobReportRoute:
    def test_a_service_or_nobody_has_no_launches(self, lab: Lab) -> None:
        path = "/hub/api/launches/000000000000"
        service = {"Authorization": "token lab-service-token"}
        with Person(lab.url, "nobody") as nobody:
            assert nobody.http.post(path, json={"port": 5000}, headers=service).status_code == 404
            assert nobody.http.post(path, json={"port": 5000}).status_code == 404

    def test_batchspawners_own_route_does_not_exist(self, alice: Person) -> None:
        answer = alice.api("POST", "/hub/api/batchspawner", json={"port": 1})
        assert answer.status_code == 404


def test_a_job_that_ends_behind_the_hubs_back_is_noticed(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub", "site": "geneva"})
    (job,) = jobs_of(lab, "alice")
    lab.run("geneva-login1", ["scancel", job.split()[0]])
    lab.wait("the hub has noticed", lambda: alice.model()["servers"] == {})


def test_the_stop_button_of_a_starting_named_server_stops_that_one(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub"})
    with closed(lab, "geneva", "normal"), browser(lab) as page:
        log_in(page, "alice")
        page.goto("/hub/spawn/alice/second")
        pick(page, "profile", "stub")
        page.click("[type=submit]")
        page.wait_for_selector("text=waits in the queue", state="attached")
        page.click("#cancel-start")
        lab.wait("only the first job is left", lambda: len(jobs_of(lab, "alice")) == 1)
    assert alice.model()["servers"][""]["ready"]
    alice.remove("second")
