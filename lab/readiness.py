"""The second half of `up`: wait until the lab is of use, and say why if it never is."""

import contextlib
import logging
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial

from lab.errors import LabError, tail
from lab.folders import StateFolder
from lab.hosts import Hosts
from lab.plan import Role, Site
from lab.sites import sites_of
from lab.startup import RACK

# None of it takes half a minute, but beside much else on a slow machine.
HOST_SECONDS = SLURM_SECONDS = HUB_SECONDS = 300

logger = logging.getLogger("lab")


class Readiness:
    """What a lab that starts has come to; `first` is the first process of its rack."""

    def __init__(self, state: StateFolder, hosts: Hosts, first: subprocess.Popen[bytes]) -> None:
        self._state = state
        self._hosts = hosts
        self._first = first
        self._began = time.monotonic()

    def wait(self, url: str | None) -> None:
        """Return when all nodes are idle and the hub answers on the `url`, if there is one.

        Raises LabError, with the end of a log, as soon as the rack or a daemon has ended.
        """
        self._step("all hosts are up", self._hosts_are_up, HOST_SECONDS)
        for site in sites_of(self._state):
            self._step(f"all nodes of {site.name} are idle", partial(self._nodes_are_idle, site), SLURM_SECONDS)
            if site.projects:
                known = f"slurmctld of {site.name} is known to slurmdbd"
                self._step(known, partial(self._is_known, site), SLURM_SECONDS)
        if url:
            self._step(f"the hub answers on {url}", partial(_hub_answers, url), HUB_SECONDS)

    def _step(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        self._hosts.wait(what, lambda: self._nothing_broke() and condition(), seconds)
        logger.info("%5.1f s  %s", time.monotonic() - self._began, what)

    def _nothing_broke(self) -> bool:
        """Return True; raise LabError with the end of a log if the rack or a daemon ended."""
        if self._first.poll() is not None:
            raise LabError(f"The lab did not start.\n{tail(self._state.log(RACK, RACK))}")
        for host, name in self._hosts.dead_daemons():
            raise LabError(f"{name} on {host} ended while the lab started.\n{tail(self._state.log(host, name))}")
        return True

    def _hosts_are_up(self) -> bool:
        with contextlib.suppress(LabError):
            return len(self._hosts.status()) == len(self._hosts.names())
        return False

    def _nodes_are_idle(self, site: Site) -> bool:
        sinfo = ["sinfo", "--noheader", "--partition=normal", "--states=idle", "--format=%D"]
        done = self._hosts.run(site.controller.name, sinfo, check=False)
        return done.stdout.strip() == str(len(site.having(Role.NODE)))

    def _is_known(self, site: Site) -> bool:
        """Return whether slurmctld has registered with slurmdbd."""
        sacctmgr = ["sacctmgr", "--noheader", "--parsable2", "show", "cluster", "format=cluster,controlhost"]
        known = self._hosts.run(site.controller.name, sacctmgr, check=False).stdout.splitlines()
        return f"{site.name}|{site.controller.address}" in known


def _hub_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/hub/api/", timeout=5) as response:  # noqa: S310 - our own http URL
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
