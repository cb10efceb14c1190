"""The lab as its users see it: up, down, run a command on a host, break something, wait for something."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import control
from lab.control import DaemonStatus, Verb
from lab.errors import LabError
from lab.folders import TREE, StateFolder
from lab.hosts import PATIENCE_SECONDS, POLL_SECONDS, Hosts
from lab.network import set_cable, unplug_all
from lab.plan import ALL_SITES, HUB_PORT, SITES
from lab.preflight import check_machine
from lab.readiness import Readiness
from lab.startup import start

DEFAULT_STATE = TREE / ".lab"
DOWN_SECONDS = 240

CABLE_STATES = {"cut": "down", "join": "up"}
DAEMON_FAULTS = tuple(verb.value for verb in Verb if verb is not Verb.STATUS)
FAULTS = (*DAEMON_FAULTS, *CABLE_STATES)


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
        self._hosts = Hosts(self._state)
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
        return self._hosts.run(host, argv, user, input or "", check)

    def command(self, host: str, argv: Sequence[str], user: str | None = None) -> list[str]:
        """Return the command line that, on the machine, runs `argv` on a host in a fresh environment."""
        return self._hosts.command(host, argv, user)

    def fault(self, verb: str, host: str, daemon: str = "") -> None:
        """Break or mend something: `cut`/`join` a host's cable, or kill, stop, start, freeze, thaw a daemon."""
        if verb in CABLE_STATES:
            self._hosts.first_process(host)
            set_cable(self._rack(), host, CABLE_STATES[verb])
        elif verb in DAEMON_FAULTS:
            self._hosts.first_process(host)
            control.ask(self._state, host, Verb(verb), daemon)
        else:
            raise LabError(f"There is no fault {verb!r}. Say one of: {', '.join(FAULTS)}.")

    def status(self) -> dict[str, tuple[DaemonStatus, ...]]:
        """Return the condition of every daemon of every host, with machine pids."""
        return self._hosts.status()

    def log(self, host: str, daemon: str) -> Path:
        """Return the log of a daemon; `log(RACK, RACK)` tells how the hosts came up."""
        return self._state.log(host, daemon)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Return when `condition()` is true; raise LabError with `what` and the logs to read after `seconds`."""
        self._hosts.wait(what, condition, seconds)

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
            Readiness(self._state, self._hosts, self._first).wait(self.url if self._hub else None)
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
