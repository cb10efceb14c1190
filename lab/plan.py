"""What the lab is: realm, sites and hosts. With those of `people`, all else is made from these tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

REALM = "LAB.TEST"
DOMAIN = "lab.test"
NETWORK = "198.51.100"
"""The first three numbers of every address. Each lab has a network of its own, so all labs use the same one."""

TICKET_LIFETIME = "10h"
RENEWABLE_LIFETIME = "7d"

HUB_USER = "jupyterhub"
PROXY_USER = "hubproxy"
SERVICE_ACCOUNTS = {HUB_USER: 19001, PROXY_USER: 19002}
"""Accounts of the host `hub` that are no people, with their uid (and gid)."""

HUB_PORT = 8000
"""Where the proxy listens on the host `hub`; the lab's own URL leads there."""

HUB_API_PORT = 8081
"""Where jobs reach the hub itself, also from nodes that the hub cannot connect to."""

JOBS_PORT = 8082
"""Where the job service listens, on the host `hub` alone."""

UNICORE_PORT, NSG_PORT = 8443, 8444
"""Where the stand-ins for gateways listen, on the host `gateways`, with TLS."""

GATEWAYS_USER, GATEWAYS_UID = "gateways", 19003
"""The account of the host `gateways` as which its stand-ins, and what they are sent, run."""

ROBOT, ROBOT_PASSWORD = "robot", "robot-pw"
"""The account at both gateways by which the job service asks for everybody."""

NSG_APPLICATION, NSG_APPKEY = "labjobs", "LABJOBS-7F3A"
"""The umbrella application at NSG that belongs to the robot, and its key."""


class Role(Enum):
    """What a host is for; decides which daemons run on it and what its `/etc` says."""

    KDC = "kdc"
    HUB = "hub"
    CONTROLLER = "controller"
    FRONT_END = "front end"
    NODE = "node"
    GATEWAYS = "gateways"
    BARE = "bare"


@dataclass(frozen=True)
class Host:
    """One host: its short name, the last number of its address and what it is for."""

    name: str
    number: int
    role: Role
    memory_mib: int = 4000
    gpus: tuple[tuple[str, int], ...] = ()
    """Graphics processors of a node: how many of each type."""

    @property
    def fqdn(self) -> str:
        """The full name, as Kerberos and host keys know it."""
        return f"{self.name}.{DOMAIN}"

    @property
    def address(self) -> str:
        """The IPv4 address on the lab's network."""
        return f"{NETWORK}.{self.number}"


class ModuleSystem(Enum):
    """The program behind `module`; the value is the Debian package it comes from."""

    ENVIRONMENT_MODULES = "environment-modules"
    LMOD = "lmod"


@dataclass(frozen=True)
class Site:
    """One cluster: hosts that share homes, `/scratch` and a Slurm of their own."""

    name: str
    hosts: tuple[Host, ...]
    module_system: ModuleSystem
    staff: tuple[str, ...]
    """Logins in the Unix group `staff-<site>`, which alone may use the partition `staff`."""

    projects: tuple[str, ...] = ()
    """Accounts of slurmdbd, which Slurm then insists on; without any the site keeps no accounts at all."""

    hidden_nodes: bool = False
    """The hub cannot connect to the nodes, while the nodes reach the hub's API."""

    scavenge_advice: str = ""
    """What sbatch says about a job for the partition `scavenge` while it accepts it."""

    has_uv: bool = False
    """There is uv beside pip."""

    older_environment: bool = False
    """There is a second, older JupyterLab, as the module `jupyterlab/old`."""

    certificates: bool = False
    """Front ends know no Kerberos; they let people in by a certificate of an authority whose key the hub has."""

    closed_to: tuple[str, ...] = ()
    """Logins that no certificate opens, though they have an account."""

    def having(self, role: Role) -> tuple[Host, ...]:
        """The site's hosts of that role, in the order of the table."""
        return tuple(host for host in self.hosts if host.role is role)

    @property
    def controller(self) -> Host:
        """The host that runs slurmctld, and slurmdbd if the site has it."""
        return self.having(Role.CONTROLLER)[0]

    @property
    def staff_group(self) -> str:
        """The Unix group of those who may use the partition `staff`."""
        return f"staff-{self.name}"


KDC = Host("kdc", 2, Role.KDC)
HUB = Host("hub", 5, Role.HUB)
GATEWAYS = Host("gateways", 6, Role.GATEWAYS)
BARE = Host("bare", 7, Role.BARE)
"""A machine that knows people and nothing else yet, for whoever sets up a hub of their own."""

SITES = (
    Site(
        "geneva",
        (
            Host("geneva-ctl", 10, Role.CONTROLLER),
            Host("geneva-login1", 11, Role.FRONT_END),
            Host("geneva-login2", 12, Role.FRONT_END),
            Host("geneva-n1", 13, Role.NODE, gpus=(("a100", 2),)),
            Host("geneva-n2", 14, Role.NODE, memory_mib=8000),
        ),
        module_system=ModuleSystem.ENVIRONMENT_MODULES,
        staff=("alice",),
    ),
    Site(
        "lugano",
        (
            Host("lugano-ctl", 20, Role.CONTROLLER),
            Host("lugano-login", 21, Role.FRONT_END),
            Host("lugano-n1", 23, Role.NODE, gpus=(("a100", 1), ("v100", 1))),
            Host("lugano-n2", 24, Role.NODE),
        ),
        module_system=ModuleSystem.LMOD,
        staff=("frank",),
        projects=("proj3", "proj12"),
        hidden_nodes=True,
        scavenge_advice="Jobs in scavenge may be ended at any time. Save often.",
        has_uv=True,
        older_environment=True,
    ),
)

ZURICH = Site(
    "zurich",
    (
        Host("zurich-ctl", 30, Role.CONTROLLER),
        Host("zurich-login", 31, Role.FRONT_END),
        Host("zurich-n1", 32, Role.NODE),
    ),
    module_system=ModuleSystem.ENVIRONMENT_MODULES,
    staff=(),
    certificates=True,
    closed_to=("bob",),
)
"""A third site, which only those labs have that are asked for it."""

ALL_SITES = (*SITES, ZURICH)
_OF_NO_SITE = (KDC, HUB, GATEWAYS, BARE)
HOSTS = {host.name: host for host in (*_OF_NO_SITE, *(host for site in ALL_SITES for host in site.hosts))}
"""Every host that a lab may have; `hosts_of` says which a lab with certain sites has."""

SITE_OF = {host.name: site for site in ALL_SITES for host in site.hosts}
FRONT_ENDS = tuple(host for site in SITES for host in site.having(Role.FRONT_END))
ALL_FRONT_ENDS = (*FRONT_ENDS, *ZURICH.having(Role.FRONT_END))


def hosts_of(sites: Iterable[Site]) -> tuple[Host, ...]:
    """Return the hosts of a lab with those sites, in the order of the table."""
    names = {site.name for site in sites}
    return tuple(host for host in HOSTS.values() if host.name not in SITE_OF or SITE_OF[host.name].name in names)


SERVICE_PRINCIPALS = ("nfs/storage.lab.test", f"HTTP/{HUB.fqdn}")
"""Services that are no hosts: storage, which only exists in the KDC (a ticket for it proves that a user's ticket
works), and the hub's web page."""

HOSTS_WITH_KEYTAB = (HUB, *FRONT_ENDS)
"""Hosts whose `host/` principal the KDC knows; each has a keytab of its own."""
