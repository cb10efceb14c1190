"""Whether the hub reaches a server without a tunnel, once that has reported its port."""

import asyncio
import logging
import os
from contextlib import suppress
from urllib.parse import urlsplit

from slurm_ssh.errors import Broken
from slurm_ssh.job import Job
from slurm_ssh_spawner import sentences

SECONDS = 10.0
_PAUSE_SECONDS = 0.5

_log = logging.getLogger(__name__)


async def check(job: Job, node: str, url: str) -> None:
    """Return once something listens at `url`.  Raises Broken if nothing does; the log says where to look."""
    where = urlsplit(url)
    reason = sentences.NO_ANSWER
    try:
        async with asyncio.timeout(SECONDS):
            # Nobody tells when a firewall opens, or a node's network is up.
            while reason := await _refusal(str(where.hostname), where.port or 0):  # noqa: ASYNC110
                await asyncio.sleep(_PAUSE_SECONDS)
            return
    except TimeoutError:
        pass
    tell_admins(job, f"{where.netloc}: {reason}")
    raise Broken(sentences.SERVER_UNREACHABLE.format(node=node, address=where.netloc, reason=reason))


def tell_admins(job: Job, problem: str) -> None:
    """Say in the log which keys of the catalogue decide how the hub reaches a job's node."""
    _log.error(
        "%s: the hub cannot reach its server (%s). See node_address of %s in the catalogue and the firewall "
        "before its nodes, or set tunnel: {kind: ssh} there.",
        job.mark,
        problem,
        job.site_key,
    )


async def _refusal(host: str, port: int) -> str:
    """Return the system's words if nobody takes a connection there, "" if somebody does."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
