"""How commands reach the first process of a host: a JSON line each way over a Unix socket in the state folder."""

import json
import socket
import struct
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from lab.errors import LabError
from lab.folders import StateFolder, short_path

ANSWER_SECONDS = 300
"""Longer than a daemon needs to be ready or to end."""


class Verb(Enum):
    """What the first process of a host can be told about one of its daemons."""

    START = "start"
    STOP = "stop"
    KILL = "kill"
    FREEZE = "freeze"
    THAW = "thaw"
    STATUS = "status"


@dataclass(frozen=True)
class DaemonStatus:
    """One daemon as its host sees it; `pid` counts in the host's PID namespace and is 0 when it does not run."""

    name: str
    pid: int
    condition: str
    """`running`, `frozen`, `stopped` (by command), or `ended with <exit code>` (by itself)."""

    @property
    def died(self) -> bool:
        """Whether it ended though nobody told it to."""
        return self.condition.startswith("ended")


def listen(state: StateFolder, host: str) -> socket.socket:
    """Open the socket of `host`."""
    state.control.mkdir(exist_ok=True)
    (state.control / host).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with short_path(state.control) as folder:
        listener.bind(f"{folder}/{host}")
    listener.listen()
    return listener


def ask(state: StateFolder, host: str, verb: Verb, daemon: str = "") -> tuple[DaemonStatus, ...]:
    """Send a command to `host` and return the condition of all its daemons afterwards.

    Raises LabError with the host's own sentence when it could not be done, and when the host does not answer.
    """
    try:
        with _connect(state, host) as connection, connection.makefile() as stream:
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(json.dumps({"verb": verb.value, "daemon": daemon}).encode() + b"\n")
            answer = json.loads(stream.readline() or '{"error": "it ended while it was asked."}')
    except OSError as error:
        raise LabError(f"{host} does not answer ({error}). Is the lab up?") from error
    if sentence := answer.get("error"):
        raise LabError(f"{host}: {sentence}")
    return tuple(DaemonStatus(**status) for status in answer["daemons"])


def answer(connection: socket.socket, statuses: tuple[DaemonStatus, ...]) -> None:
    """Send the answer to a command."""
    _send(connection, {"daemons": [asdict(status) for status in statuses]})


def refuse(connection: socket.socket, sentence: str) -> None:
    """Send the reason why a command was not carried out."""
    _send(connection, {"error": sentence})


def receive(connection: socket.socket) -> tuple[Verb, str] | None:
    """Return the command that waits on a connection, verb and daemon; None if its sender says nothing."""
    with connection.makefile() as stream:
        line = stream.readline()
    if not line:
        return None
    request = json.loads(line)
    return Verb(request["verb"]), request["daemon"]


def _send(connection: socket.socket, message: dict[str, object]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def first_process(state: StateFolder, host: str) -> int:
    """Return the machine pid of the first process of `host`; raises OSError when it does not listen."""
    with _connect(state, host) as connection:
        # The kernel translates the pid of whoever listens into our PID namespace.
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _connect(state: StateFolder, host: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        with short_path(state.control) as folder:
            connection.connect(f"{folder}/{host}")
    except OSError:
        connection.close()
        raise
    return connection


def machine_pid(parent: int, inner_pid: int) -> int:
    """Return the machine pid of the child of `parent` that is `inner_pid` in its own PID namespace; 0 if none."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        if f"{inner_pid}" in (line.split()[-1] for line in lines if line.startswith("NSpid:")):
            return int(child)
    return 0
