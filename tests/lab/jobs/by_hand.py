"""What owners and admins do by hand where jobs are: in folders, in Slurm, to tickets; and people for a test."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kerberos_auth.ccache import parse
from lab import Lab
from lab.person import Person
from lab.plan import SITE_OF, Role
from tests.lab.faults import TICKETS, expiring
from tests.lab.jobs.sender import Sender, sender
from tests.lab.look import FRONT_END, logged_in

_SLURM_CONF = "/etc/slurm/slurm.conf"


@contextmanager
def someone(lab: Lab, name: str) -> Iterator[tuple[Person, Sender]]:
    """Give somebody who has just logged in: their browser, and what they send jobs with."""
    with logged_in(lab, name) as person, sender(lab, name) as theirs:
        yield person, theirs


@contextmanager
def no_ticket(lab: Lab, name: str) -> Iterator[None]:
    """Let somebody's ticket have ended, for the length of a block; it ends with a new login of theirs."""
    with expiring(lab, name) as expire:
        expire()
    try:
        yield
    finally:
        with logged_in(lab, name):
            pass


def has_ticket(lab: Lab, name: str) -> bool:
    """Return whether the hub keeps a ticket of somebody's."""
    return name in lab.run("hub", ["ls", TICKETS]).stdout.split()


def has_valid_ticket(lab: Lab, name: str) -> bool:
    """Return whether the hub keeps one that has not ended."""
    return not lab.run("hub", ["klist", "-s", "-c", f"FILE:{TICKETS}/{name}"], check=False).returncode


def end_of_ticket(lab: Lab, name: str) -> int:
    """Return the epoch second at which the ticket ends that the hub keeps."""
    return parse(base64.b64decode(lab.run("hub", ["base64", "-w0", f"{TICKETS}/{name}"]).stdout)).end


def touch(lab: Lab, job: dict[str, Any], name: str, login: str = "") -> None:
    """Make a file in the folder of a job, as its owner at a front end."""
    path = f"{job['folder']}/{name}"
    lab.run(FRONT_END[job["system"]], ["touch", path], user=login or job["owner"])


@contextmanager
def configured(lab: Lab, site: str, *lines: str) -> Iterator[None]:
    """Let these lines stand at the end of slurm.conf of a site's controller, for the length of a block."""
    host = f"{site}-ctl"
    before = lab.run(host, ["cat", _SLURM_CONF]).stdout

    def write(text: str) -> None:
        _write(lab, host, text)
        lab.run(host, ["scontrol", "reconfigure"])

    write("\n".join([before, *lines, ""]))
    try:
        yield
    finally:
        write(before)


@contextmanager
def small_disk(lab: Lab, owner: str, kib: int) -> Iterator[str]:
    """Let somebody's jobs lie on a disk of so many KiB, as lugano's front end has it, for the length of a block.

    Gives the folder. The nodes do not have it, so no job should be sent meanwhile.
    """
    folder, front_end = f"/scratch/{owner}/jobs", FRONT_END["lugano"]
    lab.run(front_end, ["mkdir", "-p", "-m", "700", folder], user=owner)
    uid = lab.run(front_end, ["id", "-u", owner]).stdout.strip()
    options = f"size={kib}k,mode=700,uid={uid},gid={uid}"
    lab.run(front_end, ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder])
    try:
        yield folder
    finally:
        # A program that has just ended may hold it for a moment.
        lab.run(front_end, ["umount", "--lazy", folder])


@contextmanager
def watched_memory(lab: Lab, site: str) -> Iterator[None]:
    """Let a site look every second whether jobs keep to their memory, for the length of a block.

    The lab has no cgroups of its own, so Slurm itself counts and kills.
    """
    nodes = [host.name for host in SITE_OF[f"{site}-ctl"].having(Role.NODE)]
    watched = ("jobacct_gather/linux", "JobAcctGatherParams=OverMemoryKill", "JobAcctGatherFrequency=task=1")
    kept = {host: lab.run(host, ["cat", _SLURM_CONF]).stdout for host in (f"{site}-ctl", *nodes)}
    try:
        for host, text in kept.items():
            _write(lab, host, text.replace("jobacct_gather/none", "\n".join(watched)))
        _start_slurm_again(lab, site, nodes)
        yield
    finally:
        for host, text in kept.items():
            _write(lab, host, text)
        _start_slurm_again(lab, site, nodes)


def _write(lab: Lab, host: str, text: str) -> None:
    lab.run(host, ["sh", "-c", f"cat >{_SLURM_CONF}"], input=text)


def _start_slurm_again(lab: Lab, site: str, nodes: list[str]) -> None:
    # The controller writes down what it knows; slurmd would wait for whoever asks it something.
    for verb, host, daemon in (
        ("stop", f"{site}-ctl", "slurmctld"),
        *(("kill", node, "slurmd") for node in nodes),
    ):
        lab.fault(verb, host, daemon)
        lab.fault("start", host, daemon)
    idle = ["sinfo", "-h", "-p", "normal", "-t", "idle", "-o", "%D"]

    def are_idle() -> bool:
        return lab.run(f"{site}-ctl", idle, check=False).stdout.strip() == f"{len(nodes)}"

    lab.wait(f"the nodes of {site} are idle", are_idle)
