"""A front end on loopback: an SSH server that takes Kerberos tickets and runs programs in a real shell."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh

from profiles.catalogue.site import FrontEnd

HOST = "localhost"


class Sshd:
    """Knows the accounts `people`, and writes down who came, what ran and what was asked of it.

    `tried` are the names that began a login, `logins` those that were let in, `asked` where clients wanted to be
    carried to, which is always this machine; `most_running` counts the programs that ran at the same time.
    `shell` is a command that is run as a login shell, in place of a real one; without a `keytab` people log in by
    `client_key`.  `greeting` is shown before the login, `closed` hangs up after it, `menu` is said instead of
    running a program.
    """

    def __init__(self, keytab: str, home: Path, shell: str = "") -> None:
        self.home = home
        self.shell = shell
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.people = {"alice", "bob"}
        self.forwards = True
        self.greeting = ""
        self.closed = False
        self.menu = ""
        self.port = 0
        self.tried: list[str] = []
        self.logins: list[str] = []
        self.asked: list[tuple[str, int]] = []
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.running = 0
        self.most_running = 0
        self._keytab = keytab
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._listener: asyncssh.SSHAcceptor | None = None
        self._programs: list[asyncio.subprocess.Process] = []

    @property
    def front_end(self) -> FrontEnd:
        """What the catalogue says of it."""
        return FrontEnd(host=HOST, port=self.port, host_keys=(self.host_key,))

    @property
    def host_key(self) -> str:
        """Its public host key, as in a .pub file."""
        return self._key.export_public_key().decode().strip()

    async def connect(self) -> asyncssh.SSHClientConnection:
        """Log in by the key."""
        return await asyncssh.connect(
            "127.0.0.1", self.port, username="alice", known_hosts=None, client_keys=[self.client_key], config=None
        )

    async def start(self, **options: Any) -> None:
        """Listen on a free port, with further options of asyncssh."""
        keys = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        by_ticket = {"gss_host": HOST, "gss_store": {"keytab": f"FILE:{self._keytab}", "rcache": "none:"}}
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Login(self),
            server_host_keys=[self._key],
            gss_kex=False,
            # Without a replay cache nothing is written outside the test's folders.
            **(by_ticket if self._keytab else {"gss_host": None, "authorized_client_keys": keys}),
            process_factory=self._run,
            **options,
            encoding=None,
        )
        self.port = self._listener.get_port()

    async def stop(self) -> None:
        """Cut every connection, end every program, and listen no more."""
        self.cut()
        for program in self._programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            await program.wait()
        if self._listener:
            self._listener.close()
            await self._listener.wait_closed()
        # Their sockets are closed by the loop, a turn or two later.
        for _ in range(20):
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Drop every connection without a word."""
        for connection in list(self.connections):
            connection.abort()

    async def _run(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            # A client that is gone needs no answer.
            with contextlib.suppress(OSError, asyncssh.Error):
                await self._answer(process)
        finally:
            self.running -= 1

    async def _answer(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Run the program, with its output on its way while it runs, as a real front end has it."""
        program = await self._begin(process.command or "exit")
        feeding = asyncio.create_task(_feed(process.stdin, program.stdin))
        try:
            await asyncio.gather(_copy(program.stdout, process.stdout), _copy(program.stderr, process.stderr))
            process.exit(await program.wait())
        finally:
            feeding.cancel()

    async def _begin(self, command: str) -> asyncio.subprocess.Process:
        asked = f"cat >/dev/null; echo '{self.menu}'" if self.menu else self.shell or command
        program = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            asked,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "USER": "alice",
                "SSH_ORIGINAL_COMMAND": command,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._programs.append(program)
        return program


async def _copy(source: Any, sink: Any) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


async def _feed(source: Any, sink: Any) -> None:
    # A program need not read what it is sent.
    with contextlib.suppress(OSError):
        await _copy(source, sink)
    sink.close()


class _Login(asyncssh.SSHServer):
    """One connection to an Sshd."""

    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd
        self._connection: Any = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._sshd.connections.append(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._sshd.connections.remove(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._sshd.tried.append(username)
        if self._sshd.greeting:
            self._connection.send_auth_banner(self._sshd.greeting)
        if self._sshd.closed:
            self._connection.abort()
        return True

    def validate_gss_principal(self, username: str, user_principal: str, _host_principal: str) -> bool:
        welcome = username in self._sshd.people and user_principal == f"{username}@LAB.TEST"
        if welcome:
            self._sshd.logins.append(username)
        return welcome

    def connection_requested(self, dest_host: str, dest_port: int, *_origin: Any) -> Awaitable[Any]:
        if not self._sshd.forwards:
            # What OpenSSH says with AllowTcpForwarding no.
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
        self._sshd.asked.append((dest_host, dest_port))
        return self._connection.forward_connection("127.0.0.1", dest_port)


@asynccontextmanager
async def running(keytab: str, home: Path) -> AsyncIterator[Sshd]:
    """Give a front end that listens, with `home` as everybody's home directory."""
    sshd = Sshd(keytab, home)
    await sshd.start()
    try:
        yield sshd
    finally:
        await sshd.stop()


@asynccontextmanager
async def running_for_key(home: Path, shell: str = "") -> AsyncIterator[Sshd]:
    """Give a front end that lets people in by its `client_key`, and has `shell` for a login shell."""
    sshd = Sshd("", home, shell)
    await sshd.start()
    try:
        yield sshd
    finally:
        await sshd.stop()
