"""`make demo`: bring everything up, do the main job in front of the reader, stay until Ctrl-C."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab import Lab
from lab.demo_jobs import NotDone, show_jobs
from lab.demo_portal import show_array, show_gateway, show_server
from lab.errors import LabError
from lab.people import CROWD, INDIVIDUALS
from lab.person import NotLetIn, NotStarted, Person

# Printed line by line below; the last word of each is what the kernel says.
CELL = """
import getpass, os, socket, subprocess
print("host     ", socket.gethostname())
print("user     ", getpass.getuser())
print("Slurm job", os.environ["SLURM_JOB_ID"])
listing = subprocess.run(["klist"], capture_output=True, text=True).stdout
print("ticket of", next(line.split(":")[1].strip() for line in listing.splitlines() if "principal" in line))
service = "nfs/storage.lab.test"
print("kvno     ", subprocess.run(["kvno", service], capture_output=True, text=True).stdout.strip())
"""

# The talk's: its numbers are made by two nodes besides the notebook's.
SPARK_CELL = """
from pyspark.sql import SparkSession
sc = SparkSession.builder.getOrCreate().sparkContext
def mod(x):
    import numpy as np
    return (x, int(np.mod(x, 2)))
print(sc.parallelize(range(1000)).map(mod).take(10))
"""


KERNEL_CELL = """
import os, sys, six
print("kernel   ", sys.prefix)
print("NEURON   ", os.environ["NEURON_VERSION"])
print("six      ", six.__version__)
"""


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show a step, and its seconds once it is done."""
    print(f"        {text} ...", flush=True)
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:5.1f} s {text}", flush=True)


def show(lab: Lab) -> None:
    """Log in as alice, start a notebook on each site and one with kernels, and run a cell in each."""
    with Person(lab.url, "alice") as alice:
        with step("alice logs in with a Kerberos password"):
            alice.log_in()
        show_notebook(alice, "geneva", server="")
        show_notebook(alice, "lugano", server="south")
        show_kernels(alice, "geneva", server="thalamus")
        show_spark(lab, alice)
        show_batch_jobs(lab, alice)


def show_batch_jobs(lab: Lab, alice: Person) -> None:
    """Send batch jobs as alice, who has logged in, one on a project that ruth opens for her, and one as heidi."""
    for name in ("ruth", "heidi"):
        with Person(lab.url, name) as person:
            person.log_in()
    for text, lines in (
        ("batch jobs: a zip to geneva, the same to lugano on proj3", show_jobs(lab.url)),
        (
            "the portal's command: a job type in XML, three images, a task of an array for each",
            show_array(lab.url),
        ),
        ("an interactive job type: a server that knows the chosen images", show_server(lab.url, alice)),
        ("the old path of Piz Daint: a zip of heidi's to a stand-in for UNICORE", show_gateway(lab.url)),
    ):
        with step(text):
            for line in lines:
                print(f"          {line}", flush=True)


def show_notebook(alice: Person, site: str, server: str) -> None:
    """Start one of alice's servers and run a cell in it; NotStarted if either goes wrong."""
    name = f"the server {server!r}" if server else "the notebook"
    with step(f"{name} starts on {site}"):
        for line in alice.start({"profile": "jupyterlab", "site": site}, server):
            print(f"          {line}", flush=True)
    with step("a cell runs in it"):
        printed = alice.run(CELL, server)
    print("\n".join(f"          {line}" for line in printed.splitlines()), flush=True)
    for expected in (f"{site}-n", "ticket of alice@LAB.TEST", "nfs/storage.lab.test@LAB.TEST: kvno"):
        if expected not in printed:
            raise NotStarted(f"the cell in {name} on {site} did not say {expected!r}")


def show_kernels(alice: Person, site: str, server: str) -> None:
    """Start the talk's profile with its modules and kernels, and run a cell in each kernel."""
    with step(f"the profile thalamus starts on {site}: two modules, two kernels made by scripts"):
        for line in alice.start({"profile": "thalamus", "site": site}, server):
            print(f"          {line}", flush=True)
    shown = alice.kernels(server)
    print(f"          JupyterLab shows {', '.join(sorted(shown.values()))}", flush=True)
    for kernel, six in (("thalamus_27", "1.16.0"), ("thalamus_34", "1.17.0")):
        with step(f"a cell runs in {shown[kernel]}"):
            printed = alice.run(KERNEL_CELL, server, kernel)
        print("\n".join(f"          {line}" for line in printed.splitlines()), flush=True)
        if f"six       {six}" not in printed or "NEURON    7.5" not in printed:
            raise NotStarted(f"the cell in {kernel} on {site} did not see its own package and module")


def show_spark(lab: Lab, alice: Person) -> None:
    """Start a notebook with a Spark cluster, a second job of alice's, and run a cell on it."""
    with step("the server 'spark' starts on lugano, with a Spark cluster"):
        for line in alice.start({"profile": "pyspark", "site": "lugano"}, "spark"):
            print(f"          {line}", flush=True)
    with step("a cell runs on the cluster, as soon as that is up"):
        printed = alice.run(SPARK_CELL, "spark")
    queue = lab.run("lugano-login", ["squeue", "--user=alice"]).stdout
    print("\n".join(f"          {line}" for line in (*printed.splitlines(), *queue.splitlines())), flush=True)
    if "[(0, 0), (1, 1), (2, 0)" not in printed:
        raise NotStarted("the cell on the Spark cluster did not say what it should")


def invite(lab: Lab) -> None:
    """Say where the hub is and who may log in."""
    print(f"\n{lab.url} is yours until Ctrl-C.  The password of each is <name>-pw:")
    for person in INDIVIDUALS:
        print(f"  {person.name:8} {person.note}")
    print(f"  {CROWD[0].name}...{CROWD[-1].name} people with nothing special about them")
    print("To look around on a host: .venv/bin/python -m lab exec geneva-n1 -- squeue", flush=True)


def main() -> int:
    """Return the exit code: 0 if the main job was done."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="end after the main job instead of waiting")
    parser.add_argument("--port", type=int, default=8000, help="port of the hub on 127.0.0.1")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("lab").setLevel(logging.INFO)
    # Also where it was started with Ctrl-C ignored, as a shell starts jobs in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Lab(port=options.port) as lab:
            show(lab)
            if not options.check:
                invite(lab)
                signal.pause()
    except KeyboardInterrupt:
        print("\nThe lab is gone.")
    except (LabError, NotLetIn, NotStarted, NotDone) as error:
        print(f"{error}\nRead the logs in the lab's state folder, .lab.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
