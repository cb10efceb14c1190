"""The lab as its users see it: up, down, run a command on a host, break something, wait for something."""

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import control
from lab.control import DaemonStatus, Verb
from lab.errors import LabError, tail
from lab.folders import SYSTEM_PATH, TREE, StateFolder
from lab.network import set_cable, unplug_all
from lab.plan import ALL_SITES, HOSTS, HUB_PORT, SITE_OF, SITES, Role, Site, hosts_of
from lab.preflight import check_machine
from lab.sites import sites_of
from lab.startup import RACK, start

DEFAULT_STATE = TREE / ".lab"
POLL_SECONDS = 0.03
LONGEST_POLL_SECONDS = 0.5
# For a machine that does much else: who waits for what comes waits no longer than it takes.
PATIENCE_SECONDS = 150
"""How long a wait pauses between two looks, at first and after many: each look runs programs."""

HOST_SECONDS = 90
SLURM_SECONDS = 120
HUB_SECONDS = 120
DOWN_SECONDS = 60
RUN_SECONDS = 300
UMASK = 0o022
"""That of commands on hosts, whatever it is on the machine."""

CABLE_STATES = {"cut": "down", "join": "up"}
DAEMON_FAULTS = tuple(verb.value for verb in Verb if verb is not Verb.STATUS)
FAULTS = (*DAEMON_FAULTS, *CABLE_STATES)

logger = logging.getLogger("lab")


class Lab:
    """One lab, named by its state folder. An object is only a handle: the lab runs in processes of its own.

    `port`, `hub` and `zurich` matter for `up` alone: the port of the URL (0 for any free one), whether there is a
    hub, and whether there is a third site, where nobody knows Kerberos.
    As a context manager it is up inside the block and gone after it.
    """

    def __init__(
        self, state: Path = DEFAULT_STATE, port: int = HUB_PORT, hub: bool = True, zurich: bool = False
    ) -> None:
        self._state = StateFolder(state.absolute())
        self._wanted_port = port
        self._hub = hub
        self._wanted_sites = ALL_SITES if zurich else SITES
        self._first: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    def __enter__(self) -> Self:
        # However this process ends, the kernel closes the pipe, and the rack ends with it.
        reading, self._lifeline = os.pipe()
        try:
            self._up(reading)
        finally:
            os.close(reading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def state(self) -> Path:
        """The folder that names the lab."""
        return self._state.root

    @property
    def url(self) -> str:
        """The address of the hub on the machine, without a slash at its end."""
        try:
            return f"http://127.0.0.1:{int(self._state.port.read_text())}"
        except FileNotFoundError:
            raise LabError(f"The lab in {self._state.root} has no hub, or is not up.") from None

    @property
    def has_hub(self) -> bool:
        """Whether the lab was started with a hub, and so has a URL."""
        return self._state.port.exists()

    @property
    def is_up(self) -> bool:
        """Whether any process of the lab exists."""
        lock = self._take_lock()
        if lock is not None:
            os.close(lock)
        return lock is None

    def up(self) -> None:
        """Start the lab; return when all nodes are idle and the hub answers. After a failure nothing runs."""
        self._up(lifeline=None)

    def down(self) -> None:
        """End every process of the lab and all that hangs on them; do nothing if it is not up."""
        while self.is_up:
            if rack := self._rack():
                self._end(rack)
            else:
                # Its very first process has yet to write down the pid of the rack, or to fail.
                time.sleep(POLL_SECONDS)
        if self._first:
            self._first.wait()
        if self._lifeline is not None:
            os.close(self._lifeline)
        self._first = self._lifeline = None
        shutil.rmtree(self._state.control, ignore_errors=True)
        self._state.port.unlink(missing_ok=True)

    def run(
        self,
        host: str,
        argv: Sequence[str],
        user: str | None = None,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run has for it
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host, as root or as `user`, and return its outputs and exit code.

        With `check` an exit code other than 0 raises LabError with both outputs.
        """
        command = self.command(host, argv, user)
        # An empty input, not none at all: the command must not read what this process has on its own stdin.
        done = subprocess.run(
            command,
            input=input or "",
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
            umask=UMASK,
        )
        if check and done.returncode != 0:
            who = user or "root"
            raise LabError(
                f"{argv[0]} on {host} as {who} ended with {done.returncode}.\n{done.stdout}{done.stderr}"
            )
        return done

    def command(self, host: str, argv: Sequence[str], user: str | None = None) -> list[str]:
        """Return the command line that, on the machine, runs `argv` on a host in a fresh environment."""
        enter = ["nsenter", "-t", str(self._first_process(host)), "-m", "-u", "-i", "-n", "-p"]
        clean = ["/usr/bin/env", "-i", f"PATH={SYSTEM_PATH}", "LANG=C.UTF-8", "HOME=/root", "USER=root"]
        if user is None:
            return [*enter, *clean, *argv]
        become = [f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
        folder = f"/home/{user}" if host in SITE_OF else "/"
        settle = ["/usr/bin/env", f"--chdir={folder}", "LANG=C.UTF-8"]
        return [*enter, "/usr/bin/setpriv", *become, *settle, *argv]

    def fault(self, verb: str, host: str, daemon: str = "") -> None:
        """Break or mend something: `cut`/`join` a host's cable, or kill, stop, start, freeze, thaw a daemon."""
        if verb in CABLE_STATES:
            self._first_process(host)
            set_cable(self._rack(), host, CABLE_STATES[verb])
        elif verb in DAEMON_FAULTS:
            self._first_process(host)
            control.ask(self._state, host, Verb(verb), daemon)
        else:
            raise LabError(f"There is no fault {verb!r}. Say one of: {', '.join(FAULTS)}.")

    def status(self) -> dict[str, tuple[DaemonStatus, ...]]:
        """Return the condition of every daemon of every host, with machine pids."""
        return {host: self._status_of(host) for host in self._hosts()}

    def log(self, host: str, daemon: str) -> Path:
        """Return the log of a daemon; `log(RACK, RACK)` tells how the hosts came up."""
        return self._state.log(host, daemon)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Return when `condition()` is true; raise LabError with `what` and the logs to read after `seconds`."""
        end, pause = time.monotonic() + seconds, POLL_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise LabError(
                    f"Not within {seconds:g} s: {what}. Read the logs in {self._state.all_logs}"
                    + "".join(f"\n{tail(self.log(host, name))}" for host, name in self._dead_daemons())
                )
            time.sleep(pause)
            pause = min(1.5 * pause, LONGEST_POLL_SECONDS)

    def _up(self, lifeline: int | None) -> None:
        check_machine()
        self._state.root.mkdir(parents=True, exist_ok=True)
        lock = self._take_lock()
        if lock is None:
            folder = self._state.root
            raise LabError(f"The lab in {folder} is up already. End it first: python -m lab --state {folder} down")
        try:
            self._first = start(
                self._state, lock, self._wanted_sites, self._wanted_port if self._hub else None, lifeline
            )
            self._wait_until_useful(self._first)
        except BaseException:
            self.down()
            raise

    def _take_lock(self) -> int | None:
        """Return the lock file, open and locked; None while a process of the lab holds it."""
        try:
            lock = os.open(self._state.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            raise LabError(f"There is no lab in {self._state.root}.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        os.ftruncate(lock, 0)
        return lock

    def _rack(self) -> int:
        """Return the machine pid of the rack's first process; 0 as long as it is not known."""
        return int(self._state.lock.read_text() or 0)

    def _end(self, rack: int) -> None:
        # Sockets of dead hosts may keep a network alive for a minute; its devices must not wait for that.
        unplug_all(rack)
        os.kill(rack, signal.SIGKILL)
        self.wait("the end of the lab's processes", lambda: not self.is_up, DOWN_SECONDS)

    def _hosts(self) -> tuple[str, ...]:
        return tuple(host.name for host in hosts_of(sites_of(self._state)))

    def _first_process(self, host: str) -> int:
        if host not in HOSTS:
            raise LabError(f"There is no host {host!r}. The hosts are: {', '.join(HOSTS)}.")
        if host not in self._hosts():
            raise LabError(f"This lab has no {host}. Start it with it: python -m lab up --zurich")
        try:
            return control.first_process(self._state, host)
        except OSError:
            folder = self._state.root
            raise LabError(f"The lab in {folder} is not up. Start it: python -m lab --state {folder} up") from None

    def _status_of(self, host: str) -> tuple[DaemonStatus, ...]:
        first = self._first_process(host)
        statuses = control.ask(self._state, host, Verb.STATUS)
        return tuple(replace(one, pid=control.machine_pid(first, one.pid)) for one in statuses)

    def _dead_daemons(self) -> list[tuple[str, str]]:
        """Return host and name of every daemon that ended by itself; none if the lab is not up."""
        with contextlib.suppress(LabError):
            return [(host, one.name) for host, all_ in self.status().items() for one in all_ if one.died]
        return []

    def _wait_until_useful(self, first: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()

        def step(what: str, condition: Callable[[], bool], seconds: float) -> None:
            self.wait(what, lambda: self._nothing_broke(first) and condition(), seconds)
            logger.info("%5.1f s  %s", time.monotonic() - began, what)

        step("all hosts are up", self._hosts_are_up, HOST_SECONDS)
        for site in sites_of(self._state):
            step(f"all nodes of {site.name} are idle", partial(self._nodes_are_idle, site), SLURM_SECONDS)
            if site.projects:
                step(
                    f"slurmctld of {site.name} is known to slurmdbd", partial(self._is_known, site), SLURM_SECONDS
                )
        if self._hub:
            step(f"the hub answers on {self.url}", self._hub_answers, HUB_SECONDS)

    def _nothing_broke(self, first: subprocess.Popen[bytes]) -> bool:
        """Return True; raise LabError with the end of a log if the rack or a daemon ended."""
        if first.poll() is not None:
            raise LabError(f"The lab did not start.\n{tail(self.log(RACK, RACK))}")
        for host, name in self._dead_daemons():
            raise LabError(f"{name} on {host} ended while the lab started.\n{tail(self.log(host, name))}")
        return True

    def _hosts_are_up(self) -> bool:
        with contextlib.suppress(LabError):
            return len(self.status()) == len(self._hosts())
        return False

    def _nodes_are_idle(self, site: Site) -> bool:
        sinfo = ["sinfo", "--noheader", "--partition=normal", "--states=idle", "--format=%D"]
        done = self.run(site.controller.name, sinfo, check=False)
        return done.stdout.strip() == str(len(site.having(Role.NODE)))

    def _is_known(self, site: Site) -> bool:
        """Whether slurmctld has registered with slurmdbd."""
        sacctmgr = ["sacctmgr", "--noheader", "--parsable2", "show", "cluster", "format=cluster,controlhost"]
        known = self.run(site.controller.name, sacctmgr, check=False).stdout.splitlines()
        return f"{site.name}|{site.controller.address}" in known

    def _hub_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/hub/api/", timeout=5) as response:  # noqa: S310 - our own http URL
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
