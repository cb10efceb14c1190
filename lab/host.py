"""How one host comes up: from a fresh process in new namespaces to its daemons."""

import os
import socket
import sys
from dataclasses import dataclass
from typing import NoReturn

from lab import control, network, rootfs, software
from lab.daemons import daemons_of
from lab.etc import gather_files
from lab.folders import (
    COLLABORATION,
    LMOD,
    OLDER_SITE_ENVIRONMENT,
    SITE_ENVIRONMENT,
    SPARK_ENVIRONMENT,
    TREE,
    UV,
    WHEELS,
    StateFolder,
)
from lab.modules import ENVIRONMENT_MODULES_FILES
from lab.namespaces import Clone, setns, unshare
from lab.plan import SITE_OF, Host, ModuleSystem, Role, Site
from lab.realm import Realm
from lab.rootfs import Share, View
from lab.supervisor import Supervisor


@dataclass(frozen=True)
class Wires:
    """The pipes between the rack and its hosts while they come up."""

    ready: int
    """A host writes one byte here when its network namespace exists."""

    plugged: int
    """Reading here ends when every host has its network device."""

    plug_all: int
    """The writing end of `plugged`, which only the rack may keep."""


def run_host(host: Host, state: StateFolder, listener: int | None, wires: Wires) -> NoReturn:
    """Become `host`; the process must be process 1 of a new PID namespace."""
    os.close(wires.plug_all)
    unshare(Clone.NET | Clone.MOUNT | Clone.UTS | Clone.IPC)
    os.write(wires.ready, b".")
    os.close(wires.ready)
    log_folder = os.open(state.logs(host.name), os.O_PATH | os.O_DIRECTORY)
    files = gather_files(host, state)
    daemons = daemons_of(host, Realm(state.realm).proxy_token.read_text(), listener)
    control_socket = control.listen(state, host.name)
    socket.sethostname(host.fqdn)
    rootfs.enter(_view(host, state))
    for file in files:
        file.write()
    while os.read(wires.plugged, 1):
        pass
    os.close(wires.plugged)
    network.configure(host)
    supervisor = Supervisor(daemons, log_folder)
    supervisor.start_all()
    supervisor.serve(control_socket)
    sys.exit("unreachable")


def _view(host: Host, state: StateFolder) -> View:
    """Return what the host sees: at a site no source tree, elsewhere no homes."""
    if host.role in {Role.HUB, Role.GATEWAYS, Role.BARE}:
        return View((Share(TREE, str(TREE), read_only=True),))
    if host.role is Role.KDC:
        return View((), hidden=(TREE,))
    return _site_view(SITE_OF[host.name], state)


def _site_view(site: Site, state: StateFolder) -> View:
    shares = [
        Share(state.homes(site.name), "/home"),
        Share(state.scratch(site.name), "/scratch"),
        Share(SITE_ENVIRONMENT, "/opt/jupyterlab", read_only=True),
        Share(SPARK_ENVIRONMENT, "/opt/spark", read_only=True),
        Share(WHEELS, software.WHEELS, read_only=True),
        Share(COLLABORATION, software.COLLABORATION, read_only=True),
    ]
    hidden = [TREE]
    if site.has_uv:
        shares.append(Share(UV, software.UV, read_only=True))
    if site.older_environment:
        shares.append(Share(OLDER_SITE_ENVIRONMENT, "/opt/jupyterlab-old", read_only=True))
    if site.module_system is ModuleSystem.LMOD:
        places = ("/usr/share/lmod", "/usr/lib/lmod")
        shares += [Share(LMOD / place.lstrip("/"), place, read_only=True) for place in places]
        hidden += ENVIRONMENT_MODULES_FILES
    return View(tuple(shares), tuple(hidden))


def fork_host(host: Host, state: StateFolder, listener: int | None, wires: Wires) -> int:
    """Start a host as a child of this process, in a PID namespace of its own; return its pid."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    unshare(Clone.PID)
    pid = os.fork()
    if pid == 0:
        run_host(host, state, listener, wires)
    # A process may only leave for one new PID namespace at a time.
    setns(own, Clone.PID)
    os.close(own)
    return pid
