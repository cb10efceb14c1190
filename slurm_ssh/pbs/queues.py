"""What PBS says of its queues: one program to send, its answer to parse.  Pure.

Of nodes it is not asked: which of them are a queue's, a site says in ways of its own.
"""

from datetime import datetime

from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import PartitionFacts, SiteFacts
from slurm_ssh.pbs import answers, rows
from slurm_ssh.pbs.answers import Attributes
from slurm_ssh.pbs.jobs import command
from slurm_ssh.scheduler import UnreadableAnswer

_SERVER = "== server"


def snapshot(site: Site) -> Shell:
    """Return the program that tells of the queues, and of the server, which says which is the default one."""
    queues = command(site, "qstat", "-Q", "-f", "-F", "json")
    server = command(site, "qstat", "-B", "-f", "-F", "json")
    return Shell(f"{queues} && printf '\\n%s\\n' '{_SERVER}' && {server}")


def parse_snapshot(stdout: str, asked_at: datetime) -> SiteFacts:
    """Return the queues as partitions without nodes.  Raises UnreadableAnswer for an answer of another shape."""
    queues, came, server = stdout.partition(f"\n{_SERVER}\n")
    if not came:
        raise UnreadableAnswer(f"qstat answered {stdout[:200]!r}")
    servers = answers.read(server, "Server").values()
    defaults = {answers.text_of(each, "default_queue") for each in servers}
    partitions = {name: _queue(said, name in defaults) for name, said in answers.read(queues, "Queue").items()}
    return SiteFacts(partitions=partitions, asked_at=asked_at)


def _queue(said: Attributes, is_default: bool) -> PartitionFacts:
    limit = rows.seconds(answers.text_of(said, "resources_max", "walltime"))
    return PartitionFacts(
        is_up=answers.text_of(said, "enabled") == "True" and answers.text_of(said, "started") == "True",
        is_default=is_default,
        time_max_minutes=None if limit is None else limit // 60,
        groups=None,
        nodes=(),
    )
