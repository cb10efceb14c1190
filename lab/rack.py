"""The rack: the process all of a lab hangs on. It holds the switch and every host; when it ends, the kernel ends them.

Run as `python -m lab.rack STATE LOCK LISTENER`: a folder and two open files (`LISTENER` is -1 in a lab without a hub).
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from lab.folders import StateFolder
from lab.homes import make_homes
from lab.host import Wires, fork_host
from lab.namespaces import Clone, make_private, mount, unshare
from lab.network import plug
from lab.plan import HOSTS


def main(state: StateFolder, lock: int, listener: int | None) -> None:
    """Run the rack in new namespaces and wait for its end."""
    os.umask(0o022)
    unshare(Clone.PID | Clone.NET | Clone.MOUNT | Clone.IPC)
    pid = os.fork()
    if pid == 0:
        _run(state, listener)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(pid).encode(), 0)
    os.waitpid(pid, 0)


def _run(state: StateFolder, listener: int | None) -> NoReturn:
    make_private()
    mount("proc", "/proc", "proc")
    make_homes(state)
    ready, ready_end = os.pipe2(os.O_CLOEXEC)
    plugged, plug_all = os.pipe2(os.O_CLOEXEC)
    wires = Wires(ready_end, plugged)
    hosts = {fork_host(name, state, listener, wires, plug_all): name for name in HOSTS}
    os.close(ready_end)
    heard = 0
    while heard < len(hosts) and (said := os.read(ready, len(hosts))):
        heard += len(said)
    plug(hosts)
    os.close(plug_all)
    while True:
        pid, status = os.wait()
        if pid in hosts:
            code = os.waitstatus_to_exitcode(status)
            sys.exit(f"The first process of the host {hosts[pid]} ended with {code}; a lab needs all its hosts.")


if __name__ == "__main__":
    main(StateFolder(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3] != "-1" else None)
