"""The hosts of a lab that is up: commands on them, how their daemons are, and waiting for what they do."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from lab import control
from lab.control import DaemonStatus, Verb
from lab.errors import LabError, tail
from lab.folders import SYSTEM_PATH, StateFolder
from lab.plan import HOSTS, SITE_OF, hosts_of
from lab.sites import sites_of

POLL_SECONDS = 0.03
LONGEST_POLL_SECONDS = 0.5
"""How long a wait pauses between two looks, at first and after many: each look runs programs."""

# For a machine that does much else: who waits for what comes waits no longer than it takes.
PATIENCE_SECONDS = 300

RUN_SECONDS = 600
UMASK = 0o022
"""That of commands on hosts, whatever it is on the machine."""


class Hosts:
    """The hosts of the lab in a state folder.  Whatever asks one of them raises LabError if the lab is not up."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def names(self) -> tuple[str, ...]:
        """Return the names of this lab's hosts, in the order of the plan."""
        return tuple(host.name for host in hosts_of(sites_of(self._state)))

    def first_process(self, host: str) -> int:
        """Return the machine pid of a host's first process."""
        if host not in HOSTS:
            raise LabError(f"There is no host {host!r}. The hosts are: {', '.join(HOSTS)}.")
        if host not in self.names():
            raise LabError(f"This lab has no {host}. Start it with it: python -m lab up --zurich")
        try:
            return control.first_process(self._state, host)
        except OSError:
            folder = self._state.root
            raise LabError(f"The lab in {folder} is not up. Start it: python -m lab --state {folder} up") from None

    def run(
        self, host: str, argv: Sequence[str], user: str | None = None, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host, as root or as `user`, and return its outputs and exit code.

        With `check` an exit code other than 0 raises LabError with both outputs.
        """
        command = self.command(host, argv, user)
        # An empty input, not none at all: the command must not read what this process has on its own stdin.
        done = subprocess.run(
            command,
            input=stdin,
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
        enter = ["nsenter", "-t", str(self.first_process(host)), "-m", "-u", "-i", "-n", "-p"]
        clean = ["/usr/bin/env", "-i", f"PATH={SYSTEM_PATH}", "LANG=C.UTF-8", "HOME=/root", "USER=root"]
        if user is None:
            return [*enter, *clean, *argv]
        become = [f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
        folder = f"/home/{user}" if host in SITE_OF else "/"
        settle = ["/usr/bin/env", f"--chdir={folder}", "LANG=C.UTF-8"]
        return [*enter, "/usr/bin/setpriv", *become, *settle, *argv]

    def status(self) -> dict[str, tuple[DaemonStatus, ...]]:
        """Return the condition of every daemon of every host, with machine pids."""
        return {host: self._status_of(host) for host in self.names()}

    def dead_daemons(self) -> list[tuple[str, str]]:
        """Return host and name of every daemon that ended by itself; none if the lab is not up."""
        with contextlib.suppress(LabError):
            return [(host, one.name) for host, all_ in self.status().items() for one in all_ if one.died]
        return []

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Return when `condition()` is true; raise LabError with `what` and the logs to read after `seconds`."""
        end, pause = time.monotonic() + seconds, POLL_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise LabError(
                    f"Not within {seconds:g} s: {what}. Read the logs in {self._state.all_logs}"
                    + "".join(f"\n{tail(self._state.log(host, name))}" for host, name in self.dead_daemons())
                )
            time.sleep(pause)
            pause = min(1.5 * pause, LONGEST_POLL_SECONDS)

    def _status_of(self, host: str) -> tuple[DaemonStatus, ...]:
        first = self.first_process(host)
        statuses = control.ask(self._state, host, Verb.STATUS)
        return tuple(replace(one, pid=control.machine_pid(first, one.pid)) for one in statuses)
