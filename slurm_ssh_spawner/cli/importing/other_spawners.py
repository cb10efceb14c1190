"""What profiles of wrapspawner, partitions of moss and the form of slurmformspawner are in a catalogue."""

import copy
from collections.abc import Mapping
from typing import Any

from kernels.units import say_minutes
from slurm_ssh_spawner.cli.importing import batchspawner, words
from slurm_ssh_spawner.cli.importing.draft import Draft, title
from slurm_ssh_spawner.cli.importing.options import Entry
from slurm_ssh_spawner.cli.importing.reading import Computed, Setting
from slurm_ssh_spawner.sentences import command_line as sentences

_Work = dict[str, Any]


def wrapped(draft: Draft, setting: Setting, base: _Work) -> None:
    """Take over `ProfilesSpawner.profiles`: tuples of title, key, class and settings."""
    entries = setting.value if isinstance(setting.value, list) else []
    if not entries:
        draft.note(("profiles",), setting.line, setting.name, sentences.COMPUTED)
    for each in entries:
        if not isinstance(each, list) or len(each) != 4:
            draft.note(("profiles",), setting.line, setting.name, sentences.COMPUTED)
            continue
        shown, key, kind, settings = each
        name = kind.text if isinstance(kind, Computed) else str(kind)
        if "slurm" not in name.lower():
            draft.note(("profiles",), setting.line, f"{shown} ({name})", sentences.NO_SLURM)
            continue
        at = draft.add_profile(str(key), {})
        work = copy.deepcopy(base)
        entry = Entry(draft, at, work, setting.line)
        for trait, value in settings.items() if isinstance(settings, Mapping) else ():
            if not batchspawner.setting(entry, str(trait), value, str(trait)):
                entry.note(str(trait), sentences.NO_COUNTERPART)
        draft.profiles[str(at[1])] = {"name": title(shown), **work}


def moss(draft: Draft, setting: Setting, base: _Work) -> None:
    """Take over `MOSlurmSpawner.partitions`: a profile for each environment and kind of node."""
    if not isinstance(setting.value, Mapping):
        draft.note(("profiles",), setting.line, setting.name, sentences.COMPUTED)
        return
    made: dict[str, tuple[str, list[str]]] = {}
    draft.offer_partitions([str(name) for name in setting.value])
    for name, partition in setting.value.items():
        if not isinstance(partition, Mapping):
            draft.note(("profiles",), setting.line, f"partitions[{name!r}]", sentences.COMPUTED)
            continue
        _offered(draft, setting, str(name), partition)
        environments = partition.get("jupyter_environments")
        for key, environment in environments.items() if isinstance(environments, Mapping) else ():
            _environment(draft, setting, base, made, (str(name), partition), (str(key), environment))
    for key, partitions in made.values():
        draft.profiles[key]["partitions"] = partitions


def _offered(draft: Draft, setting: Setting, name: str, partition: Mapping[str, Any]) -> None:
    offered, at = draft.site["partitions"][name], (*draft.at_site, "partitions", name)
    if partition.get("description"):
        offered["title"] = title(partition["description"])
    if isinstance(partition.get("max_runtime"), int) and partition["max_runtime"] >= 60:
        offered["time_max"] = say_minutes(partition["max_runtime"] // 60)
    for key in ("architecture", "simple"):
        if partition.get(key) not in (None, "", True):
            draft.note(at, setting.line, f"{key}: {partition[key]}", sentences.NO_COUNTERPART)


def _environment(
    draft: Draft,
    setting: Setting,
    base: _Work,
    made: dict[str, tuple[str, list[str]]],
    where: tuple[str, Mapping[str, Any]],
    what: tuple[str, Any],
) -> None:
    (name, partition), (key, environment) = where, what
    if not isinstance(environment, Mapping):
        draft.note(("profiles",), setting.line, f"jupyter_environments[{key!r}]", sentences.COMPUTED)
        return
    resources = _most(partition)
    likeness = repr((key, environment, resources))
    if likeness in made:
        made[likeness][1].append(name)
        return
    at = draft.add_profile(key, {})
    work = copy.deepcopy(base)
    entry = Entry(draft, at, work, setting.line)
    for resource, bounds in resources.items():
        entry.resource(resource, bounds)
    _programs(entry, environment)
    draft.profiles[str(at[1])] = {"name": title(environment.get("description") or key), **work}
    made[likeness] = (str(at[1]), [name])


def _most(partition: Mapping[str, Any]) -> _Work:
    """Return the bounds that a partition of moss has, for a profile."""
    found: _Work = {}
    if isinstance(cores := partition.get("max_nprocs"), int) and cores > 0:
        found["cores"] = {"default": 1, "max": cores}
    count, gpus = partition.get("max_ngpus"), words.gpus(partition.get("gpu"))
    if isinstance(count, int) and count > 0:
        found["gpus"] = {"default": 0, "max": count}
        if gpus and gpus[1]:
            found["gpu_types"] = [gpus[1]]
    if isinstance(seconds := partition.get("max_runtime"), int) and seconds >= 60:
        most = seconds // 60
        found["time"] = {"default": say_minutes(min(60, most)), "max": say_minutes(most)}
    return found


def _programs(entry: Entry, environment: Mapping[str, Any]) -> None:
    path, modules = environment.get("path"), environment.get("modules")
    if isinstance(path, str) and path:
        entry.work["prefix"] = path.rstrip("/").removesuffix("/bin") or "/"
    if isinstance(modules, str) and modules.split():
        entry.work["modules"] = [*entry.work.get("modules", ()), *modules.split()]
    if environment.get("add_to_path") is False:
        entry.note("add_to_path: False", sentences.NO_COUNTERPART)
    if isinstance(prologue := environment.get("prologue"), str) and prologue:
        entry.script(prologue, "prologue")
    for key, value in environment.items():
        if isinstance(value, Computed):
            entry.note(f"{key}: {value.text}", sentences.COMPUTED)
