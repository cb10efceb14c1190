"""A core and a launcher for tests, composed as a hub does it, with a site on this machine in place of SSH."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerberos_auth.keytabs import KeytabTickets
from profiles.catalogue.site import Site
from profiles.loading.live import LiveCatalogue
from slurm_ssh.core import Core
from slurm_ssh.slurm.identity import SiteQueries
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import LaunchRecords

_NOWHERE = Path("/nonexistent")


class NoTickets:
    """Credentials of nobody: whoever asks is told by `error`."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self, _user: str) -> Any:
        raise self._error

    def read(self, _user: str) -> bytes:
        raise self._error

    def subscribe(self, _callback: Any) -> None:
        """Nobody ever gets one."""


class NoServers:
    """The servers of a hub that starts none by itself."""

    async def ready(self) -> None:
        """It knows them all."""

    async def start(self, user: str, server: str) -> None:
        """Nobody is to ask."""
        raise AssertionError(f"{user} was to get the server {server!r}")


def core(sites: Mapping[str, Site], credentials: Any, records: LaunchRecords, pool: Any) -> Core:
    """Return a core whose connections are those of `pool`."""
    return Core(pool, sites, credentials, SiteQueries(sites, pool, KeytabTickets(_NOWHERE), 60), records)


def launcher(
    sites: Mapping[str, Site], credentials: Any, records_url: str, pool: Any, ports: Iterable[int] = ()
) -> Launcher:
    """Return a launcher of the hub called `hub`."""
    records = LaunchRecords(records_url)
    return Launcher(
        core(sites, credentials, records, pool), credentials, records, "hub", TunnelKeeper(pool, ports)
    )


def hub(catalogue: LiveCatalogue, credentials: Any, records_url: str, pool: Any) -> Hub:
    """Return what the spawners of a hub share."""
    records = LaunchRecords(records_url)
    reach = core(catalogue.sites, credentials, records, pool)
    launches = Launcher(reach, credentials, records, "hub", TunnelKeeper(pool, ()))
    return Hub(catalogue, launches, reach.availability, Reconciliation(launches, credentials, NoServers()))
