"""G1 and G3: whether this machine finds a job's node, and bytes go there and back."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from urllib.parse import urlsplit

from kerberos_auth.outcome import Outcome, State
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh.connection import ForwardingForbidden
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh.tunnels import addresses
from slurm_ssh_spawner.doctor.site.forwarding import is_name_unknown
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, skipped, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_SECONDS = 10.0
_LONGEST = 200
_PORT = re.compile(r"[0-9]{4,5}")
_LOWEST, _HIGHEST = 1024, 65535
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def is_hub_away(api_url: str) -> bool:
    """Return whether this machine itself finds nobody where jobs are to look for the hub."""
    where = urlsplit(api_url)
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(where.hostname, port)
    except (OSError, TimeoutError):
        return True
    writer.close()
    return False


async def to_node(visit: Visit, pool: ConnectionPool, node: str, port: str | None, word: str) -> list[Outcome]:
    """Return whether a node is found, and a program on its port, None for none, that answers with a word."""
    host = visit.site.node_address.replace("{node}", node)
    named = {"node": node, "host": host, "port": port or "", "site": visit.key}
    if visit.site.tunnel.kind == "ssh":
        first = outcome("G1", State.OK, sentences.NAMED_BY_FRONT_END.format(**named))
        address = host
    else:
        first, address = await _found(visit, named)
    if not address:
        return [first, *skipped(("G3",), sentences.NOT_WITHOUT_ADDRESS)]
    # A job that makes one up leads nowhere else.
    if port is None or not _PORT.fullmatch(port) or not _LOWEST <= int(port) <= _HIGHEST:
        return [first, *skipped(("G3",), sentences.NOT_WITHOUT_PORT)]
    return [first, await _through(visit, pool, address, int(port), word, named)]


async def _found(visit: Visit, named: dict[str, str]) -> tuple[Outcome, str]:
    """G1: Return the address of a node, as the hub itself looks it up; "" for none."""
    place = visit.place("node_address")
    try:
        async with asyncio.timeout(_SECONDS):
            address = await addresses.of_node(named["host"])
    except (OSError, TimeoutError) as error:
        text = sentences.NODE_NOT_FOUND.format(**named, said=quoted(str(error) or sentences.NO_ANSWER))
        return outcome("G1", State.FAIL, text, sentences.SEE_NODE_ADDRESS, place), ""
    except ValueError as error:
        text = sentences.NO_ADDRESS_OF_A_NODE.format(**named, said=quoted(str(error)))
        return outcome("G1", State.FAIL, text, sentences.SEE_NODE_ADDRESS, place), ""
    return outcome("G1", State.OK, sentences.NODE_FOUND.format(**named, address=address)), address


async def _through(
    visit: Visit, pool: ConnectionPool, address: str, port: int, word: str, named: dict[str, str]
) -> Outcome:
    """G3: Return whether the job gives back what it is sent."""
    sent = token_hex(8)
    is_tunnel = visit.site.tunnel.kind == "ssh"
    try:
        async with asyncio.timeout(_SECONDS), _stream(visit, pool, address, port) as (reader, writer):
            writer.write(sent.encode())
            await writer.drain()
            said = (await reader.read(_LONGEST)).decode("utf-8", "replace")
    except ForwardingForbidden:
        text, fix = sentences.THROUGH_FORBIDDEN.format(**named), sentences.ALLOW_THROUGH
        return outcome("G3", State.FAIL, text, fix)
    except LaunchError as error:
        return outcome("G3", State.FAIL, told(error), sentences.TRY_AGAIN)
    except (OSError, TimeoutError, ConnectionLost) as error:
        reason = _reason(error)
        text = (sentences.NOT_THROUGH if is_tunnel else sentences.NOT_REACHED).format(**named, said=quoted(reason))
        fix = sentences.OPEN_NODES_TO_FRONT_END if is_tunnel else sentences.OPEN_NODES.format(**named)
        if is_tunnel and is_name_unknown(reason):
            return outcome("G3", State.FAIL, text, sentences.SEE_NODE_ADDRESS, visit.place("node_address"))
        return outcome("G3", State.FAIL, text, fix, visit.place("tunnel"))
    if said.strip() != f"{word} {sent}":
        text = sentences.ANOTHER_ANSWERS.format(**named, said=quoted(said))
        return outcome("G3", State.FAIL, text, sentences.SEE_NODE_ADDRESS, visit.place("node_address"))
    text = sentences.THROUGH if is_tunnel else sentences.REACHED
    return outcome("G3", State.OK, text.format(**named))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or sentences.NO_ANSWER


@asynccontextmanager
async def _stream(visit: Visit, pool: ConnectionPool, address: str, port: int) -> AsyncIterator[_Stream]:
    if visit.site.tunnel.kind == "ssh":
        async with (
            pool.connection(visit.login, visit.site) as connection,
            connection.stream(address, port, Deadline.after(_SECONDS)) as stream,
        ):
            yield stream
        return
    reader, writer = await asyncio.open_connection(address, port)
    try:
        yield reader, writer
    finally:
        writer.close()
