"""The daemons of each host: command line, account, environment, and the folders they need."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab import stand_ins
from lab.folders import HUB_PYTHON, NODE_PROGRAM, PROXY_PROGRAM, TREE
from lab.plan import (
    GATEWAYS_USER,
    HUB_API_PORT,
    HUB_PORT,
    HUB_USER,
    JOBS_PORT,
    PROXY_USER,
    SITE_OF,
    Host,
    Role,
    Site,
)
from lab.slurm import PROJECTS_FILE

KDC_PORT, SSH_PORT, SLURMDBD_PORT = 88, 22, 6819
DATABASE = "/var/lib/mysql"
DATABASE_SOCKET = "/run/mysqld/mysqld.sock"
TUNNELS_SOCKET = "/run/jupyterhub-tunnels/socket"
HUB_CONFIG = "/etc/jupyterhub/jupyterhub_config.py"
"""It says no more than that the lab's is to be read; with another text the next start is that of another hub."""


@dataclass(frozen=True)
class Folder:
    """A folder a daemon needs before it starts."""

    path: str
    owner: str
    mode: int = 0o755


@dataclass(frozen=True)
class Daemon:
    """One program that stays in the foreground; its outputs are its log."""

    name: str
    argv: tuple[str, ...]
    user: str = "root"
    folders: tuple[Folder, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    preparation: tuple[str, ...] = ()
    """A program that runs to its end before the daemon starts for the first time."""

    ready: Callable[[], bool] | None = None
    """Whether it answers: a start waits for it, also that of the next daemon of the host."""

    inherited: tuple[int, ...] = ()
    """Open files handed to the program."""

    umask: int = 0o022


def _listens(port: int, address: str = "") -> bool:
    """Whether something accepts connections on `port` of this host, or of one address of it."""
    place = (address or socket.gethostname(), port)
    with contextlib.suppress(OSError), socket.create_connection(place, timeout=1):
        return True
    return False


KRB5KDC = Daemon("krb5kdc", ("/usr/sbin/krb5kdc", "-n"), ready=partial(_listens, KDC_PORT))

MUNGED = Daemon(
    "munged",
    ("/usr/sbin/munged", "--foreground", "--num-threads=2"),
    user="munge",
    folders=(Folder("/run/munge", "munge"),),
    ready=Path("/run/munge/munge.socket.2").exists,
)

SLURMCTLD = Daemon(
    "slurmctld", ("/usr/sbin/slurmctld", "-D"), folders=(Folder("/var/lib/slurm/slurmctld", "slurm"),)
)

# Nothing of it outlives the lab, so it need not wait for any disk.
_DATABASE_OPTIONS = (
    "--no-defaults",
    f"--datadir={DATABASE}",
    "--innodb-log-file-size=4M",
    "--innodb-flush-method=nosync",
)

MARIADBD = Daemon(
    "mariadbd",
    (
        "/usr/sbin/mariadbd",
        *_DATABASE_OPTIONS,
        f"--socket={DATABASE_SOCKET}",
        "--skip-networking",
        "--performance-schema=OFF",
        "--innodb-buffer-pool-size=64M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-lock-wait-timeout=900",
    ),
    user="slurm",
    folders=(Folder(DATABASE, "slurm", 0o700), Folder("/run/mysqld", "slurm")),
    preparation=(
        "/usr/bin/mariadb-install-db",
        *_DATABASE_OPTIONS,
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
        "--auth-root-socket-user=slurm",
    ),
    ready=Path(DATABASE_SOCKET).exists,
)


SLURMDBD = Daemon(
    "slurmdbd",
    ("/usr/sbin/slurmdbd", "-D"),
    user="slurm",
    folders=(Folder("/run/slurmdbd", "slurm"),),
    ready=partial(_listens, SLURMDBD_PORT),
)

SLURMCTLD_WITH_PROJECTS = replace(
    SLURMCTLD, preparation=("/usr/bin/sacctmgr", "--immediate", "load", PROJECTS_FILE)
)

SSHD = Daemon(
    "sshd",
    ("/usr/sbin/sshd", "-D", "-e"),
    folders=(Folder("/run/sshd", "root"),),
    ready=partial(_listens, SSH_PORT),
)

TUNNELS = Daemon(
    "tunnels",
    (str(HUB_PYTHON.with_name("jupyterhub-sites")), "tunnels", "--socket", TUNNELS_SOCKET),
    user=HUB_USER,
    folders=(Folder(str(Path(TUNNELS_SOCKET).parent), HUB_USER, 0o700),),
    ready=Path(TUNNELS_SOCKET).exists,
)

_JOBS_PROGRAM = str(HUB_PYTHON.with_name("jupyterhub-jobs"))

JOBS = Daemon(
    "jobs",
    (_JOBS_PROGRAM, "serve"),
    user=HUB_USER,
    folders=(
        Folder("/run/jupyterhub-jobs", HUB_USER, 0o700),
        Folder("/var/lib/jupyterhub-jobs", HUB_USER, 0o700),
    ),
    preparation=(_JOBS_PROGRAM, "upgrade-database"),
    ready=partial(_listens, JOBS_PORT, "127.0.0.1"),
)


def daemons_of(host: Host, proxy_token: str, listener: int | None) -> tuple[Daemon, ...]:
    """Return the daemons of `host` in the order of their start.

    `listener` is the lab's URL: a listening socket opened outside. Without it the host `hub` runs no daemon.
    """
    match host.role:
        case Role.BARE:
            return ()
        case Role.KDC:
            return (KRB5KDC,)
        case Role.HUB:
            return () if listener is None else _of_hub(proxy_token, listener)
        case Role.GATEWAYS:
            return tuple(_gateway(kind, port) for kind, port in stand_ins.KINDS.items())
        case Role.CONTROLLER:
            return _of_controller(SITE_OF[host.name])
        case Role.FRONT_END | Role.NODE:
            return (MUNGED, SSHD if host.role is Role.FRONT_END else _slurmd(host))


def _of_hub(proxy_token: str, listener: int) -> tuple[Daemon, ...]:
    return (_proxy(proxy_token), TUNNELS, _hub(proxy_token), _relay(listener), JOBS)


def _of_controller(site: Site) -> tuple[Daemon, ...]:
    if site.projects:
        return (MUNGED, MARIADBD, SLURMDBD, SLURMCTLD_WITH_PROJECTS)
    return (MUNGED, SLURMCTLD)


def _gateway(kind: str, port: int) -> Daemon:
    return Daemon(
        kind,
        (str(HUB_PYTHON), "-m", "lab.gateways", kind, stand_ins.settings_file(kind)),
        user=GATEWAYS_USER,
        folders=(
            Folder(f"/var/lib/{GATEWAYS_USER}", GATEWAYS_USER),
            Folder(stand_ins.folder(kind), GATEWAYS_USER, 0o700),
        ),
        environment={"PYTHONPATH": str(TREE)},
        ready=partial(_listens, port),
    )


def _slurmd(host: Host) -> Daemon:
    argv = ("/usr/sbin/slurmd", "-D", "-N", host.name)
    return Daemon("slurmd", argv, folders=(Folder("/var/lib/slurm/slurmd", "root"),))


def _proxy(token: str) -> Daemon:
    return Daemon(
        "configurable-http-proxy",
        (
            str(NODE_PROGRAM),
            str(PROXY_PROGRAM),
            "--ip=0.0.0.0",
            f"--port={HUB_PORT}",
            "--api-ip=127.0.0.1",
            "--api-port=8001",
            f"--error-target=http://127.0.0.1:{HUB_API_PORT}/hub/error",
        ),
        user=PROXY_USER,
        folders=(Folder(f"/var/lib/{PROXY_USER}", PROXY_USER, 0o700),),
        # The ticket of single sign-on of somebody in many groups is a long header.
        environment={"CONFIGPROXY_AUTH_TOKEN": token, "NODE_OPTIONS": "--max-http-header-size=65536"},
    )


def _hub(proxy_token: str) -> Daemon:
    return Daemon(
        "jupyterhub",
        (str(HUB_PYTHON), "-m", "jupyterhub", "-f", HUB_CONFIG),
        user=HUB_USER,
        folders=(
            Folder("/run/jupyterhub", HUB_USER, 0o700),
            Folder(f"/var/lib/{HUB_USER}", HUB_USER, 0o700),
        ),
        environment={"CONFIGPROXY_AUTH_TOKEN": proxy_token},
        # As its unit has it.
        umask=0o077,
    )


def _relay(listener: int) -> Daemon:
    argv = ("/usr/bin/python3", "-I", str(TREE / "lab/relay.py"), str(listener), str(HUB_PORT))
    return Daemon("relay", argv, user="nobody", inherited=(listener,))
