"""An admin edits the catalogue while people work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import yaml

from lab import Lab
from lab.person import NotStarted, Person
from tests.lab.look import jobs_of, logged_in

_FILE = "/etc/jupyterhub/catalogue.yaml"


@contextmanager
def edited(lab: Lab, edit: Callable[[str], str]) -> Iterator[None]:
    """Let the hub's catalogue be what `edit` makes of it, for the length of a block."""
    before = lab.run("hub", ["cat", _FILE]).stdout
    _write(lab, edit(before))
    try:
        yield
    finally:
        _write(lab, before)


def _write(lab: Lab, text: str) -> None:
    # In place and in two steps, as a careless editor does; the hub may look at any moment.
    lab.run("hub", ["sh", "-c", f"cat > {_FILE}"], input=text)


def _renamed(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        tree["profiles"] = {new if key == old else key: each for key, each in tree["profiles"].items()}
        tree["profiles"][new]["name"] = "Under its new name"
        for each in tree["job_types"].values():
            if each.get("profile") == old:
                each["profile"] = new
        return yaml.safe_dump(tree, sort_keys=False)

    return edit


def _misspelt(text: str) -> str:
    return text.replace("description: Answers", "descriptoin: Answers")


def _home(person: Person) -> str:
    return person.http.get("/hub/home").text


def test_an_edit_shows_in_the_next_form_and_leaves_running_servers_alone(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub"})
    (job,) = jobs_of(lab, "alice")
    with edited(lab, _renamed("stub", "anew")):
        assert "Under its new name" in alice.http.get("/hub/spawn/alice/other").text
        with pytest.raises(NotStarted, match="Profile: stub is not offered"):
            alice.submit_form({"profile": "stub"}, server="other")
        alice.start({"profile": "anew"}, server="other")
        alice.remove("other")
        assert alice.model()["servers"][""]["ready"]
        assert job in jobs_of(lab, "alice")
        alice.stop()
    assert "Under its new name" not in alice.http.get("/hub/spawn").text


def test_a_bad_edit_leaves_what_was_and_tells_admins_alone(lab: Lab, alice: Person) -> None:
    with logged_in(lab, "ruth") as ruth, edited(lab, _misspelt):
        sentence = "The catalogue was changed and has a configuration error"
        lab.wait("ruth is told", lambda: sentence in _home(ruth))
        page = _home(ruth)
        line = lab.run("hub", ["grep", "-n", "descriptoin", _FILE]).stdout.split(":")[0]
        assert f"{_FILE}:{line}:" in page
        assert "jupyterhub-sites check" in page
        assert "The catalogue was changed" not in _home(alice)
        assert "Stub server" in alice.http.get("/hub/spawn").text
    assert lab.log("hub", "jupyterhub").read_text().count(f"configuration error: {_FILE}:{line}:") == 1
    with logged_in(lab, "ruth") as ruth:
        lab.wait("the banner is gone", lambda: "The catalogue was changed" not in _home(ruth))
