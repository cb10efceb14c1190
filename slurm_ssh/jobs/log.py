"""What a job leaves in its owner's job folder: commands that read or remove it, and its text for people."""

import re

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from slurm_ssh.jobs.folders import launch_folder, log_path

LINES = 15
_BYTES = 8000
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def tail(site: Site, owner: str, launch_id: str) -> Shell:
    """Return the command that prints the last lines of a job's log, never more than some kilobytes."""
    path = quote(log_path(site, owner, launch_id))
    return Shell(f"tail -c {_BYTES} -- {path} | tail -n {LINES}")


def readable(text: str) -> str:
    """Return a log without colours, other control characters, and what progress bars wrote over."""
    plain = _COLOURS.sub("", text[-_BYTES:].replace("\r\n", "\n"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))
    return "\n".join("".join(c for c in line if c.isprintable() or c == "\t") for line in lines).strip("\n")


def remove_folder(site: Site, owner: str, launch_id: str) -> Shell:
    """Return the command that removes a launch's folder, for a job that could not do it at its end."""
    return Shell(f"rm -rf -- {quote(launch_folder(site, owner, launch_id))}")
