"""Answers made of models, with entity tags."""

import hashlib
import json
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel


def of(model: BaseModel, status: int = 200, **headers: str) -> Response:
    """Return a model as an answer; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(model.model_dump_json(), status, named, "application/json")


def tagged(request: Request, model: BaseModel) -> Response:
    """Return a model with a tag of what it says, or 304 if whoever asks has just that."""
    return _tagged(request, model.model_dump_json())


def _tagged(request: Request, body: str) -> Response:
    etag = f'W/"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, 200, {"ETag": etag}, "application/json")


def is_known(request: Request, etag: str) -> bool:
    """Return whether whoever asks says that they have what the tag is of."""
    known = request.headers.get("If-None-Match", "")
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def offered(request: Request, value: dict[str, Any]) -> Response:
    """Return JSON values with a tag of what they say, or 304 if whoever asks has just that."""
    return _tagged(request, json.dumps(value, ensure_ascii=False))
