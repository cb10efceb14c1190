"""Ports of this machine for servers that a test begins a moment later."""

import os
import socket
from contextlib import suppress
from itertools import cycle

# Below those that a system gives to whoever asks for any, as clients do, and apart from the tunnels of a hub.
_FIRST, _EACH, _PARTS = 10_000, 1_000, 10


def _of_this_process() -> list[int]:
    """Return the ports of this process of pytest-xdist, each of which has its part of them, from anywhere on."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, at = _FIRST + worker % _PARTS * _EACH, os.getpid() % _EACH
    return [first + (at + number) % _EACH for number in range(_EACH)]


_ports = cycle(_of_this_process())


def free_port() -> int:
    """Return a port on which nobody listens now, and which nobody is given for another purpose."""
    for port in _ports:
        with suppress(OSError), socket.create_server(("", port)):
            return port
    raise AssertionError("there is always a next one")
