"""A core and a launcher for tests, composed as a hub does it, with a site on this machine in place of SSH."""

import functools
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kerberos_auth.keytabs import KeytabTickets
from profiles.catalogue.site import Site
from profiles.loading.live import LiveCatalogue
from slurm_ssh.core import Core
from slurm_ssh.schedulers.identity import SiteQueries
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.records.database import open_engine

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

    def close(self) -> None:
        """Nothing is open."""

    async def start(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        """Nobody is to ask."""
        raise AssertionError(f"{user} was to get the server {server!r} with {choices}")


@functools.cache
def _empty_database() -> bytes:
    """Return a new database of launch records; to make its tables takes as long as a test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "launches.sqlite")
        open_engine(f"sqlite:///{path}").dispose()
        return path.read_bytes()


def records(url: str) -> LaunchRecords:
    """Return the launch records in a file, which is made if it is not there."""
    path = Path(sa.make_url(url).database or "")
    if not path.exists():
        path.write_bytes(_empty_database())
    return LaunchRecords(url)


def core(sites: Mapping[str, Site], credentials: Any, kept: LaunchRecords, pool: Any) -> Core:
    """Return a core whose connections are those of `pool`."""
    return Core(pool, sites, credentials, SiteQueries(sites, pool, KeytabTickets(_NOWHERE), 60), kept)


def launcher(
    sites: Mapping[str, Site], credentials: Any, records_url: str, pool: Any, ports: Iterable[int] = ()
) -> Launcher:
    """Return a launcher of the hub called `hub`."""
    kept = records(records_url)
    reach = core(sites, credentials, kept, pool)
    return Launcher(reach, credentials, kept, "hub", TunnelKeeper(pool, ports))


def hub(catalogue: LiveCatalogue, credentials: Any, records_url: str, pool: Any, ports: Iterable[int] = ()) -> Hub:
    """Return what the spawners of a hub share; `ports` are those of its tunnels."""
    kept = records(records_url)
    reach = core(catalogue.sites, credentials, kept, pool)
    launches = Launcher(reach, credentials, kept, "hub", TunnelKeeper(pool, ports))
    reconciliation = Reconciliation(launches, credentials, NoServers())
    return Hub(catalogue, launches, reach.availability, reconciliation, reach.watch, reach)
