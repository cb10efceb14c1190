"""Who connects to which site, and what has to be known of it for that."""

from dataclasses import dataclass
from typing import Protocol, Self

from profiles.catalogue.login import SiteLogin
from profiles.catalogue.site import FrontEnd
from slurm_ssh.job import Job


@dataclass(frozen=True)
class Login:
    """Who connects where: `user` is the hub's name, `owner` the login at the site."""

    user: str
    owner: str
    site_key: str

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the login of a job's owner at its site."""
        return cls(job.user, job.owner, job.site_key)


class Reachable(Protocol):
    """What is needed of a site to connect to it."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def front_ends(self) -> tuple[FrontEnd, ...]:
        """Its login hosts, in order of preference."""

    @property
    def login(self) -> SiteLogin:
        """How the hub proves there for whom it comes."""

    @property
    def forwards(self) -> bool:
        """Whether connections are carried on to nodes."""

    def is_login_of(self, name: str, login: str) -> bool:
        """Return whether a login there can be that of somebody on the hub: it is nobody else's."""
