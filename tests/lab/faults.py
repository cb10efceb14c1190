"""Ways to break the lab for the length of a block, and people whom the hub does not know yet."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import Lab
from lab.person import Person


@contextmanager
def broken(lab: Lab, *faults: tuple[str, ...]) -> Iterator[None]:
    """Break things for the length of a block."""
    mend = {"kill": "start", "freeze": "thaw", "cut": "join"}
    for verb, *where in faults:
        lab.fault(verb, *where)
    try:
        yield
    finally:
        for verb, *where in faults:
            lab.fault(mend[verb], *where)


@contextmanager
def newcomer(lab: Lab, name: str) -> Iterator[Person]:
    """Give a person for whom the hub has no connection open."""
    lab.fault("kill", "hub", "jupyterhub")
    lab.fault("start", "hub", "jupyterhub")
    with Person(lab.url, name) as person:
        lab.wait("the hub answers", lambda: person.http.get("/hub/api/").status_code == 200, 60)
        person.log_in()
        yield person
        person.stop()


@contextmanager
def changed(lab: Lab, name: str, option: str, back: str) -> Iterator[None]:
    """Change a principal in the lab's KDC for the length of a block."""
    lab.run("kdc", ["kadmin.local", "-q", f"modprinc {option} {name}"])
    try:
        yield
    finally:
        lab.run("kdc", ["kadmin.local", "-q", f"modprinc {back} {name}"])
