"""The daemons of each host: command line, account, environment, and the folders they need."""

from dataclasses import dataclass, field
from pathlib import Path

from lab.folders import HUB_PYTHON, NODE_PROGRAM, PROXY_PROGRAM, TREE
from lab.plan import HUB_PORT, HUB_USER, PROXY_USER, Host, Role


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
    ready: Path | None = None
    """The next daemon of the host starts when this path exists."""

    inherited: tuple[int, ...] = ()
    """Open files handed to the program."""


KRB5KDC = Daemon("krb5kdc", ("/usr/sbin/krb5kdc", "-n"))

MUNGED = Daemon(
    "munged",
    ("/usr/sbin/munged", "--foreground", "--num-threads=2"),
    user="munge",
    folders=(Folder("/run/munge", "munge"),),
    ready=Path("/run/munge/munge.socket.2"),
)

SLURMCTLD = Daemon(
    "slurmctld", ("/usr/sbin/slurmctld", "-D"), folders=(Folder("/var/lib/slurm/slurmctld", "slurm"),)
)

SSHD = Daemon("sshd", ("/usr/sbin/sshd", "-D", "-e"), folders=(Folder("/run/sshd", "root"),))


def daemons_of(host: Host, proxy_token: str, listener: int | None) -> tuple[Daemon, ...]:
    """Return the daemons of `host` in the order of their start.

    `listener` is the lab's URL: a listening socket opened outside. Without it the host `hub` runs no daemon.
    """
    match host.role:
        case Role.KDC:
            return (KRB5KDC,)
        case Role.HUB:
            return () if listener is None else (_proxy(proxy_token), _hub(proxy_token), _relay(listener))
        case Role.CONTROLLER:
            return (MUNGED, SLURMCTLD)
        case Role.FRONT_END:
            return (MUNGED, SSHD)
        case Role.NODE:
            return (MUNGED, _slurmd(host))


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
            "--error-target=http://127.0.0.1:8081/hub/error",
        ),
        user=PROXY_USER,
        folders=(Folder(f"/var/lib/{PROXY_USER}", PROXY_USER, 0o700),),
        environment={"CONFIGPROXY_AUTH_TOKEN": token},
    )


def _hub(proxy_token: str) -> Daemon:
    return Daemon(
        "jupyterhub",
        (str(HUB_PYTHON), "-m", "jupyterhub", "-f", str(TREE / "lab/jupyterhub_config.py")),
        user=HUB_USER,
        folders=(
            Folder("/run/jupyterhub", HUB_USER, 0o700),
            Folder(f"/var/lib/{HUB_USER}", HUB_USER, 0o700),
        ),
        environment={"CONFIGPROXY_AUTH_TOKEN": proxy_token},
    )


def _relay(listener: int) -> Daemon:
    argv = ("/usr/bin/python3", "-I", str(TREE / "lab/relay.py"), str(listener), str(HUB_PORT))
    return Daemon("relay", argv, user="nobody", inherited=(listener,))
