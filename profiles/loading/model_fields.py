"""From a path in the catalogue to the model that reads what is there: which keys it knows, what they mean."""

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from kernels.hook import Hook, HookFailed, find, installed

Fields = Mapping[str, FieldInfo]


def fields_at(model: type[BaseModel], steps: Sequence[str]) -> Fields:
    """Return the fields of the model that reads what is at `steps`, empty if no model or more than one does.

    `steps` are those of an error of pydantic, with its tags of unions; it may stop short of these.
    """
    annotation: Any = model
    for step in steps:
        annotation = _step(annotation, step)
    models = [each for each in _members(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0].model_fields if len(models) == 1 else {}


def _step(annotation: Any, step: str) -> Any:
    for member in _members(annotation):
        if get_origin(member) is Annotated and Tag(step) in member.__metadata__:
            return member.__origin__
    for member in _members(annotation):
        plain = _plain(member)
        if plain is Hook:
            continue
        if isinstance(plain, type) and issubclass(plain, BaseModel):
            if step in plain.model_fields:
                return plain.model_fields[step].annotation
        elif get_origin(plain) in (dict, Mapping):
            of = get_args(plain)[1]
            return _hook(step) if _plain(of) is Hook else of
        elif get_origin(plain) is tuple:
            return get_args(plain)[0]
    return Any


def _hook(name: str) -> Any:
    try:
        return find(name) if name in installed() else Any
    except HookFailed:
        return Any


def _members(annotation: Any) -> list[Any]:
    """Return what an annotation may stand for, each as it is annotated."""
    plain = _plain(annotation)
    if get_origin(plain) in (Union, types.UnionType):
        return [each for arg in get_args(plain) for each in ([arg] if _is_tagged(arg) else _members(arg))]
    return [plain]


def _is_tagged(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated and any(isinstance(each, Tag) for each in annotation.__metadata__)


def _plain(annotation: Any) -> Any:
    return _plain(annotation.__origin__) if get_origin(annotation) is Annotated else annotation
