"""What the lab is: realm, sites, hosts and people. Everything else in this package is made from these tables."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Account:
    """What a site knows of a person."""

    login: str
    uid: int
    shell: str
    expired: bool
    projects: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """One person with accounts at every site and on the hub; the password is `<name>-pw`."""

    name: str
    uid: int
    note: str
    """What is special about this person, for people who read."""

    login_shell: str = "/bin/bash"
    shell_at: Mapping[str, str] = field(default_factory=dict)
    """The login shell at the sites where it is another."""

    login_at: Mapping[str, str] = field(default_factory=dict)
    """The login at the sites where it is not the name; Kerberos on their hosts knows."""

    no_account_at: tuple[str, ...] = ()
    expired_at: tuple[str, ...] = ()
    """Sites whose accounts of this person are past their date."""

    projects: tuple[str, ...] = ("proj3",)
    """What may be charged at sites with accounting, the default first."""

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

    def account_at(self, site: Site) -> Account | None:
        """Return the person's account at `site`, if there is one."""
        if site.name in self.no_account_at:
            return None
        return Account(
            login=self.login_at.get(site.name, self.name),
            uid=self.uid,
            shell=self.shell_at.get(site.name, self.login_shell),
            expired=site.name in self.expired_at,
            projects=tuple(project for project in self.projects if project in site.projects),
        )


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


INDIVIDUALS = (
    Person("alice", 20001, "all is well; staff at geneva, two projects at lugano", projects=("proj3", "proj12")),
    Person("bob", 20002, "no project at lugano", projects=()),
    Person("carol", 20003, "password expired", kdc_options="-pwexpire yesterday"),
    Person("dave", 20004, "principal locked", kdc_options="-allow_tix"),
    Person("erin", 20005, "accounts expired at both sites", expired_at=("geneva", "lugano")),
    Person("frank", 20006, "talkative tcsh; staff at lugano", login_shell="/bin/tcsh", noisy_shell=True),
    Person("grace", 20007, "home is full", full_home_kib=64),
    Person("heidi", 20009, "no account at lugano", no_account_at=("lugano",)),
    Person("ivan", 20010, "in no group that may use the partition staff"),
    Person("judy", 20011, "called jmeier at lugano", login_at={"lugano": "jmeier"}),
    Person("ruth", 20013, "administers the hub"),
    Person("nora", 20012, "may not log in at lugano", shell_at={"lugano": "/usr/sbin/nologin"}),
    Person("zoe", 20014, "never logs in to the hub"),
    Person("shorty", 20008, "tickets of two minutes", kdc_options='-maxlife "2 minutes"'),
)

HUNDRED = tuple(Person(f"p{number:02}", 20100 + number, "one of many") for number in range(1, 101))
"""A hundred people with nothing special about them, for benchmarks."""

CROWD = HUNDRED[:30]
"""Thirty of them, for tests."""

PEOPLE = (*INDIVIDUALS, *HUNDRED)

HUB_GROUPS = {"neuro": ("alice", "judy"), "teachers": ("bob",), "job-admins": ("ruth",)}
"""Groups of people on the host `hub`, which are groups of JupyterHub."""

MONITOR = Person(
    "jmonitor", 20050, "no person: geneva lets it ask Slurm what is free", no_account_at=("lugano", "zurich")
)
"""A service identity; it has no password, and its keytab is on the hub."""

RUN_AS = Person(
    "svcjobs",
    20051,
    "no person: jobs at lugano run as it for people who have no account there",
    no_account_at=("geneva", "zurich"),
    projects=("proj12",),
)
"""Another one, likewise."""


def accounts_at(site: Site) -> Iterator[tuple[Person, Account]]:
    """Yield everybody who has an account at `site`, with it, the service identities too."""
    for person in (*PEOPLE, MONITOR, RUN_AS):
        if account := person.account_at(site):
            yield person, account


SERVICE_PRINCIPALS = ("nfs/storage.lab.test", f"HTTP/{HUB.fqdn}")
"""Services that are no hosts: storage, which only exists in the KDC (a ticket for it proves that a user's ticket
works), and the hub's web page."""

HOSTS_WITH_KEYTAB = (HUB, *FRONT_ENDS)
"""Hosts whose `host/` principal the KDC knows; each has a keytab of its own."""
