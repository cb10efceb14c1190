"""The reference page of the catalogue, made from its schema: every key, what it is, and its default."""

import json
from collections.abc import Iterator
from typing import Any

from profiles.catalogue.json_schema import Schema, json_schema

_HEAD = "| key | what | default |\n|---|---|---|"


def page() -> str:
    """Return one table for each kind of entry, in the order in which they are met from the top."""
    schema = json_schema()
    defs: dict[str, Schema] = schema["$defs"]
    parts = [_section("The file", schema, defs)]
    seen: dict[str, str] = {}
    waiting = list(_children("", schema))
    while waiting:
        name, place = waiting.pop(0)
        if name in seen:
            continue
        whole = next((each for each in seen if _is_part_of(defs[name], defs[each])), None)
        parts.append(
            _section(f"`{place}`", defs[name], defs)
            if whole is None
            else _part(f"`{place}`", defs[name], seen[whole])
        )
        seen[name] = place
        waiting += _children(place, defs[name])
    return "\n".join(parts)


def _is_part_of(part: Schema, whole: Schema) -> bool:
    return bool(part["properties"]) and all(
        whole["properties"].get(key) == each for key, each in part["properties"].items()
    )


def _part(title: str, schema: Schema, whole: str) -> str:
    """Return the section of an entry whose keys another one has too."""
    keys = ", ".join(f"`{key}`" for key in schema["properties"])
    said = schema["description"].split("\n\n")[0]
    return "\n".join(
        [f"## {title}", "", said, "", f"As in `{whole}`, whose values apply to omitted keys: {keys}.", ""]
    )


def _section(title: str, schema: Schema, defs: dict[str, Schema]) -> str:
    needed = schema.get("required", ())
    rows = [_row(key, _described(each, defs), key in needed) for key, each in schema["properties"].items()]
    table = [_HEAD, *rows] if rows else ["It has no settings."]
    return "\n".join([f"## {title}", "", schema.get("description", "").split("\n\n")[0], "", *table, ""])


def _row(key: str, schema: Schema, is_needed: bool) -> str:
    what, _, default = schema.get("description", "").replace("|", "\\|").partition(" Default: ")
    shown = "**needed**" if is_needed else default.removesuffix(".") or _default(schema)
    return f"| `{key}` | {what} | {shown} |"


def _described(schema: Schema, defs: dict[str, Schema]) -> Schema:
    """Return a key's schema with its description, which pydantic leaves to the model if both are the same."""
    if "description" in schema or "$ref" not in schema:
        return schema
    return {"description": defs[schema["$ref"].rsplit("/", 1)[1]]["description"], **schema}


def _default(schema: Schema) -> str:
    if schema.get("minProperties"):
        return "**needed**"
    if "default" not in schema:
        # The table of the keys below says what there is then.
        return "" if "$ref" in schema else "none"
    value = schema["default"]
    if value == "":
        return "none"
    if isinstance(value, dict):
        return f"`{{{', '.join(f'{key}: {_plain(each)}' for key, each in value.items())}}}`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def _children(place: str, schema: Schema) -> Iterator[tuple[str, str]]:
    for key, each in schema["properties"].items():
        for name, steps in _refs(each):
            yield name, f"{place}.{key}{steps}".removeprefix(".")


def _refs(schema: Schema, steps: str = "") -> Iterator[tuple[str, str]]:
    """Yield the definitions that a schema leads to, each with the steps to it."""
    if "$ref" in schema:
        yield schema["$ref"].rsplit("/", 1)[1], steps
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _refs(each, steps)
    yield from _refs(schema.get("items", {}), f"{steps}[]") if "items" in schema else ()
    for each in schema.get("patternProperties", {}).values():
        yield from _refs(each, f"{steps}.<name>")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _refs(schema["additionalProperties"], f"{steps}.<name>")
    for name, each in schema.get("properties", {}).items():
        yield from _refs(each, f"{steps}.{name}")
