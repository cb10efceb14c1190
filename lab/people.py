"""Who there is in the lab, on the hub and at each site."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lab.plan import Site


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
