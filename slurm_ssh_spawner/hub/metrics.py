"""What Prometheus is told on JupyterHub's own page of metrics: how sites, launches and tickets stand."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jupyterhub.handlers.metrics import MetricsHandler
from jupyterhub.utils import metrics_authentication
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from kerberos_auth.renewal import Counts
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.hub.standing import standing
from slurm_ssh_spawner.launch.records import DatabaseAway
from slurm_ssh_spawner.launch.standing import SiteStanding

_PREFIX = "jupyterhub_sites_"


@dataclass(frozen=True)
class SitesMetrics:
    """What one hub knows; a collector.  `sites` is None if the launches cannot be looked at."""

    hub: Hub
    sites: tuple[SiteStanding, ...] | None
    tickets: Counts | None

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""
        yield from self.hub.launcher.tally.collect()
        if self.sites is not None:
            yield from _of_sites(self.sites)
        yield _one("database_up", "1 while the database of launches can be used.", self.sites is not None)
        usable = self.hub.catalogue.problem is None
        yield _one("catalogue_usable", "1 while the files of the catalogue can be used as they are now.", usable)
        if self.tickets:
            yield from _of_tickets(self.tickets)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, text, value=value)


def _of_sites(sites: tuple[SiteStanding, ...]) -> Iterable[Metric]:
    def gauge(name: str, text: str, value: Callable[[SiteStanding], float | None]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(_PREFIX + name, text, labels=("site",))
        for site in sites:
            if (found := value(site)) is not None:
                family.add_metric((site.key,), found)
        return family

    yield gauge("site_up", "1 if the site's Slurm answered when it was asked last.", lambda site: site.is_up)
    yield gauge(
        "site_answer_seconds",
        "Seconds that the site's Slurm took to say what is free, a new connection included.",
        lambda site: site.health.seconds if site.health else None,
    )
    yield gauge(
        "site_asked_timestamp_seconds",
        "When the site's Slurm was asked last, in seconds since 1970.",
        lambda site: site.health.at.timestamp() if site.health else None,
    )
    yield gauge("connections", "Open SSH connections of people to the site.", lambda site: site.connections)
    yield gauge("tunnels", "Tunnels to servers at the site.", lambda site: site.tunnels)
    yield gauge(
        "monitor_ticket_seconds",
        "Seconds for which the ticket of the site's monitor is still valid.",
        lambda site: max(0.0, (site.monitor_ends or 0.0) - time.time()) if site.has_monitor else None,
    )
    going_on = GaugeMetricFamily(
        f"{_PREFIX}launches_going_on", "Launches that are not over.", labels=("site", "state")
    )
    for site in sites:
        for state, count in site.going_on.items():
            going_on.add_metric((site.key, state.replace("-", "_")), count)
    yield going_on


def _of_tickets(counts: Counts) -> Iterable[Metric]:
    tickets = GaugeMetricFamily(
        f"{_PREFIX}tickets", "People with a valid ticket, and those of them whose ends soon.", labels=("state",)
    )
    tickets.add_metric(("valid",), counts.valid)
    tickets.add_metric(("ending",), counts.ending)
    yield tickets
    failed = CounterMetricFamily(
        f"{_PREFIX}renewals_failed", "Renewals of tickets that failed, by reason.", labels=("reason",)
    )
    failed.add_metric(("refused",), counts.refused)
    failed.add_metric(("unanswered",), counts.unanswered)
    yield failed


class SitesMetricsHandler(MetricsHandler):  # type: ignore[misc]
    """JupyterHub's page of metrics, with ours."""

    @metrics_authentication  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer; without the database of launches what is in it is missing."""
        await super().get()
        hub: Hub = self.settings[SETTING]
        try:
            sites = await standing(hub)
        except DatabaseAway:
            sites = None
        count = getattr(self.authenticator, "ticket_counts", None)
        self.write(generate_latest(SitesMetrics(hub, sites, count and count())))
