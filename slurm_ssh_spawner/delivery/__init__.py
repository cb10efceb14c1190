"""How a ticket reaches a job: by the site's `ticket.delivery`."""

from profiles.schema import Site
from slurm_ssh_spawner.delivery.copying import CopyDelivery
from slurm_ssh_spawner.delivery.seam import Delivered, NoDelivery, Run, TicketDelivery

__all__ = ["CopyDelivery", "Delivered", "NoDelivery", "Run", "TicketDelivery", "of"]


def of(site: Site) -> TicketDelivery:
    """Return the delivery that the site's `ticket.delivery` names."""
    if site.ticket.delivery == "copy" and site.ticket_folder:
        return CopyDelivery(site.title, site.ticket_folder)
    return NoDelivery()
