"""The clusters that a person is offered, as a page shows them: state, what is free, what is theirs.  Pure."""

from dataclasses import dataclass
from datetime import datetime

from profiles.catalogue.maintenance import Maintenance
from profiles.facts import Nodes, PartitionFacts, SiteFacts
from profiles.offer.offer import Offer


@dataclass(frozen=True)
class ClusterView:
    """One cluster.  `asked_at` is when Slurm said what is free, None if nothing is known; `projects` are theirs.

    `cores` of `cores_in_all` are free in its largest partition; `gpus` are pairs of a type and how many are free.
    """

    title: str
    login: str
    projects: tuple[str, ...]
    maintenance: Maintenance | None
    announced: Maintenance | None
    unreachable_since: datetime | None
    asked_at: datetime | None
    cores: int = 0
    cores_in_all: int = 0
    gpus: tuple[tuple[str, int], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something may be started there now, as far as is known."""
        return self.maintenance is None and self.unreachable_since is None


def clusters(offer: Offer) -> tuple[ClusterView, ...]:
    """Return the clusters where the person may start something, in the catalogue's order."""
    shown = (site for site in offer.menu.sites if any(site in offer.sites(key) for key in offer.menu.entries))
    return tuple(_cluster(offer, site) for site in shown)


def _cluster(offer: Offer, site: str) -> ClusterView:
    facts = offer.facts_of(site)
    used = _partitions(offer, site, facts)
    largest = max(used, key=_cores, default=None)
    return ClusterView(
        title=offer.menu.sites[site].title,
        login=offer.owner(site),
        projects=offer.projects(site) or (),
        maintenance=offer.maintenance(site),
        announced=offer.announced(site),
        unreachable_since=facts.unreachable_since,
        asked_at=facts.asked_at if facts.partitions is not None else None,
        cores=sum(nodes.count * nodes.free.cores for nodes in _taking(largest) if nodes.free),
        cores_in_all=_cores(largest) if largest else 0,
        gpus=_gpus(used),
    )


def _partitions(offer: Offer, site: str, facts: SiteFacts) -> tuple[PartitionFacts, ...]:
    offered = offer.menu.sites[site].partitions
    known = facts.partitions or {}
    return tuple(each for name, each in known.items() if not offered or name in offered)


def _cores(partition: PartitionFacts) -> int:
    return sum(nodes.count * nodes.whole.cores for nodes in partition.nodes)


def _taking(partition: PartitionFacts | None) -> tuple[Nodes, ...]:
    """Return the nodes that start jobs now."""
    return partition.nodes if partition and partition.is_up else ()


def _gpus(partitions: tuple[PartitionFacts, ...]) -> tuple[tuple[str, int], ...]:
    """Return how many GPUs of each type are free: a node of two partitions counts once, in the larger one."""
    found: dict[str, int] = {}
    for partition in partitions:
        free: dict[str, int] = {kind: 0 for nodes in partition.nodes for kind, _ in nodes.whole.gpus}
        for nodes in _taking(partition):
            for kind, count in nodes.free.gpus if nodes.free else ():
                free[kind] = free.get(kind, 0) + nodes.count * count
        found |= {kind: max(count, found.get(kind, 0)) for kind, count in free.items()}
    return tuple(sorted(found.items()))
