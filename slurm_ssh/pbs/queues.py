"""What PBS says of its queues: one program to send, its answer to parse.  Pure."""

from collections.abc import Iterable
from datetime import datetime

from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import Nodes, PartitionFacts, SiteFacts
from slurm_ssh.pbs import answers, nodes, rows
from slurm_ssh.pbs.answers import Attributes
from slurm_ssh.pbs.jobs import command
from slurm_ssh.scheduler import UnreadableAnswer

_SERVER, _NODES = "== server", "== nodes"
# A queue whose jobs go on to others has no nodes itself.
_ROUTE = "Route"


def snapshot(site: Site) -> Shell:
    """Return the program that tells of queues, of the server, which has a default one, and of nodes."""
    queues = command(site, "qstat", "-Q", "-f", "-F", "json")
    server = command(site, "qstat", "-B", "-f", "-F", "json")
    parts = (queues, f"printf '\\n%s\\n' '{_SERVER}'", server, f"printf '\\n%s\\n' '{_NODES}'")
    return Shell(" && ".join((*parts, nodes.question(site))))


def parse_snapshot(stdout: str, asked_at: datetime) -> SiteFacts:
    """Return the queues as partitions; without nodes where these are not known.

    Raises UnreadableAnswer for an answer of another shape.
    """
    queues, came, rest = stdout.partition(f"\n{_SERVER}\n")
    server, ended, hosts = rest.partition(f"\n{_NODES}\n")
    if not (came and ended):
        raise UnreadableAnswer(f"qstat answered {stdout[:200]!r}")
    servers = answers.read(server, "Server").values()
    defaults = {answers.text_of(each, "default_queue") for each in servers}
    known = nodes.parse(hosts)
    partitions = {
        name: _queue(name, said, name in defaults, known) for name, said in answers.read(queues, "Queue").items()
    }
    return SiteFacts(partitions=partitions, asked_at=asked_at)


def _queue(name: str, said: Attributes, is_default: bool, hosts: Iterable[nodes.Alike]) -> PartitionFacts:
    limit = rows.seconds(answers.text_of(said, "resources_max", "walltime"))
    return PartitionFacts(
        is_up=answers.text_of(said, "enabled") == "True" and answers.text_of(said, "started") == "True",
        is_default=is_default,
        time_max_minutes=None if limit is None else limit // 60,
        groups=None,
        nodes=() if answers.text_of(said, "queue_type") == _ROUTE else _nodes(name, said, hosts),
    )


def _nodes(name: str, said: Attributes, hosts: Iterable[nodes.Alike]) -> tuple[Nodes, ...]:
    chunk = said.get("default_chunk")
    asked = {key: answers.text_of(chunk, key) for key in chunk} if isinstance(chunk, dict) else {}
    return nodes.of_queue(name, answers.text_of(said, "partition"), asked, hosts)
