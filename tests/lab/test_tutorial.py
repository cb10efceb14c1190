"""The page for a first hub, followed word for word on a bare machine; tests/support/bare.py says what is there."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.plan import BARE
from tests.support import bare
from tests.support.page_steps import Cell, Command, File, Step, steps

_PAGE = TREE / "docs/first-hub.md"

_NAMES = {
    "login1.geneva.example.org": "geneva-login1.lab.test",
    "login2.geneva.example.org": "geneva-login2.lab.test",
    "login1.zurich.example.org": "zurich-login.lab.test",
    "hub.example.org": BARE.fqdn,
    "kdc.example.org": "kdc.lab.test",
    "EXAMPLE.ORG": "LAB.TEST",
}
"""What an admin writes for the names of the page."""

_HOSTS = {"hub": BARE.name, "login1": "geneva-login1", "login2": "geneva-login2", "zurich": "zurich-login"}
_PASSWORDS = {"alice": "alice-pw", bare.ADMIN: bare.ADMIN_PASSWORD}

_SITES = ("geneva", "zurich")
"""Where the cells of the page are run, in order."""

_TERMINAL = ["/usr/bin/python3", "-B", str(TREE / "tests/support/typed.py")]

_BROWSER = """
import json, sys, time
from lab.person import Person
code, choices = json.load(sys.stdin)
with Person("http://127.0.0.1:8000", "alice") as alice:
    alice.log_in()
    # The hub sees a new catalogue within seconds.
    end = time.monotonic() + 300
    while choices["site"] not in alice.http.get("/hub/spawn").text and time.monotonic() < end:
        time.sleep(0.5)
    alice.start(choices)
    print(alice.run(code), end="")
    alice.stop()
"""


def _here(text: str) -> str:
    for name, ours in _NAMES.items():
        text = text.replace(name, ours)
    return text


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of its own, without a hub: the page makes one, and changes a login host."""
    with Lab(state=TREE / ".lab-test-first-hub", hub=False, zurich=True) as running:
        yield running


@pytest.mark.long
@pytest.mark.xdist_group("a first hub")
def test_a_first_hub_is_set_up_as_the_page_says(lab: Lab, tmp_path: Path) -> None:
    page = steps(_here(_PAGE.read_text(encoding="utf-8")))
    admin = Admin(lab)
    with bare.ready(lab, bare.our_wheel(tmp_path), _HOSTS["zurich"]):
        for step in page:
            admin.take(step)
    assert len(admin.said) > 40
    assert not admin.sites, "the page has a cell for each"
    _see_host_keys(list(zip(page, admin.said, strict=True)))


class Admin:
    """Whoever follows the page; `said` is what was printed at each step."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.sites = list(_SITES)
        self.said: list[str] = []

    def take(self, step: Step) -> None:
        """Take a step; what it prints has to be what the page says."""
        match step:
            case Command():
                said = _type(self._lab, step, self.said[-1] if step.text.startswith("cat >") else "")
            case File():
                bare.write(self._lab, BARE.name, step.path, step.text)
                said = ""
            case Cell():
                said = _run_cell(self._lab, step, self.sites.pop(0))
        self.said.append(said)
        is_right = isinstance(step, File) or step.is_printed(said)
        assert is_right, f"{_PAGE.name}:{step.line}: {step}\nprinted:\n{said}"


def _type(lab: Lab, step: Command, pasted: str) -> str:
    """Type a command as root, on a terminal if it asks for passwords, and paste something; it has to end well."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in bare.ENVIRONMENT.items())
    command = ["bash", "-c", f"exec 2>&1; umask 022; cd /root; export {given}\n{step.text}"]
    if step.asked:
        told = json.dumps([command, [(question, _PASSWORDS[who]) for question, who in step.asked]])
        code, said = json.loads(lab.run(_HOSTS[step.host], _TERMINAL, input=told).stdout)
    else:
        done = lab.run(_HOSTS[step.host], command, input=pasted, check=False)
        code, said = done.returncode, done.stdout
    assert code == 0, f"{_PAGE.name}:{step.line}: {step.text}\n{said}"
    return said


def _run_cell(lab: Lab, step: Cell, site: str) -> str:
    """Log in with a browser on the machine, start a notebook at a site, run the cell and stop the server."""
    program = ["env", f"PYTHONPATH={TREE}", str(HUB_PYTHON), "-B", "-c", _BROWSER]
    told = json.dumps([step.code, {"profile": "jupyterlab", "site": site}])
    return lab.run(BARE.name, program, input=told).stdout


def _see_host_keys(taken: Sequence[tuple[Step, str]]) -> None:
    """See that the keys in the catalogue are those that the hosts print, as the page says."""
    noted = _keys(taken, "grep") | _keys(taken, "jupyterhub-sites add-site")
    assert len(noted) >= 2
    assert noted == _keys(taken, "ssh-keygen -l")


def _keys(taken: Sequence[tuple[Step, str]], command: str) -> set[str]:
    typed = (said for step, said in taken if isinstance(step, Command) and step.text.startswith(command))
    return {word for said in typed for word in said.split() if word.startswith("SHA256:")}
