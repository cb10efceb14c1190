"""The rack: the process all of a lab hangs on. It holds the switch and every host; the kernel ends them with it.

Run as `python -m lab.rack STATE LOCK LISTENER LIFELINE`: a folder and three open files, -1 for none.
"""

import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

from lab.folders import StateFolder
from lab.homes import make_homes
from lab.host import Wires, fork_host
from lab.namespaces import Clone, make_private, mount, unshare
from lab.network import plug
from lab.plan import hosts_of
from lab.sites import sites_of


def main(state: StateFolder, lock: int, listener: int | None, lifeline: int | None) -> None:
    """Run the rack in new namespaces, write the pid of its first process into the lock file, wait for its end."""
    os.umask(0o022)
    unshare(Clone.PID | Clone.NET | Clone.MOUNT | Clone.IPC)
    pid = os.fork()
    if pid == 0:
        _run(state, listener, lifeline)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(pid).encode(), 0)
    os.waitpid(pid, 0)


def _run(state: StateFolder, listener: int | None, lifeline: int | None) -> NoReturn:
    make_private()
    mount("proc", "/proc", "proc")
    make_homes(state)
    hosts = _fork_hosts(state, listener)
    if lifeline is not None:
        threading.Thread(target=_end_with, args=[lifeline], daemon=True).start()
    while True:
        pid, status = os.wait()
        if pid in hosts:
            code = os.waitstatus_to_exitcode(status)
            sys.exit(f"The first process of the host {hosts[pid]} ended with {code}; a lab needs all its hosts.")


def _fork_hosts(state: StateFolder, listener: int | None) -> dict[int, str]:
    """Start all hosts and plug them in; return their names by pid."""
    ready, ready_end = os.pipe2(os.O_CLOEXEC)
    plugged, plug_all = os.pipe2(os.O_CLOEXEC)
    wires = Wires(ready_end, plugged, plug_all)
    hosts = {fork_host(host, state, listener, wires): host.name for host in hosts_of(sites_of(state))}
    os.close(ready_end)
    os.close(plugged)
    heard = 0
    while heard < len(hosts) and (said := os.read(ready, len(hosts))):
        heard += len(said)
    os.close(ready)
    plug(hosts)
    os.close(plug_all)
    return hosts


def _end_with(lifeline: int) -> None:
    """Wait until nobody holds the other end of the pipe, then end process 1 and with it everything."""
    os.read(lifeline, 1)
    os._exit(0)


def _file(argument: str) -> int | None:
    return None if argument == "-1" else int(argument)


if __name__ == "__main__":
    main(StateFolder(Path(sys.argv[1])), int(sys.argv[2]), _file(sys.argv[3]), _file(sys.argv[4]))
