"""One SSH connection, made as a person with the person's own ticket.  The only module that knows asyncssh."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import asyncssh

from kerberos_auth.tickets import Ticket
from kernels.shell import Shell
from profiles.catalogue.site import FrontEnd
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, FrontEndRefused, Refused
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import REMOTE_COMMAND, Completed, ConnectionLost, unwrap, wrap

# For one front end, from TCP to login.
CONNECT_SECONDS = 8
# A host that vanished is noticed after (count + 1) * interval: soon enough to use another while a page waits.
KEEPALIVE_SECONDS = 3
KEEPALIVE_COUNT = 2
# sshd's MaxSessions is 10 by default.
COMMANDS_AT_ONCE = 8
LONGEST_ANSWER = 128 * 1024
"""Bytes that an answer may have, with all that a login shell prints around it, unless more is asked for."""

_LONGEST_QUOTE = 1000
# GSS_C_DELEG_FLAG of RFC 2744.
_DELEGATED = 1

_log = logging.getLogger(__name__)


class FrontEndSilent(Exception):  # noqa: N818
    """A front end could not be connected to; another one may do."""


class FrontEndBusy(FrontEndSilent):
    """A front end hung up before the login, as sshd does when too many log in at once; it may be tried again."""


class ForwardingForbidden(ConnectionLost):
    """A front end does not let people through to the address."""


class Connection:
    """One connection of one person to one front end."""

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self._ssh = ssh
        self._slots = asyncio.Semaphore(COMMANDS_AT_ONCE)
        self._last_used = asyncio.get_running_loop().time()
        self._running = 0
        self._has_abandoned = False

    @property
    def is_open(self) -> bool:
        """Whether the connection is up, as far as is known."""
        return not self._ssh.is_closed()

    @property
    def is_fresh(self) -> bool:
        """Whether further work may go over it: it is up, and no program was left behind on it.

        Such a program holds one of the sessions that the front end allows, until the connection is closed.
        """
        return self.is_open and not self._has_abandoned

    @property
    def idle_seconds(self) -> float:
        """How long nothing has run; 0 while something does."""
        return 0.0 if self._running else asyncio.get_running_loop().time() - self._last_used

    async def run(
        self,
        program: Shell,
        data: bytes = b"",
        *,
        environ: Mapping[str, str],
        timeout_seconds: float,
        limit_bytes: int = LONGEST_ANSWER,
    ) -> Completed:
        """Run a shell program with `data` on its stdin, in an emptied environment plus `environ`.

        Raises ConnectionLost; TimeoutError after `timeout_seconds`, however long the program goes on; Refused if
        it, or the login shell, prints more than `limit_bytes`, of which no more is ever kept.
        """
        marker = f"answer-{secrets.token_hex(8)}"
        sent = wrap(program, data, environ, marker)
        self._running += 1
        try:
            async with asyncio.timeout(timeout_seconds), self._slots:
                answer = await self._exchange(sent, marker, limit_bytes)
        finally:
            self._running -= 1
            self._last_used = asyncio.get_running_loop().time()
        return unwrap(*answer, marker)

    async def _exchange(self, sent: bytes, marker: str, limit_bytes: int) -> tuple[str, str]:
        try:
            process = await self._ssh.create_process(REMOTE_COMMAND, encoding=None)
            stdout, stderr = await self._outputs(process, sent, limit_bytes)
        except (asyncssh.ChannelOpenError, asyncssh.DisconnectError, OSError) as error:
            raise ConnectionLost(f"{self.host}: {error}") from error
        if process.exit_status is not None and marker not in stdout:
            raise Refused(
                sentences.NO_COMMANDS.format(host=self.host),
                quoted=(stdout + stderr).strip()[-_LONGEST_QUOTE:],
            )
        return stdout, stderr

    async def _outputs(
        self, process: "asyncssh.SSHClientProcess[bytes]", sent: bytes, limit_bytes: int
    ) -> tuple[str, str]:
        """Return what the program prints; it is left behind if that is too much or the caller waits no longer."""
        has_ended = False
        try:
            process.stdin.write(sent)
            process.stdin.write_eof()
            outputs = (self._read(process.stdout, limit_bytes), self._read(process.stderr, limit_bytes))
            stdout, stderr = await asyncio.gather(*outputs)
            await process.wait_closed()
            has_ended = True
        finally:
            if not has_ended:
                # OpenSSH closes its side only once the program has ended, so nothing here waits for that.
                process.channel.abort()
                self._has_abandoned = True
        return stdout, stderr

    async def _read(self, output: "asyncssh.SSHReader[bytes]", limit_bytes: int) -> str:
        try:
            await output.readexactly(limit_bytes + 1)
        except asyncio.IncompleteReadError as ended:
            return bytes(ended.partial).decode("utf-8", "replace")
        raise Refused(sentences.ANSWER_TOO_LONG.format(host=self.host, kilobytes=limit_bytes // 1024))

    @asynccontextmanager
    async def stream(
        self, host: str, port: int
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a TCP connection from the front end to `host`.

        Raises ForwardingForbidden, or ConnectionLost if it cannot be made or is lost.
        """
        self._running += 1
        try:
            reader, writer = await self._ssh.open_connection(host, port)
            try:
                # The two have all methods of asyncio's that a copy needs.
                yield cast(asyncio.StreamReader, reader), cast(asyncio.StreamWriter, writer)
            finally:
                writer.close()
        except asyncssh.ChannelOpenError as error:
            is_forbidden = error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            lost = ForwardingForbidden if is_forbidden else ConnectionLost
            raise lost(f"{self.host}: {error}") from error
        except asyncssh.DisconnectError as error:
            raise ConnectionLost(f"{self.host}: {error}") from error
        finally:
            self._running -= 1
            self._last_used = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Close the connection; the ticket delegated to the front end goes with it."""
        self._ssh.close()
        await self._ssh.wait_closed()


async def connect(front_end: FrontEnd, login: Login, ticket: Ticket, title: str) -> Connection:
    """Connect to one front end of the site called `title`, and make sure that the ticket went along.

    Raises FrontEndSilent, FrontEndRefused, Broken (host key) or Refused (ticket not delegated).
    """
    host, hearing = front_end.host, _Hearing()
    try:
        ssh = await _connect(front_end, login.owner, ticket.ccache, hearing)
    except asyncio.CancelledError:
        # asyncssh leaves the connection of a caller open who waits no longer.
        hearing.abort()
        raise
    except asyncssh.HostKeyNotVerifiable as error:
        raise Broken(sentences.HOST_KEY_UNKNOWN.format(host=host), str(error)) from error
    except asyncssh.PermissionDenied as error:
        if hearing.is_asked_more and await _starts_with_ticket_alone(front_end, login.owner):
            factor = sentences.SECOND_FACTOR.format(host=host, site=title)
            raise FrontEndRefused(factor, str(error)) from error
        raise FrontEndRefused(sentences.NOT_LET_IN.format(site=title), f"{host}: {error}") from error
    except asyncssh.ConnectionLost as error:
        if said := hearing.banner.strip():
            says = sentences.NOT_LET_IN_SAYING.format(host=host)
            raise FrontEndRefused(says, quoted=said[-_LONGEST_QUOTE:]) from error
        raise FrontEndBusy(f"{host}: {error}") from error
    except (OSError, TimeoutError, asyncssh.DisconnectError) as error:
        raise FrontEndSilent(f"{host}: {str(error) or 'no answer'}") from error
    if not _is_delegated(ssh):
        ssh.abort()
        raise Refused(sentences.NOT_FORWARDED.format(host=host))
    _log.info("connected to %s as %s for %s", host, login.owner, login.user)
    return Connection(host, ssh)


class _Hearing(asyncssh.SSHClient):
    """Hears what a front end says while it decides about a login; answers no question."""

    def __init__(self) -> None:
        self.banner = ""
        self.is_asked_more = False
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep what may have to be given up."""
        self._connection = conn

    def abort(self) -> None:
        """Give the connection up, however far the login is."""
        if self._connection:
            self._connection.abort()

    def auth_banner_received(self, msg: str, lang: str) -> None:  # noqa: ARG002 - asyncssh's signature
        """Keep what is shown before the login: many sites greet so, and PAM says so why it refuses."""
        self.banner += msg

    def kbdint_auth_requested(self) -> None:
        """Note that a question would be asked, and leave it unanswered."""
        self.is_asked_more = True


async def _starts_with_ticket_alone(front_end: FrontEnd, owner: str) -> bool:
    """Return whether questions are asked only once a ticket was accepted: so this one was."""
    try:
        first = await asyncssh.get_server_auth_methods(front_end.host, front_end.port, owner, config=None)
    except (OSError, asyncssh.Error):
        return False
    return "gssapi-with-mic" in first and "keyboard-interactive" not in first


async def _connect(
    front_end: FrontEnd, owner: str, ccache: str, hearing: _Hearing
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        front_end.host,
        front_end.port,
        username=owner,
        known_hosts=_known_hosts(front_end),
        client_factory=lambda: hearing,
        # The second only to notice that it is asked for.
        preferred_auth="gssapi-with-mic,keyboard-interactive",
        # GSS key exchange would go past the host keys and end the connection when the ticket ends.
        gss_kex=False,
        gss_store=ccache,
        gss_host=front_end.host,
        gss_delegate_creds=True,
        # Nothing of the hub's own account may speak for a person.
        config=None,
        agent_path=None,
        client_keys=None,
        password=None,
        disable_trivial_auth=True,
        encryption_algs=["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
        # A front end could send little that becomes much.
        compression_algs=["none"],
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVE_COUNT,
    )


def _known_hosts(front_end: FrontEnd) -> asyncssh.SSHKnownHosts:
    pattern = front_end.host if front_end.port == 22 else f"[{front_end.host}]:{front_end.port}"
    return asyncssh.import_known_hosts("".join(f"{pattern} {key}\n" for key in front_end.host_keys))


def _is_delegated(ssh: asyncssh.SSHClientConnection) -> bool:
    # asyncssh has no public way to ask; a login without delegation succeeds silently.
    context = ssh.get_gss_context()
    security = context._ctx if context else None
    return bool(security and security.actual_flags & _DELEGATED)
