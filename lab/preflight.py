"""What is looked at before a lab starts: the machine, what `make setup` made, and the port of the URL."""

import errno
import os
import shutil
import socket
from pathlib import Path

from lab.errors import LabError
from lab.folders import (
    COLLABORATION,
    HUB_PYTHON,
    LMOD,
    NODE_PROGRAM,
    OLDER_SITE_ENVIRONMENT,
    PAM_MODULES,
    PROXY_PROGRAM,
    SITE_ENVIRONMENT,
    SPARK_ENVIRONMENT,
    SYSTEM_PATH,
)

PROGRAMS = (
    *("ip", "nsenter", "setpriv", "krb5kdc", "kadmin.local", "sshd"),
    *("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "mariadb-install-db", "lua5.3", "java"),
)


def check_machine() -> None:
    """Raise LabError unless this machine can run a lab."""
    if os.geteuid() != 0:
        raise LabError("The lab makes namespaces and mounts, which needs root. Run it as root.")
    missing: list[str | Path] = [name for name in PROGRAMS if not shutil.which(name, path=SYSTEM_PATH)]
    environments = (HUB_PYTHON, SITE_ENVIRONMENT, OLDER_SITE_ENVIRONMENT, SPARK_ENVIRONMENT, COLLABORATION)
    made = (*environments, PAM_MODULES, LMOD, NODE_PROGRAM, PROXY_PROGRAM)
    missing += [path for path in made if not path.exists()]
    if missing:
        raise LabError(f"Not there: {', '.join(map(str, missing))}. Run `make setup`, which brings them.")


def open_listener(port: int) -> socket.socket:
    """Listen on the machine's loopback; port 0 means any free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise LabError(
            f"Port {port} of 127.0.0.1 is taken by another program. End that program, or choose another port "
            "with --port (0: any free one)."
        ) from None
    listener.listen(128)
    return listener
