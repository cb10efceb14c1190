"""The page of the API, made from its OpenAPI document: `python -m job_service.http.reference > docs/api.md`."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

from job_service.http.app import make_app
from job_service.http.caller import Caller, Logins, Servers
from job_service.service import Service

_HEAD = """# The API of batch jobs

Made from the OpenAPI document of the service by `python -m job_service.http.reference > docs/api.md`; a running
service gives the document itself at `{root}/api/v1/openapi.json`.

All addresses lie below `{root}` on the hub. Each request but those for everybody carries a token of the
hub in its header, and nowhere else:

```
curl -K ~/.jobs-token https://hub.example.org{root}/api/v1/
```

`~/.jobs-token` is a file of mode 0600 with the line `header = "Authorization: Bearer TOKEN"`: others on the
machine see what stands on a command line.

Every answer has `X-Request-ID`, which is in the administrators' log. Errors are `application/problem+json`, see
[Problem](#problem): `detail` is a sentence, `code` a word for programs. 401 means that there is no token, or a bad
one; 403 that it lacks a scope, or that you may not; 404 that there is no such thing, or that it is somebody
else's; 409 that it cannot be done now; 422 names all fields that are wrong; 429 and 503 say in `Retry-After` when
to come again. JSON bodies have 1 MiB at most. Times are ISO 8601 in UTC, `..._s` are seconds, `..._mib` MiB.
"""
_TITLES = {
    "service": "The service",
    "offers": "What there is",
    "jobs": "Jobs",
    "files": "Files",
    "servers": "Servers",
    "projects": "Projects and quotas",
    "admin": "For administrators",
    "old paths": "The old paths",
}


class _Nobody:
    """The document is made without anybody's token."""

    async def caller(self, _token: str, _session: str = "") -> Caller | None:
        """Return that it is nobody's."""
        return None


def document() -> dict[str, Any]:
    """Return the OpenAPI document, without a service behind it."""
    behind = SimpleNamespace(closing=asyncio.Event(), running=SimpleNamespace(subscribe=lambda _: None))
    return make_app(cast(Service, behind), _Nobody(), cast(Logins, None), cast(Servers, None)).openapi()


def page(of: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document, in Markdown."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path, methods in of["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append("\n".join(_operation(method, path, operation)))
    parts = [_HEAD.format(root=of["servers"][0]["url"])]
    for tag in sorted(groups, key=list(_TITLES).index):
        parts += [f"## {_TITLES[tag]}\n", *groups[tag]]
    parts += ["## Bodies\n", *("\n".join(_model(name, each)) for name, each in _models(of))]
    return "\n".join(parts).rstrip() + "\n"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    needed = [scope for each in operation.get("security", ()) for scope in each["token"]]
    yield f"{operation['summary']}. {' '.join(f'Needs `{scope}`.' for scope in needed) or 'For everybody.'}\n"
    if said := operation.get("description"):
        yield f"{said}\n"
    if given := operation.get("parameters"):
        yield "| parameter | in | what |\n|---|---|---|"
        for each in given:
            needs = ", needed" if each["required"] and each["in"] != "path" else ""
            yield f"| `{each['name']}` | {each['in']}{needs} | {_cell(each.get('description', ''))} |"
        yield ""
    if body := operation.get("requestBody"):
        yield f"Body: {_content(body['content'])}.\n"
    yield f"Answers: {_answers(operation['responses'])}.\n"


def _answers(responses: Mapping[str, Any]) -> str:
    """Return what comes when all is well."""
    named = ((status, each) for status, each in responses.items() if status.isdigit())
    return "; ".join(
        f"{status} {_content(each['content'])}" if each.get("content") else status for status, each in named
    )


def _content(content: Mapping[str, Any]) -> str:
    return " or ".join(
        _kind(each["schema"]) if "json" in media and each.get("schema") else f"`{media}`"
        for media, each in content.items()
    )


def _models(of: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from sorted(of["components"]["schemas"].items())


def _model(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if said := model.get("description"):
        yield f"{' '.join(said.split())}\n"
    if options := model.get("enum"):
        yield f"One of {', '.join(f'`{each}`' for each in options)}.\n"
    if fields := model.get("properties"):
        needed = model.get("required", ())
        yield "| field | type | what |\n|---|---|---|"
        for key, each in fields.items():
            optional = "" if key in needed else ", optional"
            yield f"| `{key}` | {_cell(_kind(each))}{optional} | {_cell(each.get('description', ''))} |"
        yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    """Return a type in a few words, with links to models."""
    if of := schema.get("$ref"):
        name = of.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if among := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(map(_kind, among)))
    if options := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return ", ".join(f"`{each}`" for each in options)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(values)}"
    return {"date-time": "time"}.get(schema.get("format", ""), str(schema.get("type", "any")))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(document()), end="")
