"""The OpenAPI document: what FastAPI knows of the routes, and what is alike in all of them."""

import json
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from job_service.http import models, problems

DESCRIPTION = "Batch jobs by HTTP: sent once, followed to their end, their files had back."

_REF = "#/components/schemas/{model}"
# Models of the same name are told apart by where they are from.
_LONG_NAME = re.compile(r"\bjob_service__\w+__(\w+)\b")
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")
_WRONG = {
    "description": "What went wrong, in a sentence",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
}


def install(app: FastAPI) -> None:
    """Have an application describe itself so; the document is made once, when it is first asked for."""

    def made() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = made  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = _named(
        get_openapi(
            title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, servers=app.servers
        )
    )
    schemas = document["components"]["schemas"]
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schemas["Problem"] = models.Problem.model_json_schema(ref_template=_REF)
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _WRONG
    return document


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with short names of models: Job, AdminSystem, OldJob."""

    def short(found: re.Match[str]) -> str:
        origin = next((each for each in ("admin", "old") if f"__{each}__" in found[0]), "")
        return f"{origin.title()}{found[1]}"

    named: dict[str, Any] = json.loads(_LONG_NAME.sub(short, json.dumps(document)))
    return named
