"""Who connects to which site."""

from dataclasses import dataclass
from typing import Self

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
