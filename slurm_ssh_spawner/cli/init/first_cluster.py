"""The first cluster of a new hub, as its catalogue has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from profiles.facts import SiteFacts
from slurm_ssh_spawner.cli import add_site
from slurm_ssh_spawner.cli.add_site import Asked, FrontEnd
from slurm_ssh_spawner.cli.cluster import Places
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.init import files
from slurm_ssh_spawner.sentences import command_line as sentences

JUPYTER = "jupyterlab"


@dataclass(frozen=True)
class Cluster:
    """What an admin says of it; it has no `hosts` where there is a catalogue already."""

    hosts: tuple[str, ...]
    port: int
    asked: Asked


def looked_at(cluster: Cluster) -> tuple[tuple[FrontEnd, ...], tuple[str, ...]]:
    """Return its front ends, without keys where they could not be seen, and what is to be done about that."""
    found, notes = [], []
    for host in dict.fromkeys(cluster.hosts):
        try:
            found.append(add_site.front_end(host, cluster.port))
        except Failed as error:
            found.append(FrontEnd(host, cluster.port, ()))
            notes.append(sentences.KEYS_BY_HAND.format(host=host, reason=error))
    if not found or any(front.keys for front in found):
        notes.append(sentences.COMPARE_KEYS)
    return tuple(found), tuple(notes)


def catalogue(cluster: Cluster, front_ends: Sequence[FrontEnd]) -> str:
    """Return the catalogue with this cluster alone."""
    key, nothing = add_site.key_of(cluster.asked, front_ends), (Places(), SiteFacts())
    site = add_site.entry(cluster.asked, front_ends, *nothing)
    comments = add_site.comments(key, front_ends, *nothing, sentences.ASK_SLURM)
    return files.catalogue(key, site, comments)
