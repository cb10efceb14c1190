"""What tests look at in the lab: the queue, tickets, the hub's database; and people who are logged in."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import Lab
from lab.person import Person

FRONT_END = {"geneva": "geneva-login2", "lugano": "lugano-login", "zurich": "zurich-login"}


def logged_in(lab: Lab, name: str) -> Person:
    person = Person(lab.url, name)
    person.log_in()
    return person


def wait_for_server(lab: Lab, person: Person, server: str = "") -> None:
    """Return when a hub that was started again knows a server to run: it answers before it has looked at all."""
    known = f"the hub knows the server of {person.name}"
    lab.wait(known, lambda: bool(person.model()["servers"].get(server, {}).get("ready")))


def jobs_of(lab: Lab, owner: str, site: str = "geneva") -> list[str]:
    """Return `id state name` of the owner's jobs that Slurm lists."""
    return lab.run(FRONT_END[site], ["squeue", "-h", "-u", owner, "-o", "%i %T %j"]).stdout.splitlines()


def running(lab: Lab, owner: str, *program: str) -> list[str]:
    """Return the processes of the owner on geneva's nodes, those of one program if it is named."""
    nodes = ("geneva-n1", "geneva-n2")
    return [
        f"{node}: {pid}"
        for node in nodes
        for pid in lab.run(node, ["pgrep", "-u", owner, *program], check=False).stdout.split()
    ]


def delivered(lab: Lab, owner: str, site: str = "geneva") -> list[str]:
    """Return the paths of the tickets that lie in the owner's ticket folder."""
    return lab.run(
        FRONT_END[site], ["find", f"/scratch/{owner}", "-path", "*/tickets/*", "-type", "f"]
    ).stdout.splitlines()


def wait_for_tickets(lab: Lab, owner: str, site: str, expected: list[str]) -> None:
    """Return when no other tickets than those lie in the owner's folder: the hub removes one soon after a stop."""
    lab.wait(f"{owner} has the right tickets at {site}", lambda: delivered(lab, owner, site) == expected)


def delegated(lab: Lab, owner: str) -> str:
    """Return the paths of the tickets that geneva's front ends hold for the owner."""
    return "".join(lab.run(f"geneva-login{n}", ["find", "/tmp", "-user", owner]).stdout for n in (1, 2))


def stored_state(lab: Lab) -> str:
    """Return what the hub's database holds as the state of all servers."""
    read = "import sqlite3; base = sqlite3.connect('file:/var/lib/jupyterhub/jupyterhub.sqlite?mode=ro', uri=True)"
    show = "print(base.execute('select state from spawners').fetchall())"
    return lab.run("hub", ["/usr/bin/python3", "-c", f"{read}; {show}"]).stdout


@contextmanager
def closed(lab: Lab, site: str, partition: str) -> Iterator[None]:
    """Let jobs of a partition wait for the length of a block."""
    update = ["scontrol", "update", f"partition={partition}"]
    lab.run(f"{site}-ctl", [*update, "state=down"])
    try:
        yield
    finally:
        lab.run(f"{site}-ctl", [*update, "state=up"])


def tunnels(lab: Lab) -> list[int]:
    """Return the local ports of the hub's tunnels."""
    listed = lab.run("hub", ["ss", "-Hltn"]).stdout.splitlines()
    ports = [int(line.split()[3].rsplit(":", 1)[1]) for line in listed]
    return sorted(port for port in ports if 20000 <= port <= 24999)


def connections(lab: Lab, host: str) -> int:
    """Return how many SSH connections the hub has to a host."""
    address = lab.run("hub", ["getent", "hosts", host]).stdout.split()[0]
    return len(lab.run("hub", ["ss", "-Htn", "state", "established", "dst", f"{address}:22"]).stdout.splitlines())
