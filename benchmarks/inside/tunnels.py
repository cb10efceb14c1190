"""What goes through tunnels: our keeper in a process of its own, and masters of OpenSSH with forwarded ports.

Runs on the hub's host as the hub's account, with the tickets of people who are logged in.  Arguments: the
site, the node and the port of `far_end`, then the names of people.  Prints what was measured as JSON.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, cast

import psutil

from kerberos_auth.store import TicketStore
from profiles.catalogue.site import Site
from profiles.loading import load
from slurm_ssh.deadline import Deadline
from slurm_ssh.job import new_launch_id
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.route import LOCAL_ADDRESS, Route, address

CATALOGUE = Path("/etc/jupyterhub/catalogue.yaml")
TICKETS = Path("/run/jupyterhub/krb5")
PORTS = range(25000, 25500)
ROUNDS = 5
MEGABYTES = 256
STREAMS = 20
ECHOES = 2000
OPENINGS = 50
CIPHER = "aes128-gcm@openssh.com"

OURS, OPENSSH = "our keeper", "ssh -M -O forward"
WAYS = (OURS, OPENSSH)


@dataclass
class Measured:
    """Of one way, a number for each round.

    `one` and `many` are MB/s by 1 and by 20 streams, `cpu` seconds of the process on the hub for each GB of these,
    `echo` and `connect` seconds; `first` and `person` are MB of memory: of everything for one person, and for one
    more.
    """

    one: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    cpu_one: list[float] = field(default_factory=list)
    cpu_many: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    connect: list[float] = field(default_factory=list)
    first: float = 0.0
    person: float = 0.0


@dataclass(frozen=True)
class Target:
    """Where all tunnels lead."""

    site_key: str
    node: str
    port: int

    @property
    def site(self) -> Site:
        """The catalogue's site."""
        return load.read(CATALOGUE).sites[self.site_key]

    def route(self, person: str) -> Route:
        """Return the way of one person."""
        return Route(new_launch_id(), Login(person, person, self.site_key), self.node, self.port)


class Kept:
    """Our keeper in a process of its own, which is told a person on each line and answers a port."""

    def __init__(self, target: Target, _folder: Path, stack: ExitStack) -> None:
        argv = [sys.executable, "-m", __spec__.name, target.site_key, target.node, str(target.port)]
        self._process = stack.enter_context(
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        self._says, self._hears = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)

    def open(self, person: str) -> int:
        """Open a tunnel of somebody and return its port."""
        self._says.write(f"{person}\n")
        self._says.flush()
        return int(self._hears.readline())

    def processes(self) -> list[psutil.Process]:
        """Return what it consists of."""
        return [psutil.Process(self._process.pid)]


class Masters:
    """One master of OpenSSH for each person, with the ports that it was told to forward."""

    def __init__(self, target: Target, folder: Path, stack: ExitStack) -> None:
        self._target = target
        self._folder = folder
        self._stack = stack
        self._ports = iter(PORTS[len(PORTS) // 2 :])
        self._masters: list[subprocess.Popen[bytes]] = []
        front_end = target.site.front_ends[0]
        self._host = front_end.host
        self._known = folder / "known_hosts"
        self._known.write_text("".join(f"{self._host} {key}\n" for key in front_end.host_keys))

    def open(self, person: str) -> int:
        """Open a tunnel of somebody and return its port."""
        port, socket_path = next(self._ports), self._folder / person
        if not socket_path.exists():
            self._begin(person, socket_path)
        site, route = self._target.site, self._target.route(person)
        forward = f"{LOCAL_ADDRESS}:{port}:{address(site, route)}:{route.port}"
        asked = ["ssh", "-F", "none", "-S", str(socket_path), "-O", "forward", "-L", forward, self._host]
        subprocess.run(asked, check=True, capture_output=True)
        return port

    def _begin(self, person: str, socket_path: Path) -> None:
        options = {
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self._known),
            "GlobalKnownHostsFile": "/dev/null",
            "GSSAPIAuthentication": "yes",
            "PreferredAuthentications": "gssapi-with-mic",
            "GSSAPIDelegateCredentials": "no",
            "ControlMaster": "yes",
            "ControlPath": str(socket_path),
            "ServerAliveInterval": "3",
            "ServerAliveCountMax": "2",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        argv = ["ssh", "-F", "none", "-N", "-c", CIPHER, *words, "-l", person, self._host]
        environment = {**os.environ, "KRB5CCNAME": f"FILE:{TICKETS / person}"}
        master = self._stack.enter_context(subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL))
        self._stack.callback(master.terminate)
        self._masters.append(master)
        while not socket_path.exists():
            if master.poll() is not None:
                raise RuntimeError(f"ssh as {person} ended with {master.returncode}")
            time.sleep(0.01)

    def processes(self) -> list[psutil.Process]:
        """Return what it consists of."""
        return [psutil.Process(master.pid) for master in self._masters]


MAKE: dict[str, Callable[[Target, Path, ExitStack], Kept | Masters]] = {OURS: Kept, OPENSSH: Masters}


def connected(port: int, wish: bytes) -> socket.socket:
    """Return a connection through a tunnel, with a wish for the far end on its way."""
    connection = socket.create_connection((LOCAL_ADDRESS, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(wish)
    return connection


def fetch(port: int, megabytes: int) -> None:
    """Have so much come through a tunnel."""
    buffer = bytearray(1024 * 1024)
    with connected(port, b"d" + megabytes.to_bytes(4, "big")) as connection:
        left = megabytes * 1024 * 1024
        while left:
            count = connection.recv_into(buffer)
            if not count:
                raise RuntimeError("the stream ended too early")
            left -= count


def fetch_by(port: int, streams: int) -> None:
    """Have all the megabytes come by so many streams at once."""
    threads = [threading.Thread(target=fetch, args=(port, MEGABYTES // streams)) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cpu_seconds(way: Kept | Masters) -> float:
    """Return what its processes have computed so far."""
    return sum(sum(process.cpu_times()[:2]) for process in way.processes())


def memory(way: Kept | Masters) -> float:
    """Return what its processes have in memory for themselves alone, in MB."""
    return sum(float(process.memory_full_info().uss) for process in way.processes()) / 1e6


def one_round(way: Kept | Masters, port: int, into: Measured) -> None:
    """Measure one way once."""
    for streams, speed, cpu in ((1, into.one, into.cpu_one), (STREAMS, into.many, into.cpu_many)):
        megabytes = MEGABYTES // streams * streams * 1024 * 1024 / 1e6
        computed, began = cpu_seconds(way), time.perf_counter()
        fetch_by(port, streams)
        speed.append(megabytes / (time.perf_counter() - began))
        cpu.append((cpu_seconds(way) - computed) / megabytes * 1000)
    echoes, openings = [], []
    with connected(port, b"e") as connection:
        for _ in range(ECHOES):
            began = time.perf_counter()
            connection.sendall(b"x")
            connection.recv(1)
            echoes.append(time.perf_counter() - began)
    for _ in range(OPENINGS):
        began = time.perf_counter()
        with connected(port, b"ex") as connection:
            connection.recv(1)
        openings.append(time.perf_counter() - began)
    into.echo.append(median(echoes))
    into.connect.append(median(openings))


def measure(target: Target, people: list[str]) -> dict[str, Measured]:
    """Measure both ways in turn, then open further people's tunnels."""
    found = {name: Measured() for name in WAYS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ways = {name: MAKE[name](target, Path(folder), stack) for name in WAYS}
        ports = {name: way.open(people[0]) for name, way in ways.items()}
        for name, way in ways.items():
            fetch(ports[name], 1)
            found[name].first = memory(way)
        for _ in range(ROUNDS):
            for name, way in ways.items():
                one_round(way, ports[name], found[name])
        for name, way in ways.items():
            before = memory(way)
            for person in people[1:]:
                fetch(way.open(person), 1)
            found[name].person = (memory(way) - before) / len(people[1:])
    return found


async def keep(target: Target) -> None:
    """Be our keeper: open a tunnel for each name that is read, until there are no more."""
    with tempfile.TemporaryDirectory() as folder:
        store, loop, site = TicketStore(Path(folder) / "krb5"), asyncio.get_running_loop(), target.site
        pool = ConnectionPool(store.get, 600)
        keeper = TunnelKeeper(pool, PORTS[: len(PORTS) // 2])
        while person := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            store.put(person, (TICKETS / person).read_bytes(), f"{person}@{store.realm}")
            print(await keeper.open(target.route(person), site, Deadline.after(30)), flush=True)
        await keeper.leave()
        await pool.close()


if __name__ == "__main__":
    site_key, node, port, *people = sys.argv[1:]
    target = Target(site_key, node, int(port))
    if people:
        found = measure(target, people)
        print(json.dumps({name: vars(each) for name, each in found.items()}))
    else:
        asyncio.run(keep(target))
