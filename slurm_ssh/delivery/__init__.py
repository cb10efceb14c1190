"""How a ticket reaches a job: by the site's `ticket.delivery`."""

from profiles.catalogue.site import Site
from profiles.catalogue.ticket import Auks
from slurm_ssh.delivery import auks
from slurm_ssh.delivery.auks import AuksDelivery
from slurm_ssh.delivery.command import CommandDelivery
from slurm_ssh.delivery.copying import CopyDelivery
from slurm_ssh.delivery.protocol import Delivered, NoDelivery, Placing, Run, TicketDelivery

__all__ = [
    "AuksDelivery",
    "CommandDelivery",
    "CopyDelivery",
    "Delivered",
    "NoDelivery",
    "Placing",
    "Run",
    "TicketDelivery",
    "of",
    "without_ticket",
]


def of(site: Site) -> TicketDelivery:
    """Return the delivery that the site's `ticket.delivery` names."""
    if site.ticket.delivery == "copy" and site.ticket_folder:
        return CopyDelivery(site.title, site.ticket_folder)
    if site.ticket.delivery == "auks":
        return AuksDelivery(site.title, site.ticket.auks or Auks())
    if site.ticket.command:
        return CommandDelivery(site.title, site.ticket.command)
    return NoDelivery()


def without_ticket(site: Site) -> Delivered:
    """Return how sbatch is called for the site's jobs, where no ticket is brought anywhere."""
    return auks.SBATCH if site.ticket.delivery == "auks" else Delivered()
