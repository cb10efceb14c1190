"""Launches with Spark in the lab, and what tests look at in them: the two jobs, their files and processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import Lab
from lab.person import Person
from tests.lab.look import FRONT_END, jobs_of, logged_in

ANSWER = "[(0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0), (7, 1), (8, 0), (9, 1)]"
"""What the cell of the talk prints."""

HOSTS = """
import socket, time
def where(x):
    time.sleep(0.1)
    return socket.getfqdn()
end = time.time() + 200
seen = set()
while len(seen) < 2 and time.time() < end:
    seen |= set(sc.parallelize(range(4), 4).map(where).collect())
print("hosts", *sorted(seen))
"""
"""A cell that prints the two hosts of a cluster, behind one that has made `sc`."""

NODES = {site: (f"{site}-n1", f"{site}-n2") for site in ("geneva", "lugano")}


@contextmanager
def nothing_left(lab: Lab) -> Iterator[None]:
    """Whatever is done in the block, no job and no process of it is left."""
    try:
        yield
    finally:
        for site, nodes in NODES.items():
            lab.wait(f"no job of alice is left at {site}", lambda site=site: jobs_of(lab, "alice", site) == [])
            for node in nodes:
                lab.wait(f"no Spark runs on {node}", lambda node=node: not spark_processes(lab, node))
                assert "spark" not in lab.run(node, ["find", "/tmp", "-user", "alice"]).stdout


@contextmanager
def clean(lab: Lab) -> Iterator[Person]:
    """Give alice, logged in; her server is stopped afterwards, and nothing of it is left."""
    with nothing_left(lab), logged_in(lab, "alice") as alice:
        try:
            yield alice
        finally:
            alice.stop()


def spark_processes(lab: Lab, node: str) -> list[str]:
    """Return `user command line` of alice's processes of Spark."""
    listed = lab.run(node, ["ps", "-eo", "user,args", "--no-headers"]).stdout.splitlines()
    return [line for line in listed if line.startswith("alice") and "spark" in line]


def names(lab: Lab, site: str = "geneva") -> list[str]:
    """Return `state name` of alice's jobs, sorted by name: the notebook, then its cluster."""
    return sorted((job.split(" ", 1)[1] for job in jobs_of(lab, "alice", site)), key=lambda job: job.split()[1])


def launch_id(lab: Lab) -> str:
    """Return the launch id of alice's notebook at geneva."""
    return names(lab)[0].rsplit("-", 1)[1]


def job_id(lab: Lab, prefix: str) -> str:
    """Return the id of alice's one job at geneva whose name begins so."""
    (found,) = [job.split()[0] for job in jobs_of(lab, "alice") if job.split()[2].startswith(prefix)]
    return found


def notebook_node(lab: Lab) -> str:
    """Return the name of the node where alice's notebook at geneva runs."""
    return lab.run("geneva-login1", ["squeue", "-h", "-j", job_id(lab, "jupyter"), "-o", "%B"]).stdout.strip()


def home(lab: Lab, path: str, site: str = "geneva") -> str:
    """Return the text of a file in alice's home, "" if there is none."""
    return lab.run(FRONT_END[site], ["sh", "-c", f"cat ~/{path} 2>/dev/null"], user="alice", check=False).stdout


def has_workers(lab: Lab, count: int) -> None:
    """Return when the cluster at geneva has all its workers, which are so many."""
    said = f"Spark: {count} of {count} workers"
    lab.wait(f"{count} workers are there", lambda: home(lab, ".spark/status").startswith(said))
