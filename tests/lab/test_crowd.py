"""Thirty people start at once while something of the site is away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from lab import Lab
from lab.people import CROWD
from lab.person import Person
from lab.quirks import maintenance
from tests.lab.faults import another_hub, broken

STUB = {"profile": "stub", "site": "geneva"}


@contextmanager
def _logged_in(lab: Lab) -> Iterator[list[Person]]:
    """Log everybody in.  The hub connects them then, where they have begun something: break a site before."""
    with ExitStack() as stack, ThreadPoolExecutor(len(CROWD)) as threads:
        people = [stack.enter_context(Person(lab.url, each.name)) for each in CROWD]
        list(threads.map(Person.log_in, people))
        try:
            yield people
        finally:
            list(threads.map(Person.stop, people))


def _start_together(lab: Lab) -> list[str]:
    """Log in and start a server for each at once, see all up, and return the lines of the hub's log since then."""
    log = lab.log("hub", "jupyterhub")
    before = len(log.read_text())
    with _logged_in(lab) as people, ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(lambda person: person.start(STUB), people))
    return log.read_text()[before:].splitlines()


def _let_in_by(front_end: str, lines: list[str]) -> set[str]:
    """Return the names of the people who got a connection to the front end."""
    return {line.split()[-1] for line in lines if f"connected to {front_end}" in line}


def test_a_crowd_gets_in_while_the_first_front_end_drops_every_packet(lab: Lab) -> None:
    another_hub(lab)
    with broken(lab, ("cut", "geneva-login1")):
        lines = _start_together(lab)
    assert _let_in_by("geneva-login2", lines) >= {person.name for person in CROWD}


def test_a_crowd_gets_in_while_the_first_front_end_is_closed(lab: Lab) -> None:
    another_hub(lab)
    with maintenance(lab, "geneva-login1", "Closed until Monday."):
        lines = _start_together(lab)
    assert _let_in_by("geneva-login2", lines) >= {person.name for person in CROWD}
    assert not [line for line in lines if "Closed until Monday." in line]
