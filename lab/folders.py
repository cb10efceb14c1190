"""Where things lie: the tree, what `make setup` made, and the folders of one lab's state."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
SETUP = TREE / ".setup"
PAM_MODULES = SETUP / "pam/lib"
SITE_ENVIRONMENT = SETUP / "jupyterlab"
OLDER_SITE_ENVIRONMENT = SETUP / "jupyterlab-old"
SPARK_ENVIRONMENT = SETUP / "spark"
LMOD = SETUP / "lmod"
"""Debian's package, unpacked: it cannot be installed next to environment-modules."""

NGINX_PROGRAM = SETUP / "nginx/usr/sbin/nginx"
WHEELS = SETUP / "wheels"
UV = SETUP / "uv"
COLLABORATION = SETUP / "collaboration"
PROXY_PROGRAM = SETUP / "proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
NODE_PROGRAM = SETUP / "node"
HUB_PYTHON = TREE / ".venv/bin/python"
EXAMPLE_CATALOGUE = TREE / "examples/catalogue.yaml"
EXAMPLE_TYPES = TREE / "examples/job_types"
TEST_PROFILES = TREE / "lab/profiles.yaml"
SYSTEMS = TREE / "lab/systems.yaml"
INTERACTIVE = TREE / "lab/interactive.yaml"
ZURICH_CATALOGUE = TREE / "lab/zurich.yaml"
IMAGING = TREE / "lab/imaging"
SHARED_PROGRAMS = TREE / "lab/gpfs"
"""What lies under /gpfs on the sites' hosts."""

STUB_SERVER = TREE / "lab/stub_server.py"

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of root and of daemons, on the machine and in the hosts."""


@dataclass(frozen=True)
class StateFolder:
    """The folders and files of one lab; nothing of a lab lies elsewhere."""

    root: Path

    @property
    def realm(self) -> Path:
        """KDC database, keytabs and keys: made once, used again by the next `up`."""
        return self.root / "realm"

    @property
    def control(self) -> Path:
        """One socket per host, on which its first process takes commands."""
        return self.root / "control"

    @property
    def lock(self) -> Path:
        """Held by every process of the running lab; its text is the process id of the rack."""
        return self.root / "lock"

    @property
    def port(self) -> Path:
        """The port of the lab's URL, as text; absent in a lab without a hub."""
        return self.root / "port"

    @property
    def sites(self) -> Path:
        """The names of the sites that the lab has, as text."""
        return self.root / "sites.txt"

    @property
    def catalogue(self) -> Path:
        """The hub's catalogue with this lab's host keys."""
        return self.root / "catalogue.yaml"

    @property
    def all_logs(self) -> Path:
        """The folder with one folder for each host."""
        return self.root / "logs"

    def logs(self, host: str) -> Path:
        """The folder with one log for each daemon of `host`."""
        return self.all_logs / host

    def log(self, host: str, daemon: str) -> Path:
        """The log of one daemon: both its outputs, over all its starts in this lab."""
        return self.logs(host) / f"{daemon}.log"

    def homes(self, site: str) -> Path:
        """What the hosts of `site` see as `/home`."""
        return self.root / "sites" / site / "home"

    def scratch(self, site: str) -> Path:
        """What the hosts of `site` see as `/scratch`."""
        return self.root / "sites" / site / "scratch"


@contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """Give a path of a few letters for `folder`: the address of a Unix socket has room for 107."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
