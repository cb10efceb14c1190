"""SiteFacts: what a site's Slurm said, as far as one person is concerned.  A value; others collect it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Capacity:
    """What one node has, or has free: cores, memory in MiB, and GPUs by type ("" for no type)."""

    cores: int
    memory_mib: int
    gpus: tuple[tuple[str, int], ...] = ()

    def gpus_of(self, kind: str | None) -> int:
        """Return how many GPUs of a type there are, or of any type for None."""
        return sum(count for name, count in self.gpus if kind in (None, name))

    def holds(self, cores: int, memory_mib: int, gpus: int, gpu_type: str | None) -> bool:
        """Return whether one node's share of a job fits into it."""
        return self.cores >= cores and self.memory_mib >= memory_mib and self.gpus_of(gpu_type) >= gpus


@dataclass(frozen=True)
class Nodes:
    """`count` nodes of a partition that are alike: what each has, and what is free on it now.

    `free` is None while a node takes no jobs of just anybody: it is down, drained, reserved, or kept for a waiting
    job.
    """

    count: int
    whole: Capacity
    free: Capacity | None


@dataclass(frozen=True)
class Pause:
    """A reservation for maintenance that takes every node of a partition, by its name at the site."""

    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class PartitionFacts:
    """One partition; `time_max_minutes` None means no limit, `groups` None that everybody may use it.

    `pauses` are under way or to come, in any order.
    """

    is_up: bool
    is_default: bool
    time_max_minutes: int | None
    groups: tuple[str, ...] | None
    nodes: tuple[Nodes, ...]
    pauses: tuple[Pause, ...] = ()


def free_nodes(partition: PartitionFacts, cores: int, memory_mib: int, gpus: int, gpu_type: str | None) -> int:
    """Return how many nodes of a partition could start one node's share of a job now; 0 if it starts no jobs.

    A node of two partitions is counted in both: over several partitions take the largest number, not the sum.
    """
    if not partition.is_up:
        return 0
    able = (
        nodes for nodes in partition.nodes if nodes.free and nodes.free.holds(cores, memory_mib, gpus, gpu_type)
    )
    return sum(nodes.count for nodes in able)


def could_hold(partition: PartitionFacts, cores: int, memory_mib: int, gpus: int, gpu_type: str | None) -> bool:
    """Return whether any node of a partition, empty and repaired, could ever take one node's share of a job."""
    return any(nodes.whole.holds(cores, memory_mib, gpus, gpu_type) for nodes in partition.nodes)


@dataclass(frozen=True)
class Reservation:
    """One reservation of a site: who may use it, and when; `partition` None means any.

    `users` are logins at the site, `accounts` projects; a name with `-` before it is kept out, and an empty list
    keeps out nobody.
    """

    name: str
    partition: str | None
    users: tuple[str, ...]
    accounts: tuple[str, ...]
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Queue:
    """What waits for its turn: how many jobs in each partition, by its name, and before a job, by its number.

    Those before it have a higher priority in its partition; of others Slurm may start some sooner, where they fit
    into a gap.
    """

    waiting: Mapping[str, int]
    before: Mapping[str, int]


@dataclass(frozen=True)
class SiteFacts:
    """What is known of a site; None where nothing is known yet.

    `projects` are those that the person may charge there: as the site's monitor says, or, where it has none, as
    came through the person's own shell.  `partitions` and `reservations` are of `asked_at` (`is_stale`: so long
    ago that they may no longer hold); `unreachable_since` is set while the site does not answer.  `refused` is the
    sentence why the site did not let the person in last time, "" if it did, or was not asked.
    `queue` is as old as they are; only a monitor is asked for it.  An array may have `array_most` tasks.
    """

    projects: tuple[str, ...] | None = None
    partitions: Mapping[str, PartitionFacts] | None = None
    reservations: tuple[Reservation, ...] | None = None
    asked_at: datetime | None = None
    is_stale: bool = False
    unreachable_since: datetime | None = None
    refused: str = ""
    queue: Queue | None = None
    array_most: int | None = None


UNKNOWN = SiteFacts()

Facts = Mapping[str, SiteFacts]
"""Facts about each site, by the site's key, for one person; a site may be missing."""
