"""What may be written in a catalogue, as JSON Schema: for editors, and for the reference page.  Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from kernels import units
from kernels.hook import HookFailed, contained, find, installed
from profiles.catalogue.catalogue import Catalogue

Schema = dict[str, Any]

_SAY: Mapping[str, Callable[[int], str]] = {
    units.TIME: units.say_minutes,
    units.MEMORY: units.say_mebibytes,
}


def json_schema() -> Schema:
    """Return a JSON Schema (draft 2020-12) of a catalogue's files, with the settings of the installed hooks.

    It holds for included files too, so no section is required; `check` knows more than it can say.
    """
    schema = Catalogue.model_json_schema()
    settings = _hooks(schema["$defs"])
    for model in ("Offering", "Profile", "JobOffering", "JobType"):
        described = schema["$defs"][model]["properties"]["hooks"]
        described |= {"properties": settings, "additionalProperties": False}
    _own_keys_first(schema["$defs"])
    schema = _tidy(schema)
    del schema["required"]
    any_of: list[Schema] = [{"required": [name]} for name in schema["properties"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        # Parts that files share; a file may have nothing else.
        "patternProperties": {"^x-": {}},
        "anyOf": [*any_of, {"propertyNames": {"pattern": "^x-"}, "minProperties": 1}],
    }


def _own_keys_first(defs: Schema) -> None:
    """Let the keys that only an entry has, such as its name, stand before those that its sites have too."""
    for entry, there in (("Profile", "Offering"), ("JobType", "JobOffering")):
        properties, shared = defs[entry]["properties"], defs[there]["properties"]
        own = {name: each for name, each in properties.items() if name not in shared}
        defs[entry]["properties"] = own | properties


def _hooks(defs: Schema) -> Schema:
    """Return what may stand behind the name of each installed hook, adding the settings to `defs`.

    Of one that cannot be used it is not known.
    """
    found: Schema = {}
    for name in sorted(installed()):
        try:
            with contained(name):
                schema = find(name).model_json_schema()
        except HookFailed:
            found[name] = {}
            continue
        defs |= schema.pop("$defs", {})
        defs[f"hook-{name}"] = schema
        found[name] = {"anyOf": [{"$ref": f"#/$defs/hook-{name}"}, {"type": "null"}]}
    return found


def _tidy(schema: Any) -> Any:
    """Leave out what says nothing: titles made of keys, empty defaults, and what JSON Schema has no word for."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    empty = {name for name in ("default", "required") if schema.get(name, 0) in (None, [], {})}
    kept = {name: value for name, value in schema.items() if name not in {"gt", *empty}}
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {key: _tidy(_untitled(value)) for key, value in kept["properties"].items()}
    return {name: value if name in ("properties", "default") else _tidy(value) for name, value in kept.items()}


def _untitled(schema: Schema) -> Schema:
    kept = {name: value for name, value in schema.items() if name != "title"}
    if "default" in kept:
        kept["default"] = _as_written(kept["default"], _say(schema))
    return kept


def _as_written(default: Any, say: Callable[[int], Any]) -> Any:
    """Return a default as an admin would write it: `30m`, and `1` for a range of nothing else."""
    if isinstance(default, dict) and "options" in default:
        if default["options"] == [default["default"]]:
            return say(default["default"])
        return {name: say(each) for name, each in default.items() if each not in (None, [])}
    return say(default) if type(default) is int else default


def _say(schema: Schema) -> Callable[[int], Any]:
    found = [_SAY[each["pattern"]] for each in schema.get("anyOf", ()) if each.get("pattern") in _SAY]
    return found[0] if found else lambda number: number
