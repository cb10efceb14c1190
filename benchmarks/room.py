"""Room in the lab for a crowd, and a way from the hub to every node: what a spawner without tunnels needs."""

from functools import partial

from lab import Lab
from lab.plan import HUB, SITES, Role, Site

CORES = 128
MEMORY_MIB = 64000
_CONFIG = "/etc/slurm/slurm.conf"
_IDLE_SECONDS = 60


def make(lab: Lab, cores: int = CORES) -> None:
    """Give every node so many cores and as much memory as that takes; return when Slurm knows.

    They stay for as long as the lab is up, as does the way to lugano's nodes.  Our hub uses its tunnels all the
    same.  There must be no jobs.
    """
    change = rf"s/CPUs=[0-9]+ RealMemory=[0-9]+/CPUs={cores} RealMemory={MEMORY_MIB}/"
    for site in SITES:
        for host in site.hosts:
            lab.run(host.name, ["sed", "-Ei", change, _CONFIG])
        _again(lab, site.controller.name, "slurmctld")
        for node in site.having(Role.NODE):
            _again(lab, node.name, "slurmd")
    for site in SITES:
        lab.wait(f"all nodes of {site.name} are idle", partial(_is_idle, lab, site, cores), _IDLE_SECONDS)
    lab.run(HUB.name, ["sh", "-c", "while ip rule delete priority 101 2>/dev/null; do :; done"])


def _again(lab: Lab, host: str, daemon: str) -> None:
    lab.fault("stop", host, daemon)
    lab.fault("start", host, daemon)


def _is_idle(lab: Lab, site: Site, cores: int) -> bool:
    sinfo = ["sinfo", "--noheader", "--partition=normal", "--states=idle", "--format=%D %c"]
    said = lab.run(site.controller.name, sinfo, check=False).stdout.split()
    return said == [str(len(site.having(Role.NODE))), str(cores)]
