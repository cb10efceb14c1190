"""What a launch asked for, as far as its record and the catalogue of today say it.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.resources import Bounds
from profiles.offer import limits
from profiles.sentences import labels as form_labels
from profiles.sentences import refusals
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.sentences import labels

_READ = {"time": units.minutes, "cores": units.count, "memory": units.mebibytes, "gpus": units.count}


@dataclass(frozen=True)
class Asked:
    """What a launch asked for: the titles of its profile and site, or their keys if the catalogue has none now.

    `minutes` is its time, 0 if that is not known, and `most_minutes` what may be asked for at most.  `resources`
    is for people, "" if not known: "2 cores, 4 GB, 1 h".  `support` is whom to ask for help with the site, "" if
    nobody is named.
    """

    profile: str
    site: str
    resources: str = ""
    minutes: int = 0
    most_minutes: int = 0
    support: str = ""


def asked(catalogue: Catalogue, record: LaunchRecord) -> Asked:
    """Return what the launch asked for."""
    profile, site = catalogue.profiles.get(record.profile_key), catalogue.sites.get(record.site_key)
    titles = profile.name if profile else record.profile_key, site.title if site else record.site_key
    if not profile or not site or record.site_key not in catalogue.notebooks.sites_of(record.profile_key):
        return Asked(*titles, support=site.support if site else "")
    what = catalogue.notebooks.offering(record.profile_key, record.site_key)
    # What is chosen by default is the first one.
    offered = what.partitions or tuple(site.partitions)
    chosen = record.choices.get("partition", "")
    partition = site.partitions.get(chosen or next(iter(offered), ""))
    numbers = {name: _number(limits.bounds_in(what, partition, name), name, record.choices) for name in _READ}
    most = min(what.resources.time.most, (partition and partition.time_max) or what.resources.time.most)
    named = (partition.title if partition else "") or chosen
    said = _said(numbers, record.choices, named if chosen else "")
    return Asked(*titles, said, numbers["time"], most, site.support)


def _number(bounds: Bounds, name: str, choices: Mapping[str, str]) -> int:
    try:
        # What it was launched with has passed the gate; what a record says all the same may be anything.
        return _READ[name](choices[name])
    except (KeyError, ValueError):
        return bounds.default


def _said(numbers: Mapping[str, int], choices: Mapping[str, str], partition: str) -> str:
    parts = [refusals.cores(numbers["cores"]), form_labels.memory(numbers["memory"])]
    if numbers["gpus"]:
        parts.append(refusals.gpus(numbers["gpus"], choices.get("gpu_type")))
    parts.append(lasting(numbers["time"]))
    if partition:
        parts.append(labels.IN_PARTITION.format(partition=partition))
    return ", ".join(parts)
