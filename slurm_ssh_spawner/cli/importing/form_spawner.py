"""What the form of slurmformspawner is in a catalogue: bounds, user interfaces, profiles."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from kernels.units import say_mebibytes, say_minutes
from slurm_ssh_spawner.cli.importing import words
from slurm_ssh_spawner.cli.importing.draft import Draft, title
from slurm_ssh_spawner.cli.importing.options import Entry
from slurm_ssh_spawner.cli.importing.reading import Computed, Setting
from slurm_ssh_spawner.sentences import command_line as sentences

_Work = dict[str, Any]
_Say = Callable[[float], Any]

_PAGES_OF_ITS_OWN = ("disable_form", "error_template_path", "submit_template_path", "form_template_path")
TRAITS = frozenset({*_PAGES_OF_ITS_OWN, "ui_args", "profile_args"})
"""Of `SlurmFormSpawner`; its others are batchspawner's."""

_PAGES = {"lab": "/lab", "notebook": "/tree", "terminal": "/terminals/1"}
_BOUNDED: dict[str, tuple[str, _Say]] = {
    "runtime": ("time", lambda hours: say_minutes(max(1, round(hours * 60)))),
    "nprocs": ("cores", int),
    "memory": ("memory", lambda mib: say_mebibytes(max(1, int(mib)))),
}


def form(draft: Draft, settings: Mapping[str, Setting], base: _Work) -> None:
    """Take over `SbatchForm` and `SlurmFormSpawner`; settings by class and trait, as `SbatchForm.runtime`."""
    fields = {name.partition(".")[2]: each for name, each in settings.items() if name.startswith("SbatchForm.")}
    work = copy.deepcopy(base)
    for trait, setting in fields.items():
        _field(Entry(draft, draft.at_site, work, setting.line), trait, setting)
    if "account" not in fields:
        # It lists what Slurm's accounting has for each person.
        draft.site["projects"] = "accounting"
    for trait in _PAGES_OF_ITS_OWN:
        found = settings.get(f"SlurmFormSpawner.{trait}") or settings.get(f"SbatchForm.{trait}")
        if found and found.value is not False:
            draft.note(draft.at_site, found.line, found.name, sentences.NO_COUNTERPART)
    _interfaces(draft, settings, fields, work)
    if (profiles := settings.get("SlurmFormSpawner.profile_args")) is not None:
        _profiles(draft, profiles, work)


def _field(entry: Entry, trait: str, setting: Setting) -> None:
    value = setting.value
    if not isinstance(value, Mapping):
        entry.note(setting.name, sentences.COMPUTED)
        return
    for key, each in value.items():
        if isinstance(each, Computed):
            entry.note(f"{setting.name}[{key!r}] = {each.text}", sentences.COMPUTED)
    if trait in _BOUNDED:
        name, say = _BOUNDED[trait]
        if bounds := _bounds(value, say):
            entry.resource(name, bounds)
    elif trait in _CHOSEN:
        _CHOSEN[trait](entry, value, setting)
    elif trait not in ("ui", "form_template_path", "profile"):
        entry.note(setting.name, sentences.NO_COUNTERPART)


def _bounds(value: Mapping[str, Any], say: _Say) -> Any:
    """Return bounds of the catalogue; one value for what is locked."""
    numbers = {key: each for key, each in value.items() if isinstance(each, int | float) and each > 0}
    default = numbers.get("def", numbers.get("min"))
    if default is None:
        return None
    if value.get("lock") is True or "max" not in numbers:
        return say(default)
    least, most = min(numbers.get("min", default), default), max(numbers["max"], default)
    return {"default": say(default), "min": say(least), "max": say(most)}


def _listed(value: Mapping[str, Any]) -> list[str]:
    """Return what may be chosen, the default first."""
    choices = value.get("choices")
    found = [each for each in choices if isinstance(each, str) and each] if isinstance(choices, list) else []
    default = value.get("def")
    first = [default] if isinstance(default, str) and default else []
    return list(dict.fromkeys([*first, *([] if value.get("lock") is True and first else found)]))


def _partitions(entry: Entry, value: Mapping[str, Any], _: Setting) -> None:
    if names := _listed(value):
        entry.work["partitions"] = names
        entry.draft.offer_partitions(names)


def _projects(entry: Entry, value: Mapping[str, Any], _: Setting) -> None:
    entry.draft.site["projects"] = _listed(value) or "accounting"


def _gpus(entry: Entry, value: Mapping[str, Any], _: Setting) -> None:
    found = [each for each in map(words.gpus, _listed(value)) if each]
    counts = [count or 0 for count, _ in found]
    if not any(counts):
        return
    entry.resource("gpus", {"default": counts[0], "min": min(counts), "max": max(counts)})
    if kinds := list(dict.fromkeys(kind for _, kind in found if kind)):
        entry.resource("gpu_types", kinds)


def _reservations(entry: Entry, value: Mapping[str, Any], setting: Setting) -> None:
    if names := _listed(value):
        entry.draft.site["reservations"] = names
    else:
        entry.note(setting.name, sentences.LIST_RESERVATIONS)


def _oversubscribe(entry: Entry, value: Mapping[str, Any], _: Setting) -> None:
    if value.get("def") is True:
        entry.option("oversubscribe", value=True)


def _feature(entry: Entry, value: Mapping[str, Any], setting: Setting) -> None:
    default = value.get("def")
    if value.get("lock") is True and isinstance(default, str) and default:
        entry.option("constraint", default)
    elif default or value.get("choices"):
        entry.note(setting.name, sentences.NO_COUNTERPART)


_CHOSEN: dict[str, Callable[[Entry, Mapping[str, Any], Setting], None]] = {
    "partition": _partitions,
    "account": _projects,
    "gpus": _gpus,
    "reservation": _reservations,
    "oversubscribe": _oversubscribe,
    "feature": _feature,
}


def _interfaces(draft: Draft, settings: Mapping[str, Setting], fields: Mapping[str, Setting], work: _Work) -> None:
    """Add a profile for each user interface that may be chosen."""
    described, ui = settings.get("SlurmFormSpawner.ui_args"), fields.get("ui")
    known = described.value if described and isinstance(described.value, Mapping) else {}
    chosen = _listed(ui.value) if ui and isinstance(ui.value, Mapping) else []
    line = described.line if described else ui.line if ui else 1
    for key in chosen or list(known) or list(_PAGES)[:2]:
        args = known.get(key)
        args = args if isinstance(args, Mapping) else {}
        at = draft.add_profile(key, {})
        profile = {"name": title(args.get("name") or key.capitalize()), **copy.deepcopy(work)}
        entry = Entry(draft, at, profile, line)
        page = args.get("url") or _PAGES.get(key)
        if isinstance(page, str) and page.startswith("/"):
            profile["default_url"] = page
        if isinstance(modules := args.get("modules"), list):
            profile["modules"] = [*profile.get("modules", ()), *(str(each) for each in modules)]
        if args.get("args"):
            entry.note(f"args = {args['args']}", sentences.STAYS_IN_CONFIGURATION)
        draft.profiles[str(at[1])] = profile


def _profiles(draft: Draft, setting: Setting, work: _Work) -> None:
    """Add a profile for each of those that fill in the form."""
    if not isinstance(setting.value, Mapping):
        draft.note(("profiles",), setting.line, setting.name, sentences.COMPUTED)
        return
    for key, each in setting.value.items():
        params = each.get("params") if isinstance(each, Mapping) else None
        if not isinstance(params, Mapping):
            draft.note(("profiles",), setting.line, f"{setting.name}[{key!r}]", sentences.COMPUTED)
            continue
        at = draft.add_profile(str(key), {})
        profile = {"name": title(each.get("name") or key), **copy.deepcopy(work)}
        _filled(Entry(draft, at, profile, setting.line), params)
        draft.profiles[str(at[1])] = profile


def _filled(entry: Entry, params: Mapping[str, Any]) -> None:
    for name, value in params.items():
        if name in _BOUNDED and isinstance(value, int | float) and value > 0:
            resource, say = _BOUNDED[name]
            entry.resource(resource, say(value))
        elif name == "gpus" and (found := words.gpus(value)):
            entry.resource("gpus", found[0] or 0)
            entry.work["resources"].pop("gpu_types", None)
            if found[1] and found[0]:
                entry.resource("gpu_types", [found[1]])
        elif name == "partition" and isinstance(value, str) and value:
            entry.option("partition", value)
        elif name == "ui" and value in _PAGES:
            entry.work["default_url"] = _PAGES[value]
        elif name == "oversubscribe":
            _oversubscribe(entry, {"def": value}, Setting("", "", value, entry.line))
        else:
            entry.note(f"{name}: {value!r}", sentences.NO_COUNTERPART)
