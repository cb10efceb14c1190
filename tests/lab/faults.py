"""Ways to break the lab for the length of a block; another hub, and people whom it has no connections of."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab import Lab, stand_ins
from lab.person import Person
from lab.plan import HUB, SITE_OF
from tests.lab.look import logged_in

TICKETS = "/run/jupyterhub/krb5"
"""Where the hub keeps people's tickets, a file for each."""


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
def broken_gateway(lab: Lab, kind: str, **broken: Any) -> Iterator[None]:
    """Have the stand-in for a gateway do wrong for the length of a block, see `lab.gateways.faults.Faults`."""
    _break_gateway(lab, kind, broken)
    try:
        yield
    finally:
        _break_gateway(lab, kind, {})


def _break_gateway(lab: Lab, kind: str, broken: dict[str, Any]) -> None:
    file = f"{stand_ins.folder(kind)}/faults.json"
    lab.run("gateways", ["sh", "-c", f"cat >{file}.new && mv {file}.new {file}"], input=json.dumps(broken))


def bring_back(lab: Lab, node: str) -> None:
    """Have Slurm use a node again that it has given up: by itself it looks for one after two minutes or more."""
    controller = SITE_OF[node].controller.name

    def is_idle() -> bool:
        state = lab.run(controller, ["sinfo", "-h", "-N", "-n", node, "-p", "normal", "-o", "%T"]).stdout.strip()
        # A first `resume` may come while Slurm still ends its job.  An asterisk: the node has not answered yet.
        if state.startswith(("down", "drain")):
            lab.run(controller, ["scontrol", "update", f"nodename={node}", "state=resume"], check=False)
        return state == "idle"

    lab.wait(f"{node} is idle", is_idle)


def another_hub(lab: Lab) -> None:
    """Put a new hub in the place of the one that runs: it knows nothing yet of any site or front end."""
    lab.fault("kill", "hub", "jupyterhub")
    lab.fault("start", "hub", "jupyterhub")
    wait_for_hub(lab)


def wait_for_hub(lab: Lab) -> None:
    """Return when the hub, which was started just now, answers."""
    with Person(lab.url, "nobody") as nobody:
        lab.wait("the hub answers", lambda: nobody.http.get("/hub/api/").status_code == 200)


@contextmanager
def newcomer(lab: Lab, name: str) -> Iterator[Person]:
    """Give a person for whom the hub uses no connection of before: their ticket is new.

    Break a site before: at a login the hub connects where the person began something.
    """
    with logged_in(lab, name) as person:
        yield person
        person.stop()


def let_its_time_be_up(lab: Lab, job: str, site: str = "geneva") -> None:
    """Have Slurm end a job that runs, by its number, as one whose time limit is up: within half a minute or so."""
    # Slurm takes no time that has passed when it reads it.
    lab.run(f"{site}-ctl", ["scontrol", "update", f"jobid={job}", "endtime=now+10"])


@contextmanager
def expiring(lab: Lab, name: str) -> Iterator[Callable[[], None]]:
    """Give what lets the ticket that the hub has of somebody be over at once, for the length of a block.

    A login for a ticket of seconds would be a race: the hub itself uses it during the login.
    """
    kept = f"/run/jupyterhub/expired-{name}"
    lab.run(HUB.name, ["kinit", "-f", "-l", "1s", "-c", kept, name], input=f"{name}-pw\n")
    is_valid = ["klist", "-s", "-c", f"FILE:{kept}"]
    lab.wait(f"a ticket of {name} is over", lambda: lab.run(HUB.name, is_valid, check=False).returncode != 0)

    def expire() -> None:
        # The file stays the same one, with its owner and mode.
        lab.run(HUB.name, ["cp", kept, f"{TICKETS}/{name}"])

    try:
        yield expire
    finally:
        lab.run(HUB.name, ["rm", kept])


@contextmanager
def changed(lab: Lab, name: str, option: str, back: str) -> Iterator[None]:
    """Change a principal in the lab's KDC for the length of a block."""
    lab.run("kdc", ["kadmin.local", "-q", f"modprinc {option} {name}"])
    try:
        yield
    finally:
        lab.run("kdc", ["kadmin.local", "-q", f"modprinc {back} {name}"])
