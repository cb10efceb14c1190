"""What the lab is: realm, sites, hosts and people. Everything else in this package is made from these tables."""

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


class Role(Enum):
    """What a host is for; decides which daemons run on it and what its `/etc` says."""

    KDC = "kdc"
    HUB = "hub"
    CONTROLLER = "controller"
    FRONT_END = "front end"
    NODE = "node"


@dataclass(frozen=True)
class Host:
    """One host: its short name, the last number of its address and what it is for."""

    name: str
    number: int
    role: Role
    gpus: int = 0

    @property
    def fqdn(self) -> str:
        """The full name, as Kerberos and host keys know it."""
        return f"{self.name}.{DOMAIN}"

    @property
    def address(self) -> str:
        """The IPv4 address on the lab's network."""
        return f"{NETWORK}.{self.number}"


@dataclass(frozen=True)
class Site:
    """One cluster: hosts that share homes, `/scratch` and a Slurm of their own."""

    name: str
    hosts: tuple[Host, ...]

    def having(self, role: Role) -> tuple[Host, ...]:
        """The site's hosts of that role, in the order of the table."""
        return tuple(host for host in self.hosts if host.role is role)

    @property
    def controller(self) -> Host:
        """The host that runs slurmctld."""
        return self.having(Role.CONTROLLER)[0]


@dataclass(frozen=True)
class Person:
    """One person with accounts at every site and on the hub; the password is `<name>-pw`."""

    name: str
    uid: int
    note: str = ""
    """What is special about this person, for people who read."""

    login_shell: str = "/bin/bash"
    kdc_options: str = ""
    """Options of kadmin's `addprinc`: what is special about the principal."""

    noisy_shell: bool = False
    """Login files print to both outputs and set SQUEUE_STATES."""

    full_home_kib: int = 0
    """When not 0, the home is a file system of this size without a free byte."""

    @property
    def password(self) -> str:
        """The password in the lab's realm."""
        return f"{self.name}-pw"


KDC = Host("kdc", 2, Role.KDC)
HUB = Host("hub", 5, Role.HUB)

SITES = (
    Site(
        "geneva",
        (
            Host("geneva-ctl", 10, Role.CONTROLLER),
            Host("geneva-login1", 11, Role.FRONT_END),
            Host("geneva-login2", 12, Role.FRONT_END),
            Host("geneva-n1", 13, Role.NODE, gpus=2),
            Host("geneva-n2", 14, Role.NODE),
        ),
    ),
    Site(
        "lugano",
        (
            Host("lugano-ctl", 20, Role.CONTROLLER),
            Host("lugano-login", 21, Role.FRONT_END),
            Host("lugano-n1", 23, Role.NODE, gpus=2),
            Host("lugano-n2", 24, Role.NODE),
        ),
    ),
)

HOSTS = {host.name: host for host in (KDC, HUB, *(host for site in SITES for host in site.hosts))}
SITE_OF = {host.name: site for site in SITES for host in site.hosts}
FRONT_ENDS = tuple(host for host in HOSTS.values() if host.role is Role.FRONT_END)

PEOPLE = (
    Person("alice", 20001),
    Person("bob", 20002),
    Person("carol", 20003, "password expired", kdc_options="-pwexpire yesterday"),
    Person("dave", 20004, "principal locked", kdc_options="-allow_tix"),
    Person("frank", 20006, "tcsh with talkative rc files", login_shell="/bin/tcsh", noisy_shell=True),
    Person("grace", 20007, "home is full", full_home_kib=64),
    Person("shorty", 20008, "tickets of two minutes", kdc_options='-maxlife "2 minutes"'),
)

SERVICE_PRINCIPALS = ("nfs/storage.lab.test", f"HTTP/{HUB.fqdn}")
"""Services that only exist in the KDC: a ticket for them proves that a user's ticket works."""

HOSTS_WITH_KEYTAB = (HUB, *FRONT_ENDS)
"""Hosts whose `host/` principal the KDC knows; each has a keytab of its own."""
