"""What can be counted from outside while hubs are at work: CPU, new processes, logins by ssh, what Slurm is asked.

All is read from /proc, logs and sdiag; no hub is asked anything.
"""

import contextlib
import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import psutil

from benchmarks.inside.hub_config import LATE_FILE
from lab import Lab
from lab.plan import FRONT_ENDS, HUB, SITES

_QUEUE_QUESTIONS = re.compile(r"REQUEST_JOB_(INFO|INFO_SINGLE|USER_INFO)")
_SUBMISSIONS = "REQUEST_SUBMIT_BATCH_JOB"
# Of daemons among themselves, and of sdiag.
_NOT_ASKED = re.compile(
    r"MESSAGE_|REQUEST_COMPLETE_|REQUEST_STEP_COMPLETE|ACCOUNTING_|REQUEST_(STATS_INFO|PING|PERSIST)"
)
_RPC = re.compile(r"^\s+(\w+)\s+\(\s*\d+\)\s+count:(\d+)", re.M)
_NOT_OF_THE_HUB = {"configurable-http-proxy", "relay", "jobs"}


@dataclass(frozen=True)
class Counts:
    """Counted up to a moment, or between two: seconds of CPU, and how often."""

    hub_cpu: float
    """Of the hub, what it started, masters of ssh, and our tunnels."""

    front_end_cpu: float
    new_processes: float
    """On front ends; counting adds two for each of them."""

    logins: float
    """Connections that an sshd took."""

    squeue: float
    sbatch: float
    rpcs: float
    """All that people and hubs ask of Slurm's controllers."""

    def since(self, before: Self, times: float = 1.0) -> "Counts":
        """Return what came since then, times a number."""
        names = (each.name for each in fields(self))
        return Counts(**{name: (getattr(self, name) - getattr(before, name)) * times for name in names})


def count(lab: Lab) -> Counts:
    """Count everything up to now."""
    rpcs = [_rpcs(lab, site.controller.name) for site in SITES]
    asked = [question for each in rpcs for question in each.items()]
    return Counts(
        hub_cpu=sum(map(_cpu, _of_the_hub(lab))),
        front_end_cpu=sum(_cpu(pid) for host in FRONT_ENDS for pid in processes(lab, host.name)),
        new_processes=sum(_last_pid(lab, host.name) for host in FRONT_ENDS),
        logins=sum(_logins(lab, host.name) for host in FRONT_ENDS),
        squeue=sum(number for name, number in asked if _QUEUE_QUESTIONS.fullmatch(name)),
        sbatch=sum(number for name, number in asked if name == _SUBMISSIONS),
        rpcs=sum(number for _, number in asked),
    )


def processes(lab: Lab, host: str) -> list[int]:
    """Return the machine pids of all processes of a host."""
    space = _space(next(each.pid for each in lab.status()[host] if each.pid))
    return [pid for pid in psutil.pids() if _space(pid) == space]


def connections(lab: Lab) -> int:
    """Return how many connections of the hub's host to an sshd are open."""
    return len(lab.run(HUB.name, ["ss", "-Htn", "state", "established", "dport", "=", ":22"]).stdout.splitlines())


def sshds(lab: Lab) -> int:
    """Return how many processes of sshd the front ends have."""
    return sum(_name(pid) == "sshd" for host in FRONT_ENDS for pid in processes(lab, host.name))


def memory(lab: Lab) -> int:
    """Return the bytes that the hub and what it started have for themselves."""
    return sum(map(_own_memory, _of_the_hub(lab)))


@dataclass(frozen=True)
class Late:
    """A turn of the hub's loop that came late: by how many seconds, and for how many of them the loop computed."""

    late: float
    computed: float


def late_turns(lab: Lab, since: float) -> list[Late]:
    """Return each late turn of the hub's loop since then (wall clock)."""
    lines = lab.run(HUB.name, ["sh", "-c", f"cat {LATE_FILE} 2>/dev/null"], check=False).stdout.splitlines()
    noted = (json.loads(line) for line in lines)
    return [Late(each["late"], each["computed"]) for each in noted if each["at"] >= since]


def asked_for(sdiag: str) -> dict[str, int]:
    """Return how often each kind of question was put to a controller, but for those of daemons.  Pure."""
    by_type = sdiag.partition("by message type")[2].partition("by user")[0]
    return {name: int(number) for name, number in _RPC.findall(by_type) if not _NOT_ASKED.match(name)}


def _of_the_hub(lab: Lab) -> list[int]:
    daemons = {each.name: each.pid for each in lab.status()[HUB.name]}
    first = psutil.Process(daemons["jupyterhub"]).ppid()
    others = {first, *(daemons[name] for name in _NOT_OF_THE_HUB)}
    return [pid for pid in processes(lab, HUB.name) if pid not in others]


def _cpu(pid: int) -> float:
    """Return the seconds that a process and its children that have ended computed; 0 if it is gone."""
    with contextlib.suppress(psutil.Error):
        return float(sum(psutil.Process(pid).cpu_times()[:4]))
    return 0.0


def _own_memory(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_full_info().uss)
    return 0


def _name(pid: int) -> str:
    with contextlib.suppress(psutil.Error):
        return str(psutil.Process(pid).name())
    return ""


def _space(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""


def _last_pid(lab: Lab, host: str) -> int:
    return int(lab.run(host, ["cat", "/proc/sys/kernel/ns_last_pid"]).stdout)


def _logins(lab: Lab, host: str) -> int:
    return lab.log(host, "sshd").read_text(errors="replace").count("Connection from ")


def _rpcs(lab: Lab, controller: str) -> dict[str, int]:
    return asked_for(lab.run(controller, ["sdiag"]).stdout)
