"""Makes SSH connections as a person, with what proves that they are for the person."""

import asyncio
import logging
import socket

import asyncssh

from profiles.catalogue.site import FrontEnd
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, FrontEndRefused
from slurm_ssh.ssh import greeting
from slurm_ssh.ssh.connection import BUSY_SECONDS, Connection
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.proof import Proof, Refusal
from slurm_ssh.ssh.unreadable import LONGEST_QUOTE

# For one front end, from TCP to login.
CONNECT_SECONDS = 8
# And so much more for one that has greeted: where many log in at once, sshd takes its time for each.
LOGIN_SECONDS = 12
# A host that vanished is noticed after (count + 1) * interval: soon enough to use another while a page waits.
_KEEPALIVE_COUNT = 2

_AUTHORITY = "@cert-authority"

_log = logging.getLogger(__name__)


class FrontEndSilent(Exception):  # noqa: N818
    """A front end could not be connected to; another one may do."""


class FrontEndUnknown(FrontEndSilent):
    """No front end has this name."""


class FrontEndBusy(FrontEndSilent):
    """A front end hung up before the login or took too long, as when too many log in; it may be tried again."""


class LoginServersSilent(FrontEndSilent):
    """A front end answers, and no KDC does that would give a ticket for it; another one may have such a ticket."""


async def connect(front_end: FrontEnd, login: Login, proof: Proof, title: str) -> Connection:
    """Connect to one front end of the site called `title`, and make sure that a ticket went along.

    Raises FrontEndSilent, FrontEndRefused, Broken (host key), Unavailable (a KDC is dead) or Refused (ticket not
    delegated).
    """
    host, hearing = front_end.host, _Hearing()
    try:
        ssh = await _in_time(front_end, login.owner, proof, hearing)
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
        seen = hearing.seen or await greeting.shown(front_end)
        if seen is None or greeting.words(seen) in {" ".join(key.split(" ")[:2]) for key in front_end.host_keys}:
            raise FrontEndSilent(f"{host}: {error}") from error
        raise Broken(sentences.HOST_KEY_UNKNOWN.format(host=host), seen_key(host, seen)) from error
    except asyncssh.PermissionDenied as error:
        offered = await greeting.offered(front_end, login.owner)
        raise await proof.refused(Refusal(host, title, offered, hearing.is_asked_more, str(error))) from error
    except (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError) as error:
        # A reset is what comes of a hang-up before all was read that this side had sent.
        if said := hearing.banner.strip():
            says = sentences.NOT_LET_IN_SAYING.format(host=host)
            raise FrontEndRefused(says, quoted=said[-LONGEST_QUOTE:]) from error
        raise FrontEndBusy(f"{host}: {error}") from error
    except socket.gaierror as error:
        kind = FrontEndUnknown if error.errno == socket.EAI_NONAME else FrontEndSilent
        raise kind(f"{host}: {error}") from error
    except (OSError, TimeoutError, asyncssh.DisconnectError) as error:
        raise FrontEndSilent(f"{host}: {str(error) or 'no answer'}") from error
    await proof.check(ssh, host, title)
    _log.info("connected to %s as %s for %s", host, login.owner, login.user)
    return Connection(host, ssh)


class _Hearing(asyncssh.SSHClient):
    """Hears what a front end says while it decides about a login; answers no question."""

    def __init__(self) -> None:
        self.banner = ""
        self.is_asked_more = False
        self.seen: asyncssh.SSHKey | None = None
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep what may have to be given up."""
        self._connection = conn

    @property
    def is_greeted(self) -> bool:
        """Whether the front end has said that it speaks SSH."""
        return bool(self._connection and self._connection.get_extra_info("server_version"))

    def abort(self) -> None:
        """Give the connection up, however far the login is."""
        if self._connection:
            self._connection.abort()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Keep the key of a front end that is not in the catalogue, and refuse it."""
        self.seen = key
        return False

    def auth_banner_received(self, msg: str, lang: str) -> None:  # noqa: ARG002 - asyncssh's signature
        """Keep what is shown before the login: many sites greet so, and PAM says so why it refuses."""
        self.banner += msg

    def kbdint_auth_requested(self) -> None:
        """Note that a question would be asked, and leave it unanswered."""
        self.is_asked_more = True


def seen_key(host: str, key: asyncssh.SSHKey) -> str:
    """Return what the log says of a host key, ready to be compared and pasted."""
    return (
        f"{host} shows {greeting.words(key)} ({key.get_fingerprint()}): if that is what `ssh-keygen -lf` says "
        "there of its /etc/ssh/ssh_host_*_key.pub, add it to host_keys"
    )


async def _in_time(
    front_end: FrontEnd, owner: str, proof: Proof, hearing: _Hearing
) -> asyncssh.SSHClientConnection:
    """Return the connection.  Raises what asyncssh does, TimeoutError, FrontEndBusy or LoginServersSilent."""
    connecting = asyncio.create_task(_connect(front_end, owner, proof, hearing))
    try:
        await asyncio.wait((connecting,), timeout=CONNECT_SECONDS)
        if not connecting.done() and hearing.is_greeted:
            if held_up := await proof.is_held_up(front_end.host):
                raise LoginServersSilent(f"{front_end.host}: answers, and {held_up}")
            await asyncio.wait((connecting,), timeout=LOGIN_SECONDS)
            if not connecting.done():
                seconds = CONNECT_SECONDS + LOGIN_SECONDS
                raise FrontEndBusy(f"{front_end.host}: answers, and let nobody in within {seconds} s")
        if not connecting.done():
            raise TimeoutError
        return connecting.result()
    except (asyncio.CancelledError, TimeoutError, FrontEndSilent):
        # asyncssh leaves a connection open whose caller waits no longer; it may have come in this very moment.
        hearing.abort()
        connecting.cancel()
        raise


async def _connect(
    front_end: FrontEnd, owner: str, proof: Proof, hearing: _Hearing
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        front_end.host,
        front_end.port,
        username=owner,
        known_hosts=_known_hosts(front_end),
        client_factory=lambda: hearing,
        # GSS key exchange would go past the host keys and end the connection when the ticket ends.
        gss_kex=False,
        # Nothing of the hub's own account may speak for a person.
        config=None,
        agent_path=None,
        password=None,
        **proof.options(front_end.host),
        disable_trivial_auth=True,
        encryption_algs=["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
        # A front end could send little that becomes much.
        compression_algs=["none"],
        connect_timeout=None,
        login_timeout=0,
        keepalive_interval=BUSY_SECONDS,
        keepalive_count_max=_KEEPALIVE_COUNT,
    )


def _known_hosts(front_end: FrontEnd) -> asyncssh.SSHKnownHosts:
    pattern = front_end.host if front_end.port == 22 else f"[{front_end.host}]:{front_end.port}"
    return asyncssh.import_known_hosts("".join(f"{_known(pattern, key)}\n" for key in front_end.host_keys))


def _known(pattern: str, key: str) -> str:
    """Return the line of known_hosts for a host key, or for that of an authority, which has a mark before it."""
    of_authority = key.removeprefix(f"{_AUTHORITY} ")
    return f"{pattern} {key}" if of_authority == key else f"{_AUTHORITY} {pattern} {of_authority}"
