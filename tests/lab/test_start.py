"""A hub that cannot start says why, and forgets no server that runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.person import Person
from lab.plan import HUB_USER
from tests.lab.look import jobs_of, wait_for_server

_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_RECORDS = "/var/lib/jupyterhub/launches.sqlite"


def _lines_of_the_page() -> str:
    """Return the lines of a configuration that the page says matter most."""
    lines: list[str] = re.findall(r"^ *(c\.\w+\.\w+ = .*)$", (TREE / "docs/hub.md").read_text(), re.MULTILINE)
    assert len(lines) == 6
    return "\n".join(lines)


def _start_another(lab: Lab) -> str:
    """Start a hub with the lines of the page and return what it says; it must end by itself."""
    program = f'cd "$(mktemp -d)" && cat >config.py && exec {HUB_PYTHON} -m jupyterhub -f config.py 2>&1'
    ended = lab.run("hub", ["sh", "-c", program], user=HUB_USER, input=_lines_of_the_page(), check=False)
    assert ended.returncode not in (0, None)
    return ended.stdout


def _condition(lab: Lab) -> str:
    return next(each.condition for each in lab.status()["hub"] if each.name == "jupyterhub")


@contextmanager
def _spoilt(lab: Lab, path: str, text: str) -> Iterator[None]:
    """Let a file of the hub hold something else for the length of a block."""
    lab.run("hub", ["cp", "-p", path, f"{path}.kept"])
    lab.run("hub", ["sh", "-c", f"cat >{path}"], input=text)
    try:
        yield
    finally:
        lab.run("hub", ["mv", f"{path}.kept", path])


def test_a_hub_that_cannot_start_says_why_and_finds_every_server_again(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub"})
    (job,) = jobs_of(lab, "alice")
    lab.fault("stop", "hub", "jupyterhub")
    try:
        with _spoilt(lab, _CATALOGUE, "sites: 1\nprofiles: {}\n"):
            said = _start_another(lab)
            assert f"{_CATALOGUE}:1:1: sites: is a number" in said
        with _spoilt(lab, _RECORDS, "Dear diary, this is no database at all. " * 200):
            said = _start_another(lab)
            assert f"{_RECORDS}, cannot be opened: file is not a database" in said
        assert "Traceback" not in said
    finally:
        lab.fault("start", "hub", "jupyterhub")
    lab.wait("the hub answers", lambda: alice.http.get("/hub/api/").status_code == 200)
    wait_for_server(lab, alice)
    assert jobs_of(lab, "alice") == [job]


def test_a_hub_whose_catalogue_is_wrong_ends_and_its_log_says_where(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub"})
    lab.fault("stop", "hub", "jupyterhub")
    with _spoilt(lab, _CATALOGUE, "profiles: {}\n"):
        lab.fault("start", "hub", "jupyterhub")
        lab.wait("the hub ends", lambda: _condition(lab).startswith("ended"))
        assert f"{_CATALOGUE}:1:1: profiles: is empty" in lab.log("hub", "jupyterhub").read_text()
    lab.fault("start", "hub", "jupyterhub")
    lab.wait("the hub answers", lambda: alice.http.get("/hub/api/").status_code == 200)
    wait_for_server(lab, alice)
