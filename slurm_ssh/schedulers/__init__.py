"""Which scheduler a site has, and what sites are asked through it."""

from profiles.catalogue.site import Site
from slurm_ssh.pbs.adapter import Pbs
from slurm_ssh.scheduler import Scheduler
from slurm_ssh.slurm.adapter import Slurm

_KINDS: dict[str, Scheduler] = {"slurm": Slurm(), "pbs": Pbs()}


def of(site: Site) -> Scheduler:
    """Return the adapter of the scheduler of a site."""
    return _KINDS[site.scheduler.kind]
