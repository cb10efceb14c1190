"""The reference page of the catalogue, made from its schema: every key, what it is, and its default."""

import json
from collections.abc import Iterator

from profiles.written import Schema, json_schema

_HEAD = "| key | what | default |\n|---|---|---|"


def page() -> str:
    """Return one table for each kind of entry, in the order in which they are met from the top."""
    schema = json_schema()
    defs: dict[str, Schema] = schema["$defs"]
    parts = [_section("The file", schema, defs)]
    seen: set[str] = set()
    waiting = list(_children("", schema))
    while waiting:
        name, place = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            parts.append(_section(f"`{place}`", defs[name], defs))
            waiting += _children(place, defs[name])
    return "\n".join(parts)


def _section(title: str, schema: Schema, defs: dict[str, Schema]) -> str:
    needed = schema.get("required", ())
    rows = [_row(key, _described(each, defs), key in needed) for key, each in schema["properties"].items()]
    return "\n".join([f"## {title}", "", schema.get("description", "").split("\n\n")[0], "", _HEAD, *rows, ""])


def _row(key: str, schema: Schema, is_needed: bool) -> str:
    default = "**needed**" if is_needed else _default(schema)
    what = schema.get("description", "").replace("|", "\\|")
    return f"| `{key}` | {what} | {default} |"


def _described(schema: Schema, defs: dict[str, Schema]) -> Schema:
    """Return a key's schema with its description, which pydantic leaves to the model if both are the same."""
    if "description" in schema or "$ref" not in schema:
        return schema
    return {"description": defs[schema["$ref"].rsplit("/", 1)[1]]["description"], **schema}


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    value = schema["default"]
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if each not in (None, [], {})}
        return f"`{{{', '.join(f'{key}: {json.dumps(each)}' for key, each in kept.items())}}}`" if kept else ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


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
