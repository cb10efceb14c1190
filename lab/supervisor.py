"""The first process of a host after its start: it keeps the daemons, reaps what ends, and obeys commands."""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab import control
from lab.control import DaemonStatus, Verb
from lab.daemons import Daemon
from lab.errors import LabError
from lab.folders import SYSTEM_PATH

READY_SECONDS = 240
END_SECONDS = 240


class Supervisor:
    """Runs the daemons of one host; `log_folder` is an open folder of the machine that gets a log for each."""

    def __init__(self, daemons: tuple[Daemon, ...], log_folder: int) -> None:
        self._daemons = {daemon.name: daemon for daemon in daemons}
        self._log_folder = log_folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._frozen: set[str] = set()
        self._told_to_end: set[str] = set()
        self._exit_codes: dict[str, int] = {}
        self._prepared: set[str] = set()

    def start_all(self) -> None:
        """Start every daemon in order, each as soon as the one before is ready."""
        for name, daemon in self._daemons.items():
            self.start(name)
            if daemon.ready and not self._wait_until(daemon.ready, READY_SECONDS):
                return

    def start(self, name: str) -> None:
        """Start a daemon that does not run; its log goes on."""
        daemon = self._daemons[name]
        if name in self._running:
            raise LabError(f"{name} runs already.")
        for folder in daemon.folders:
            path = Path(folder.path)
            path.mkdir(parents=True, exist_ok=True)
            shutil.chown(path, folder.owner, folder.owner)
            path.chmod(folder.mode)
        log = os.open(f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o644, dir_fd=self._log_folder)
        try:
            if daemon.preparation and name not in self._prepared:
                self._prepare(daemon, log)
            self._running[name] = _spawn(daemon, daemon.argv, log)
        finally:
            os.close(log)
        self._told_to_end.discard(name)
        self._exit_codes.pop(name, None)

    def _prepare(self, daemon: Daemon, log: int) -> None:
        code = _spawn(daemon, daemon.preparation, log).wait()
        if code != 0:
            raise LabError(f"{daemon.preparation[0]}, which {daemon.name} needs, ended with {code}.")
        self._prepared.add(daemon.name)

    def serve(self, listener: socket.socket) -> None:
        """Reap and obey for ever."""
        wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._reap()
        while True:
            ready, _, _ = select.select([listener.fileno(), wake], [], [])
            if wake in ready:
                os.read(wake, 4096)
                self._reap()
            if listener.fileno() in ready:
                connection, _ = listener.accept()
                with connection:
                    self._obey(connection)

    def _obey(self, connection: socket.socket) -> None:
        try:
            if command := control.receive(connection):
                verb, name = command
                if verb is not Verb.STATUS:
                    self._carry_out(verb, name)
                control.answer(connection, self._statuses())
        except LabError as error:
            control.refuse(connection, str(error))
        except OSError as error:
            # The host must outlive a client that went away and a program that cannot be started.
            with contextlib.suppress(OSError):
                control.refuse(connection, f"it did not work: {error}.")

    def _carry_out(self, verb: Verb, name: str) -> None:
        if name not in self._daemons:
            known = ", ".join(self._daemons) or "none"
            raise LabError(f"there is no daemon {name!r} on this host. Its daemons are: {known}.")
        if verb is Verb.START:
            self.start(name)
            self._wait_for(name)
            return
        if name not in self._running:
            raise LabError(f"{name} does not run.")
        if verb is Verb.FREEZE:
            self._running[name].send_signal(signal.SIGSTOP)
            self._frozen.add(name)
        elif verb is Verb.THAW:
            self._running[name].send_signal(signal.SIGCONT)
            self._frozen.discard(name)
        else:
            self._end(name, signal.SIGKILL if verb is Verb.KILL else signal.SIGTERM)

    def _wait_for(self, name: str) -> None:
        """Return when a daemon answers, or has ended, which its status tells."""
        ready = self._daemons[name].ready
        if ready and not self._wait_until(lambda: name not in self._running or ready(), READY_SECONDS):
            raise LabError(f"{name} runs, but did not answer within {READY_SECONDS} s.")

    def _end(self, name: str, how: signal.Signals) -> None:
        self._told_to_end.add(name)
        self._running[name].send_signal(how)
        if not self._wait_until(lambda: name not in self._running, END_SECONDS):
            raise LabError(f"{name} did not end within {END_SECONDS} s of {how.name}. Try `fault kill`.")

    def _wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            self._reap()
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def _reap(self) -> None:
        """Take the exit code of every process that ended: as process 1 the host inherits all orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, process in list(self._running.items()):
                if process.pid == pid:
                    # Popen must not look for a process that is no longer there to be waited for.
                    process.returncode = os.waitstatus_to_exitcode(status)
                    self._exit_codes[name] = process.returncode
                    del self._running[name]
                    self._frozen.discard(name)

    def _statuses(self) -> tuple[DaemonStatus, ...]:
        return tuple(self._status(name) for name in self._daemons)

    def _status(self, name: str) -> DaemonStatus:
        if name in self._running:
            condition = "frozen" if name in self._frozen else "running"
            return DaemonStatus(name, self._running[name].pid, condition)
        if name in self._exit_codes and name not in self._told_to_end:
            return DaemonStatus(name, 0, f"ended with {self._exit_codes[name]}")
        return DaemonStatus(name, 0, "stopped")


def _spawn(daemon: Daemon, argv: tuple[str, ...], log: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"} | daemon.environment,
        user=daemon.user,
        group=daemon.user if daemon.user != "nobody" else "nogroup",
        extra_groups=[],
        start_new_session=True,
        pass_fds=daemon.inherited,
        umask=daemon.umask,
    )
