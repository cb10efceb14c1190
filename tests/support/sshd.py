"""A front end on loopback: an SSH server that takes Kerberos tickets and runs programs in a real shell."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.channel import MSG_CHANNEL_CLOSE

from profiles.catalogue.site import FrontEnd

HOST = "localhost"

_WINDOW_BYTES = 256 * 1024


class Sshd:
    """Knows the accounts `people`, and writes down who came, what ran and what was asked of it.

    `tried` are the names that began a login, `logins` those that were let in, `asked` where clients wanted to be
    carried to, which is always this machine; `most_running` counts the programs that ran at the same time.
    `shell` is a command that is run as a login shell, in place of a real one; without a `keytab` people log in by
    `client_key`.  `greeting` is shown before the login, `closed` hangs up after it, and as many logins as `stuck`
    says get no answer; `drops` hangs up as soon as a session is open.  `menu` is said instead of running a
    program; nodes that are `dark` answer nobody who wants to be carried to them.  The public key of an `authority`
    lets in by certificate whoever one names.

    As unkind as OpenSSH: a connection has at most `sessions` at once, and one that its client has closed is one of
    them until its program has ended; of connections that are not logged in yet there are at most `startups`, and
    one more is hung up on, as at the hard end of MaxStartups.
    """

    def __init__(self, keytab: str, home: Path, shell: str = "") -> None:
        self.home = home
        self.shell = shell
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.people = {"alice", "bob"}
        self.forwards = True
        self.greeting = ""
        self.closed = False
        self.stuck = 0
        self.menu = ""
        self.dark = False
        self.authority = ""
        self.drops = False
        self.sessions = 10
        self.startups = 100
        self.turned_away = 0
        self.port = 0
        self.tried: list[str] = []
        self.logins: list[str] = []
        self.asked: list[tuple[str, int]] = []
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.coming: set[asyncssh.SSHServerConnection] = set()
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
        trusted = f"cert-authority {self.authority}\n" if self.authority else ""
        keys = asyncssh.import_authorized_keys(trusted + self.client_key.export_public_key().decode())
        by_ticket = {"gss_host": HOST, "gss_store": {"keytab": f"FILE:{self._keytab}", "rcache": "none:"}}
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Login(self),
            server_host_keys=[self._key],
            gss_kex=False,
            # Without a replay cache nothing is written outside the test's folders.
            **(by_ticket if self._keytab else {"gss_host": None, "authorized_client_keys": keys}),
            **options,
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

    async def begin(self, command: str) -> asyncio.subprocess.Process:
        """Begin what the login shell makes of a command."""
        asked = f"cat >/dev/null; echo '{self.menu}'" if self.menu else self.shell or command
        program = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            asked,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "USER": "alice",
                # By this a shell knows that it has to read its start-up file.
                "SSH_CLIENT": "127.0.0.1 1 22",
                "SSH_ORIGINAL_COMMAND": command,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._programs.append(program)
        return program


class _Session:
    """One program of one connection: over when the program has ended, whatever the client does."""

    def __init__(self, sshd: Sshd, channel: Any, over: Callable[[], None]) -> None:
        self._sshd = sshd
        self._channel = channel
        self._over = over
        self._is_running = self._is_left = False
        self._copying: asyncio.Future[Any] | None = None
        self._close: tuple[Any, ...] | None = None
        self._program: asyncio.subprocess.Process | None = None
        self._process_packet = channel.process_packet
        channel.process_packet = self._received

    def _received(self, kind: int, *packet: Any) -> Any:
        """Answer the client's CLOSE when the program has ended, and let nobody hear or feed it until then."""
        if kind != MSG_CHANNEL_CLOSE or not self._is_running:
            return self._process_packet(kind, *packet)
        self._close = (kind, *packet)
        self.hang_up()
        return True

    def kill(self, name: str) -> None:
        """Send a signal to the program and all that it has begun."""
        if self._program and self._program.returncode is None:
            os.killpg(self._program.pid, getattr(signal, f"SIG{name}"))

    def hang_up(self) -> None:
        """Let nobody hear or feed the program any more, which may be about to begin."""
        self._is_left = True
        if self._copying:
            self._copying.cancel()

    async def run(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        self._sshd.running += 1
        self._sshd.most_running = max(self._sshd.most_running, self._sshd.running)
        self._is_running = True
        try:
            # A client that is gone needs no answer.
            with contextlib.suppress(OSError, asyncssh.Error):
                await self._answer(process)
        finally:
            self._is_running = False
            self._sshd.running -= 1
            if self._close:
                self._process_packet(*self._close)
            self._over()

    async def _answer(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Run the program, with its output on its way while it runs, as a real front end has it."""
        program = self._program = await self._sshd.begin(process.command or "exit")
        feeding = asyncio.create_task(_feed(process.stdin, program.stdin))
        telling = asyncio.create_task(self._tell_status(program))
        self._copying = asyncio.gather(
            _copy(program.stdout, process.stdout), _copy(program.stderr, process.stderr)
        )
        if self._is_left:
            self._copying.cancel()
        try:
            await self._copying
        except (asyncio.CancelledError, OSError, asyncssh.Error):
            _deaf(program)
        finally:
            feeding.cancel()
            telling.cancel()
        is_told, status = telling.done() and not telling.cancelled(), await program.wait()
        # That it may have left its input unread is no error of anybody.
        with contextlib.suppress(OSError):
            program.stdin.close()
            await program.stdin.wait_closed()
        if is_told:
            process.close()
        else:
            process.exit(status)

    async def _tell_status(self, program: asyncio.subprocess.Process) -> None:
        """Say how a program ended as soon as it has, whoever still holds its outputs open."""
        while program.returncode is None:  # noqa: ASYNC110 - its own `wait` waits for those too
            await asyncio.sleep(0.05)
        with contextlib.suppress(OSError):
            self._channel._send_request(b"exit-status", asyncssh.packet.UInt32(program.returncode & 0xFF))


def _deaf(program: asyncio.subprocess.Process) -> None:
    """Close a program's pipes: it finds the end of its input, and is killed by its next word."""
    transport: Any = program._transport  # type: ignore[attr-defined]
    for number in (0, 1, 2):
        transport.get_pipe_transport(number).close()


async def _copy(source: Any, sink: Any) -> None:
    # Else asyncssh takes ever more from its client than can be handed on.
    while data := await source.read(_WINDOW_BYTES):
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
        self._sessions = 0
        self._begun: list[_Session] = []

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._sshd.connections.append(conn)
        if len(self._sshd.coming) < self._sshd.startups:
            self._sshd.coming.add(conn)
            return
        self._sshd.turned_away += 1
        transport = self._connection._transport
        transport.write(b"Exceeded MaxStartups\r\n")
        transport.abort()

    def auth_completed(self) -> None:
        self._sshd.coming.discard(self._connection)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._sshd.coming.discard(self._connection)
        self._sshd.connections.remove(self._connection)
        for session in self._begun:
            session.hang_up()

    def session_requested(self) -> Any:
        if self._sessions >= self._sshd.sessions:
            return False
        self._sessions += 1
        if self._sshd.drops:
            asyncio.get_running_loop().call_soon(self._connection.abort)
        channel = self._connection.create_server_channel(encoding=None, window=_WINDOW_BYTES)
        session = _Session(self._sshd, channel, self._session_over)
        self._begun.append(session)
        process: Any = asyncssh.SSHServerProcess(session.run, None, 3, False)
        process.signal_received = session.kill
        return channel, process

    def _session_over(self) -> None:
        self._sessions -= 1

    async def begin_auth(self, username: str) -> bool:
        self._sshd.tried.append(username)
        if self._sshd.greeting:
            self._connection.send_auth_banner(self._sshd.greeting)
        if self._sshd.closed:
            self._connection.abort()
        if self._sshd.stuck:
            self._sshd.stuck -= 1
            await asyncio.Event().wait()
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
        if self._sshd.dark:
            return _never()
        return self._connection.forward_connection("127.0.0.1", dest_port)


async def _never() -> Any:
    await asyncio.Event().wait()


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
async def running_for_key(home: Path, shell: str = "", authority: str = "") -> AsyncIterator[Sshd]:
    """Give a front end that lets people in by its `client_key`, and has `shell` for a login shell."""
    sshd = Sshd("", home, shell)
    sshd.authority = authority
    await sshd.start()
    try:
        yield sshd
    finally:
        await sshd.stop()
