"""The composition root: makes what all spawners of a hub share when the hub starts, and closes it at its end."""

import asyncio
import gc
import logging
import resource
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

import languages
from kerberos_auth.shutdown import at_the_end
from profiles.loading.live import LiveCatalogue
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh import core
from slurm_ssh.credentials import NoTickets
from slurm_ssh.ssh import signing
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.messages import Begin
from slurm_ssh.tunnels.remote_keeper import RemoteKeeper
from slurm_ssh.tunnels.tunnel import Keeper
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import HubServers, Reconciliation
from slurm_ssh_spawner.launch.records import LaunchRecords, NewerDatabase, urls

# asyncssh talks to the KDC in the loop's default executor; with its 6 threads on 2 cores, a silent KDC
# would also stop name look-ups for everybody.
_THREADS = 64
# A connect that is given up after 8 s keeps its thread for the 25 s of libkrb5, and so does the question to the
# KDC that follows it; four begin at once for each one.
_THREADS_PER_FRONT_END = 16
# For a thousand servers behind tunnels with ten connections each; a systemd unit gets half a million.
_FILES = 10_000
# Python's default is 10: each full collection of a hub with a hundred people takes an eighth of a second, in which
# nobody is answered, every dozen seconds while it is busy, and finds some hundred values.
_COLLECTIONS_TO_A_FULL_ONE = 1000
_PACKAGES = ("slurm_ssh_spawner", "slurm_ssh", "profiles", "kernels")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What the hub's configuration says of the spawner; see the traits of SlurmSSHSpawner of these names."""

    catalogue_file: str
    hub_name: str
    connection_idle_seconds: float
    tunnel_ports: range
    records_url: str
    records_days: int
    tunnels_socket: str
    default_language: str = ""


def compose(settings: Settings, authenticator: Any, log: logging.Logger, servers: HubServers) -> Hub:
    """Return what all spawners share; it is closed when the hub ends.  The core's log goes to `log`.

    `servers` are those of the hub itself.

    Raises SystemExit with a sentence that says why the hub cannot start.
    """
    if settings.default_language:
        languages.use_by_default(settings.default_language)
    catalogue = _catalogue(settings.catalogue_file)
    credentials = _credentials(authenticator, catalogue)
    records = _records(settings.records_url)
    _log_to(log)
    raise_file_limit(log)
    _make_threads(sum(len(site.front_ends) for site in catalogue.sites.values()))
    # Without tickets of people there are none of monitors.
    monitors = getattr(authenticator, "service_ticket_folder", Path("/nonexistent"))
    told = core.Settings(settings.connection_idle_seconds, monitors)
    reach = core.open_core(told, catalogue.sites, credentials, records)
    _warn_of_authorities(catalogue)
    has_tunnels = any(site.tunnel.kind == "ssh" for site in catalogue.sites.values())
    tunnels = _tunnels(settings, reach, credentials, has_tunnels)
    launcher = Launcher(reach, credentials, records, settings.hub_name, tunnels)
    reconciliation = Reconciliation(launcher, credentials, servers)
    hub = Hub(catalogue, launcher, reach.availability, reconciliation, reach.watch, reach)
    reach.pool.subscribe(lambda login: hub.taught.forget(login.user, login.site_key))
    launcher.recall_ends()
    launcher.unattended.do(records.announcements.recall())
    launcher.unattended.keep_records_for(timedelta(days=settings.records_days))
    catalogue.follow()
    reconciliation.begin()
    at_the_end(hub.close)
    _collect_seldom()
    return hub


def _credentials(authenticator: Any, catalogue: LiveCatalogue) -> Any:
    """Return the tickets that the authenticator keeps; those of nobody if it keeps none and no site needs one."""
    if (found := getattr(authenticator, "credentials", None)) is not None:
        return found
    if need := [key for key, site in catalogue.sites.items() if site.login.needs_ticket]:
        raise SystemExit(sentences.NO_CREDENTIALS.format(sites=", ".join(need)))
    return NoTickets()


def _warn_of_authorities(catalogue: LiveCatalogue) -> None:
    """Say which sites nobody can be let in at.  The others go on: so it does not end the hub."""
    for key, site in catalogue.sites.items():
        if not site.login.needs_ticket and (problem := signing.problem(site.login)):
            _log.error("nobody can be let in at %s, because no certificate can be signed: %s", key, problem)


def _tunnels(settings: Settings, reach: core.Core, tickets: Any, are_needed: bool) -> Keeper:
    """Return what keeps the tunnels: the daemon that the settings name, or else this process."""
    ports, socket = settings.tunnel_ports, settings.tunnels_socket
    if not socket:
        if are_needed:
            _log.info("tunnels end with the hub: no tunnel daemon is set (SlurmSSHSpawner.tunnels_socket)")
        return TunnelKeeper(reach.pool, ports)
    told = Begin(
        tickets=getattr(tickets, "folder", None),
        realm=getattr(tickets, "realm", ""),
        ports=(ports[0], ports[-1]),
        idle_seconds=settings.connection_idle_seconds,
    )
    keeper = RemoteKeeper(Path(socket), told)
    tickets.subscribe(keeper.renew)
    return keeper


def _catalogue(path: str) -> LiveCatalogue:
    try:
        return LiveCatalogue(path)
    except CatalogueInvalid as error:
        raise SystemExit(sentences.CATALOGUE_UNUSABLE.format(problem=error)) from error


def _records(url: str) -> LaunchRecords:
    try:
        return LaunchRecords(url)
    except NewerDatabase as error:
        raise SystemExit(
            sentences.RECORDS_NEWER.format(url=urls.shown(url, "records_url"), revision=error)
        ) from error
    except OSError as error:
        raise SystemExit(
            sentences.RECORDS_UNUSABLE.format(url=urls.shown(url, "records_url"), reason=error.strerror)
        ) from error
    except (SQLAlchemyError, ImportError) as error:
        why = getattr(error, "orig", None) or error
        raise SystemExit(
            sentences.RECORDS_UNUSABLE.format(url=urls.shown(url, "records_url"), reason=why)
        ) from error


def _log_to(log: logging.Logger) -> None:
    for package in _PACKAGES:
        core_log = logging.getLogger(package)
        core_log.parent = log
        core_log.setLevel(log.getEffectiveLevel())


def raise_file_limit(log: logging.Logger) -> None:
    """Let this process open as many files as it may: each connection, also of somebody unknown, is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        hard = soft
    if hard < _FILES and hard != resource.RLIM_INFINITY:
        log.warning(
            "the hub may open %d files only: with more connections nobody can log in. Set LimitNOFILE=%d or more "
            "in its systemd unit, or `ulimit -n` where it is started.",
            hard,
            _FILES,
        )


def _collect_seldom() -> None:
    """Have Python look seldom at all that it keeps, and never at what is there now: modules above all."""
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _COLLECTIONS_TO_A_FULL_ONE)


def _make_threads(front_ends: int) -> None:
    executor = ThreadPoolExecutor(max(_THREADS, _THREADS_PER_FRONT_END * front_ends), thread_name_prefix="hub")
    asyncio.get_running_loop().set_default_executor(executor)
