"""How each site stands for a hub now: how it answers, what goes on there, what has ended.  Pure."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from profiles.catalogue.maintenance import Maintenance
from profiles.catalogue.site import Site
from slurm_ssh.facts.snapshots import Health
from slurm_ssh.job import JobReport, LaunchId
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.history import Ended
from slurm_ssh_spawner.launch.records.stand import GOING_ON, At, at


@dataclass(frozen=True)
class Observed:
    """What is known, by site or by launch: answers, Slurm's reports, ends of a day, ends of monitors' tickets."""

    health: Mapping[str, Health] = field(default_factory=dict)
    reports: Mapping[LaunchId, JobReport] = field(default_factory=dict)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    monitors_end: Mapping[str, float | None] = field(default_factory=dict)
    connections: Mapping[str, int] = field(default_factory=dict)
    tunnels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteStanding:
    """One site.  `health` is None while nobody has asked it; `maintenance` is what is under way or comes next.

    `has_monitor`: its monitor's ticket ends at the epoch second `monitor_ends`, None if it has none.
    """

    key: str
    title: str
    health: Health | None
    going_on: Mapping[At, int]
    ended: Ended
    maintenance: Maintenance | None
    has_monitor: bool
    monitor_ends: float | None
    connections: int
    tunnels: int

    @property
    def monitor_minutes(self) -> int | None:
        """The minutes for which its monitor's ticket is still valid, None if it has none."""
        return None if self.monitor_ends is None else max(0, int(self.monitor_ends - time.time()) // 60)

    @property
    def is_up(self) -> bool | None:
        """Whether it answered last; None while nobody has asked it."""
        return self.health.away_since is None if self.health else None


def standings(
    sites: Mapping[str, Site], going_on: Sequence[LaunchRecord], observed: Observed
) -> tuple[SiteStanding, ...]:
    """Return how the sites of the catalogue stand, and others where launches go on, after them."""
    others = {record.site_key for record in going_on} - set(sites)
    return tuple(_standing(key, sites.get(key), going_on, observed) for key in (*sites, *sorted(others)))


def _standing(key: str, site: Site | None, going_on: Iterable[LaunchRecord], observed: Observed) -> SiteStanding:
    mine = (record for record in going_on if record.site_key == key)
    counts = Counter(at(record, observed.reports.get(record.launch_id)) for record in mine)
    return SiteStanding(
        key=key,
        title=site.title if site else key,
        health=observed.health.get(key),
        going_on={each: counts[each] for each in GOING_ON},
        ended=observed.ended.get(key, Ended()),
        maintenance=_next(site.maintenance) if site else None,
        has_monitor=site is not None and site.monitor is not None,
        monitor_ends=observed.monitors_end.get(key),
        connections=observed.connections.get(key, 0),
        tunnels=observed.tunnels.get(key, 0),
    )


def _next(announced: Iterable[Maintenance]) -> Maintenance | None:
    """Return the one that is under way, or begins first, None if all are over."""
    now = datetime.now(UTC)
    return min((each for each in announced if each.ends > now), key=lambda each: each.begins, default=None)
