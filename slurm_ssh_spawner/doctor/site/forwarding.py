"""E11: whether a front end carries connections on to nodes, where a site's tunnels need that."""

import re

from kerberos_auth.outcome import Outcome, State
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh.connection import ForwardingForbidden
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh_spawner.doctor.site import pbs, slurm
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
# That of its sshd; a node that has none still says so, and then it was reached.
_PORT = 22
_SECONDS = 6.0
_NO_NAME = re.compile(r"not known|resolve|resolution|no address|nodename", re.IGNORECASE)
_REACHED = re.compile(r"refused|Errno 111\b", re.IGNORECASE)


async def look(visit: Visit, pool: ConnectionPool, host: str) -> Outcome:
    """E11: Return whether a front end, by its name, leads on to a node."""
    node = await _a_node(visit, pool)
    if not node:
        named = {"scheduler": visit.site.scheduler.name, "site": visit.key}
        return outcome("E11", State.SKIP, sentences.NO_NODE_KNOWN.format(**named))
    address = visit.site.node_address.replace("{node}", node)
    named = {"host": host, "node": node, "address": address, "site": visit.key}
    try:
        async with (
            pool.connection(visit.login, visit.site) as connection,
            connection.stream(address, _PORT, Deadline.after(_SECONDS)),
        ):
            pass
    except ForwardingForbidden:
        fix = sentences.ALLOW_FORWARDING.format(**named)
        return outcome("E11", State.FAIL, sentences.FORWARDING_FORBIDDEN.format(**named), fix)
    except ConnectionLost as error:
        return _failed(visit, named, str(error))
    except LaunchError as error:
        return outcome("E11", State.FAIL, told(error), sentences.TRY_AGAIN)
    return outcome("E11", State.OK, sentences.FORWARDS.format(**named))


def is_name_unknown(said: str) -> bool:
    """Return whether a front end says of a channel that it could not look up the host's name."""
    return _NO_NAME.search(said) is not None


def _failed(visit: Visit, named: dict[str, str], said: str) -> Outcome:
    """Return what it means that a node could not be reached, though the front end tried."""
    if is_name_unknown(said):
        text, place = sentences.NODE_NOT_NAMED.format(**named), visit.place("node_address")
        return outcome("E11", State.FAIL, text, sentences.SEE_NODE_ADDRESS, place)
    if _REACHED.search(said):
        return outcome("E11", State.OK, sentences.FORWARDS.format(**named))
    text = sentences.NODE_NOT_REACHED.format(**named, said=quoted(said))
    return outcome("E11", State.WARN, text, sentences.PROVE_BY_JOB)


async def _a_node(visit: Visit, pool: ConnectionPool) -> str:
    """Return the name of a node that is up, "" if the scheduler names none."""
    question = pbs.a_node if visit.site.scheduler.kind == "pbs" else slurm.a_node
    try:
        answer = await visit.remote(pool).run(question(visit.site))
    except LaunchError:
        return ""
    name = answer.stdout.strip()
    return name if _NODE.fullmatch(name) else ""
