"""The page for a first hub, followed word for word on a bare machine; tests/support/bare.py says what is there."""

import json
import re
import shlex
from collections.abc import Sequence
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
    "hub.example.org": BARE.fqdn,
    "kdc.example.org": "kdc.lab.test",
    "EXAMPLE.ORG": "LAB.TEST",
}
"""What an admin writes for the names of the page."""

_HOSTS = {"hub": BARE.name, "login1": "geneva-login1", "login2": "geneva-login2"}
_PASSWORDS = {"alice": "alice-pw", bare.ADMIN: bare.ADMIN_PASSWORD}

_BROWSER = """
import json, sys
from lab.person import Person
code, choices = json.load(sys.stdin)
with Person("http://127.0.0.1:8000", "alice") as alice:
    alice.log_in()
    alice.start(choices)
    print(alice.run(code), end="")
    alice.stop()
"""


def _here(text: str) -> str:
    for name, ours in _NAMES.items():
        text = text.replace(name, ours)
    return text


@pytest.mark.long
@pytest.mark.xdist_group("a first hub")
def test_a_first_hub_is_set_up_as_the_page_says(lab: Lab, tmp_path: Path) -> None:
    page = steps(_here(_PAGE.read_text(encoding="utf-8")))
    assert len(page) > 30
    with bare.ready(lab, bare.our_wheel(tmp_path)):
        taken = [(step, _take(lab, step)) for step in page]
    _see_host_keys(taken)


def _take(lab: Lab, step: Step) -> str:
    match step:
        case Command():
            said = _type(lab, step)
        case File():
            bare.write(lab, BARE.name, step.path, step.text)
            return ""
        case Cell():
            said = _run_cell(lab, step)
    assert step.is_printed(said), f"{_PAGE.name}:{step.line}: {step}\nprinted:\n{said}"
    return said


def _type(lab: Lab, step: Command) -> str:
    """Type a command as root, and the passwords that it asks for; it has to end well."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in bare.ENVIRONMENT.items())
    program = f"exec 2>&1; cd /root; export {given}\n{step.text}"
    answers = "".join(f"{_PASSWORDS[who]}\n" for who in step.asked)
    done = lab.run(_HOSTS[step.host], ["bash", "-c", program], input=answers, check=False)
    assert done.returncode == 0, f"{_PAGE.name}:{step.line}: {step.text}\n{done.stdout}"
    # On a terminal the line ends when somebody has typed the password.
    return re.sub(r"^(Password for \S+:)", r"\1\n", done.stdout, flags=re.MULTILINE)


def _run_cell(lab: Lab, step: Cell) -> str:
    """Log in with a browser on the machine, start a notebook, run the cell and stop the server."""
    choices: dict[str, str] = {}
    program = ["env", f"PYTHONPATH={TREE}", str(HUB_PYTHON), "-B", "-c", _BROWSER]
    return lab.run(BARE.name, program, input=json.dumps([step.code, choices])).stdout


def _see_host_keys(taken: Sequence[tuple[Step, str]]) -> None:
    """See that the keys in the catalogue are those that the hosts print, as the page says."""
    noted, printed = _keys(taken, "grep"), _keys(taken, "ssh-keygen -l")
    assert len(noted) == 2
    assert noted == printed


def _keys(taken: Sequence[tuple[Step, str]], command: str) -> set[str]:
    typed = (said for step, said in taken if isinstance(step, Command) and step.text.startswith(command))
    return {word for said in typed for word in said.split() if word.startswith("SHA256:")}
