"""What tests look at in the lab: the queue, tickets, the hub's database; and people who are logged in."""

from lab import Lab
from lab.person import Person

FRONT_END = {"geneva": "geneva-login2"}


def logged_in(lab: Lab, name: str) -> Person:
    person = Person(lab.url, name)
    person.log_in()
    return person


def jobs_of(lab: Lab, owner: str, site: str = "geneva") -> list[str]:
    """Return `id state name` of the owner's jobs that Slurm lists."""
    return lab.run(FRONT_END[site], ["squeue", "-h", "-u", owner, "-o", "%i %T %j"]).stdout.splitlines()


def delivered(lab: Lab, owner: str, site: str = "geneva") -> list[str]:
    """Return the paths of the tickets that lie in the owner's ticket folder."""
    return lab.run(FRONT_END[site], ["find", f"/scratch/{owner}/tickets", "-type", "f"]).stdout.splitlines()


def delegated(lab: Lab, owner: str) -> str:
    """Return the paths of the tickets that geneva's front ends hold for the owner."""
    return "".join(lab.run(f"geneva-login{n}", ["find", "/tmp", "-user", owner]).stdout for n in (1, 2))


def stored_state(lab: Lab) -> str:
    """Return what the hub's database holds as the state of all servers."""
    read = "import sqlite3; base = sqlite3.connect('file:/var/lib/jupyterhub/jupyterhub.sqlite?mode=ro', uri=True)"
    show = "print(base.execute('select state from spawners').fetchall())"
    return lab.run("hub", ["/usr/bin/python3", "-c", f"{read}; {show}"]).stdout
