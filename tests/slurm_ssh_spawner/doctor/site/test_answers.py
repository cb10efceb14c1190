"""What the answers of a job mean that no job on this machine gives; and that a job may say anything."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kerberos_auth.outcome import Outcome, State
from profiles.offer.offer import Person
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.doctor.site import answers, node
from slurm_ssh_spawner.doctor.site.answers import Answers
from slurm_ssh_spawner.doctor.site.node import Times
from slurm_ssh_spawner.doctor.site.visit import Visit, ended
from tests.support import builders

_WORD = "doctor-0011"
_NOW = 1_772_000_000
_WELL = {
    ("F2", "node"): "n1",
    ("F3", "python"): "Python 3.11.2",
    ("F4", "loaded"): "jupyterlab",
    ("F5", "path"): "/opt/jupyter/bin/jupyterhub-singleuser",
    ("F5", "version"): "5.2.1",
    ("F6", "flags"): "FRIA",
    ("F6", "principal"): "alice@LAB.TEST",
    ("F7", "free"): "1000000",
    ("F8", "time"): str(_NOW),
    ("F9", "port"): "40001",
    ("G2", "status"): "HTTP/1.1 200 OK",
    ("G2", "hub"): "5.3.0",
    ("G4", "token"): "HTTP/1.1 404 Not Found",
}


def _visit(**changed: Any) -> Visit:
    catalogue = builders.catalogue()
    site, login = catalogue.sites["geneva"], Login("alice", "alice", "geneva")
    where = ".".join
    visit = Visit("geneva", site, catalogue, Person("alice"), login, where, "hub", ticket=builders.ticket("alice"))
    return replace(visit, **changed)


def _found(said: Mapping[tuple[str, str], str | None], visit: Visit | None = None) -> list[Outcome]:
    """Return what is wrong if a job says this and is well else; None takes an answer away."""
    whole = {key: text for key, text in {**_WELL, **said}.items() if text is not None}
    found = node.judged(visit or _visit(), "n1", Answers(whole), Times(_NOW - 20, _NOW + 5))
    return [each for each in found if each.state is not State.OK]


def test_a_job_that_is_well() -> None:
    assert _found({}) == []


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        (_NOW - 20 - 400, State.FAIL, "is 400 s behind the hub's"),
        (_NOW + 5 + 400, State.FAIL, "is 400 s ahead of the hub's"),
        (_NOW - 20 - 60, State.WARN, "is 60 s behind the hub's"),
    ],
)
def test_f8_a_clock_that_goes_wrong(told: int, state: State, words: str) -> None:
    [found] = _found({("F8", "time"): str(told)})
    assert (found.check, found.state) == ("F8", state)
    assert words in str(found.sentence)


def test_f8_a_clock_is_no_failure_where_jobs_have_no_ticket() -> None:
    visit = _visit()
    none = visit.site.ticket.model_copy(update={"delivery": "none"})
    visit = replace(visit, site=visit.site.model_copy(update={"ticket": none}))
    [found] = _found({("F8", "time"): str(_NOW + 4000)}, visit)
    assert found.state is State.WARN


def test_f9_no_port_can_be_opened() -> None:
    [found] = _found({("F9", "port"): None, ("F9", "failed"): "Too many open files"})
    assert (found.check, found.state) == ("F9", State.FAIL)
    assert str(found.sentence) == "No port can be opened on n1 (`Too many open files`)."


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({("F6", "principal"): "bob@LAB.TEST"}, "has the ticket of `bob@LAB.TEST`, not of alice@LAB.TEST"),
        ({("F6", "principal"): None, ("F6", "none"): ""}, "has no ticket, though ticket.delivery is copy"),
        ({("F6", "principal"): None, ("F6", "unread"): "FILE:/x"}, "no klist that would look at it"),
    ],
)
def test_f6_tickets(said: dict[tuple[str, str], str | None], words: str) -> None:
    [found] = _found(said)
    assert found.check == "F6"
    assert words in str(found.sentence)


def test_f7_a_home_that_is_nearly_full() -> None:
    [found] = _found({("F7", "free"): "51200"})
    assert (found.check, found.state) == ("F7", State.WARN)
    assert "has 50 MB left" in str(found.sentence)


def test_g2_an_answer_that_was_cut() -> None:
    found = _found({("G2", "hub"): None, ("G2", "http"): "timed out", ("G4", "token"): None})
    assert [(each.check, each.state) for each in found] == [("G2", State.FAIL), ("G4", State.SKIP)]


def test_what_a_job_says_is_cut_and_made_printable() -> None:
    lines = [
        f"{_WORD} F5 version \x1b[31m{'x' * 5000}",
        "doctor-2222 F5 path /evil",
        f"{_WORD} Z9 path /evil",
        _WORD,
    ]
    said = answers.parse("\n".join([*lines, f"{_WORD} F5 version later", f"{_WORD} F3 curl"]), _WORD)
    assert set(said.said) == {("F5", "version"), ("F3", "curl")}
    text = said.get("F5", "version") or ""
    assert text.isprintable()
    assert len(text) <= 300


def test_a_job_may_say_much_at_no_cost() -> None:
    def seconds(size: int) -> float:
        log = f"{_WORD} F5 version {'x ' * 10}\n" * size
        began = time.thread_time()
        answers.parse(log, _WORD)
        return time.thread_time() - began

    # It is read to a length, whatever it has.
    assert len(answers.parse("\n".join(f"{_WORD} F5 w{n} x" for n in range(10**5)), _WORD).said) < 3000
    assert seconds(10**5) < 10 * seconds(10**3) + 1


@pytest.mark.parametrize(("status", "number"), [("0", 0), ("111", 111), ("", 1), ("-1", 1), ("9" * 5000, 1)])
def test_a_status_may_be_any_text(status: str, number: int) -> None:
    assert ended(status, " said\n") == Completed(number, "", "said")
