"""What a front end says of itself before anybody has logged in: its keys, and how people may begin a login."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncssh

from profiles.catalogue.site import FrontEnd

# Of each question.
SECONDS = 8
# RFC 4253, 4.2: there may be lines before the one that says what a server speaks.
_MOST_LINES = 20
_LONGEST_LINE = 8 * 1024
# A server that has none of a kind ends the connection, so each kind is asked for alone.
_KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


@dataclass(frozen=True)
class SeenKey:
    """A host key that a front end shows: `words` as in the catalogue, `fingerprint` as ssh-keygen prints it."""

    words: str
    fingerprint: str


async def host_keys(front_end: FrontEnd) -> tuple[SeenKey, ...]:
    """Return the host keys that a front end shows, one of each kind that it has; none if it says nothing."""
    found = await asyncio.gather(*(shown(front_end, kinds) for kinds in _KINDS))
    return tuple(SeenKey(words(key), key.get_fingerprint()) for key in found if key is not None)


async def shown(front_end: FrontEnd, kinds: tuple[str, ...] = ()) -> asyncssh.SSHKey | None:
    """Return a host key of a front end, of one of these kinds if any are named, None if it shows none."""
    wanted: dict[str, Any] = {"server_host_key_algs": kinds} if kinds else {}
    try:
        async with asyncio.timeout(SECONDS):
            return await asyncssh.get_server_host_key(front_end.host, front_end.port, config=None, **wanted)
    except (OSError, TimeoutError, asyncssh.Error):
        return None


async def said_first(front_end: FrontEnd, seconds: float) -> str:
    """Return the line by which a server says what it speaks, the first one if none does, "" if it hangs up before.

    Raises TimeoutError, or OSError if nobody takes the connection.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(front_end.host, front_end.port, limit=_LONGEST_LINE)
        try:
            return await _speaks(reader)
        finally:
            writer.transport.abort()


async def _speaks(reader: asyncio.StreamReader) -> str:
    first = ""
    for _ in range(_MOST_LINES):
        try:
            line = (await reader.readline()).decode("utf-8", "replace").strip()
        except ConnectionResetError:
            return first
        except ValueError:
            # A line that is longer than any greeting.
            return first or "?"
        if line.startswith("SSH-"):
            return line
        if not line:
            return first
        first = first or line
    return first


async def offered(front_end: FrontEnd, owner: str) -> frozenset[str] | None:
    """Return by what methods a front end lets people begin a login, as ssh names them; None if it does not say."""
    host, port = front_end.host, front_end.port
    limits = asyncssh.SSHClientConnectionOptions(connect_timeout=SECONDS, login_timeout=SECONDS)
    try:
        return frozenset(await asyncssh.get_server_auth_methods(host, port, owner, config=None, options=limits))
    except (OSError, asyncssh.Error):
        return None


def words(key: asyncssh.SSHKey) -> str:
    """Return the kind and the blob of a public key."""
    return " ".join(key.export_public_key().decode("ascii", "replace").split()[:2])
