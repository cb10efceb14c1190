"""Where else a launch that waits could begin at once.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from profiles.errors import ChoiceRefused
from profiles.facts import free_nodes
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from profiles.offer.offer import Offer
from slurm_ssh_spawner.launch.records import LaunchRecord

OF_THE_SITE = frozenset({"profile", "site", "partition", "project", "reservation", "qos"})
"""The choices that have another meaning, or none, at another site."""


@dataclass(frozen=True)
class Elsewhere:
    """A site, by its title, and the choices with which the form there begins."""

    site: str
    choices: Mapping[str, str]


def elsewhere(offer: Offer, record: LaunchRecord) -> Elsewhere | None:
    """Return the first other site that has nodes free for what the launch asks for, None for none."""
    kept = {name: value for name, value in record.choices.items() if name not in OF_THE_SITE}
    for site in offer.sites(record.profile_key):
        choices = {"profile": record.profile_key, "site": site, **kept}
        if site != record.site_key and _begins_at_once(offer, site, choices):
            return Elsewhere(offer.menu.sites[site].title, choices)
    return None


def _begins_at_once(offer: Offer, site: str, choices: Mapping[str, str]) -> bool:
    facts = offer.facts_of(site)
    if facts.unreachable_since or facts.is_stale or offer.closed(site):
        return False
    try:
        launch = resolve(offer, Choices.of(choices))
    except ChoiceRefused:
        return False
    partition = offer.real_partition(site, launch.partition)
    asked = launch.cores, launch.memory_mib, launch.gpus, launch.gpu_type
    return partition is not None and free_nodes(partition, *asked) >= launch.nodes
