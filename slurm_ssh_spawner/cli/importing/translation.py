"""A configuration of another spawner as a catalogue: which setting is whose, and what is left over.  Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from slurm_ssh_spawner.cli import yaml_text
from slurm_ssh_spawner.cli.importing import batchspawner, form_spawner, other_spawners
from slurm_ssh_spawner.cli.importing.draft import Draft
from slurm_ssh_spawner.cli.importing.options import Entry
from slurm_ssh_spawner.cli.importing.reading import Computed, Setting, read
from slurm_ssh_spawner.sentences import command_line as sentences

_FORM = ("SlurmFormSpawner", "SbatchForm", "SlurmAPI")
_NOT_OURS = ("JupyterHub", "Authenticator", "ConfigurableHTTPProxy", "CryptKeeper", "Application", "KernelManager")
_HOST = "login.example.org"


def translated(
    text: str,
    file: str,
    site_key: str,
    front_ends: Sequence[Mapping[str, Any]],
    comments: yaml_text.Comments = MappingProxyType({}),
) -> str:
    """Return the catalogue as YAML, with comments for what has no counterpart.

    `front_ends` are those of the site, and `comments` are about them; without any it has those of the file, or one
    that is to be replaced.
    Raises Failed if the file is no Python.
    """
    draft = Draft(file, site_key)
    settings = _named(read(text, file))
    base = _base(draft, settings)
    _further(draft, settings, base)
    if not draft.profiles:
        draft.add_profile("jupyterlab", {"name": "JupyterLab", **base})
    return _written(draft, front_ends, comments)


def _named(settings: Sequence[Setting]) -> dict[str, Setting]:
    """Return settings by class and trait, the last of each; what is computed hides none that is not."""
    found: dict[str, Setting] = {}
    for each in settings:
        name = f"{each.class_name}.{each.trait}"
        hides = isinstance(each.value, Computed) and name in found
        found[f"{name}:{each.line}" if hides else name] = each
    return found


def _base(draft: Draft, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return what every job of the old spawner had; what is the site's alone is put there."""
    base: dict[str, Any] = {}
    for setting in settings.values():
        if not _is_of_a_spawner(setting.class_name):
            continue
        entry = Entry(draft, draft.at_site, base, setting.line)
        if setting.trait in _FURTHER | form_spawner.TRAITS or setting.class_name in _FORM[1:]:
            continue
        if not batchspawner.setting(entry, setting.trait, setting.value, setting.name):
            entry.note(setting.name, sentences.NO_COUNTERPART)
    found: dict[str, Any] = {
        name: base.pop(name) for name in ("module_paths", "modules", "prefix") if name in base
    }
    if environment := base.pop("environment", None):
        found["variables"] = environment
    draft.site["jupyter"] = found
    if directives := base.pop("directives", None):
        draft.site["directives"] = directives
    return base


_FURTHER = frozenset({"profiles", "default_profiles", "partitions", "slurm_info_cmd", "slurm_info_resources"})


def _further(draft: Draft, settings: Mapping[str, Setting], base: dict[str, Any]) -> None:
    left: list[str] = []
    for setting in settings.values():
        if setting.trait in ("profiles", "default_profiles") and setting.class_name.endswith("ProfilesSpawner"):
            other_spawners.wrapped(draft, setting, base)
        elif setting.trait == "partitions":
            other_spawners.moss(draft, setting, base)
        elif setting.trait in _FURTHER or setting.class_name == "SlurmAPI":
            draft.note(draft.at_site, setting.line, setting.name, sentences.DONE_BY_THE_HUB)
        elif setting.name == "c.JupyterHub.spawner_class":
            shown = setting.value.text if isinstance(setting.value, Computed) else setting.value
            draft.note(("sites",), setting.line, f"spawner_class = {shown}", sentences.SPAWNER_CLASS)
        elif not _is_of_a_spawner(setting.class_name):
            left.append(setting.name)
    if any(name.startswith(_FORM[:2]) for name in settings):
        form_spawner.form(draft, settings, base)
    if left:
        names = ", ".join(dict.fromkeys(left))[:300]
        draft.notes.setdefault(("sites",), []).append(sentences.LEFT_IN_CONFIGURATION.format(names=names))


def _is_of_a_spawner(class_name: str) -> bool:
    is_other = class_name in _NOT_OURS or class_name.endswith(("Authenticator", "Proxy"))
    return not is_other and (class_name.endswith(("Spawner", "SpawnerBase")) or class_name in _FORM)


def _written(draft: Draft, front_ends: Sequence[Mapping[str, Any]], comments: yaml_text.Comments) -> str:
    kept = draft.site.pop("front_ends", None)
    at = draft.at_site
    site: dict[str, Any] = {
        "title": draft.site_key.capitalize(),
        "front_ends": list(map(dict, front_ends)) or kept or [{"host": _HOST, "host_keys": []}],
        "node_address": "{node}",
        "job_folder": "/scratch/{owner}/jupyter",
    }
    jupyter = draft.site.pop("jupyter")
    if "modules" in jupyter or any("modules" in each for each in draft.profiles.values()):
        site["module_init"] = "/etc/profile.d/modules.sh"
    site |= {"jupyter": jupyter, **draft.site}
    said = {
        ("sites",): [sentences.TRANSLATED.format(file=draft.file), *draft.notes.pop(("sites",), ())],
        (*at, "front_ends"): [sentences.REVIEW_FRONT_ENDS],
        (*at, "node_address"): [sentences.REVIEW_NODE_ADDRESS],
        (*at, "job_folder"): [sentences.REVIEW_JOB_FOLDER],
        (*at, "module_init"): [sentences.REVIEW_MODULE_INIT],
        (*at, "jupyter"): [sentences.REVIEW_JUPYTER],
    }
    tree = {"sites": {draft.site_key: site}, "profiles": draft.profiles}
    return yaml_text.written(tree, {**draft.notes, **comments, **said})
