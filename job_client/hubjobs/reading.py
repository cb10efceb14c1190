"""JSON to frozen dataclasses, by their annotations; what the service adds later is passed over."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from hubjobs import sentences
from hubjobs.errors import Unreadable

T = TypeVar("T")

_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def read(model: type[T], value: object) -> T:
    """Return the model that a JSON value is.

    A field that is missing, or null where it cannot be None, has its default.  Raises Unreadable for a value of
    another type, and for a missing field that has no default.
    """
    if not isinstance(value, dict):
        raise _unreadable(model.__name__)
    hints = _hints(model)
    given: dict[str, Any] = {}
    for each in fields(model):  # type: ignore[arg-type]
        found = value.get(each.name)
        if found is not None:
            given[each.name] = _as(hints[each.name], found, each.name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise _unreadable(each.name)
    return model(**given)


def read_all(model: type[T], values: object) -> tuple[T, ...]:
    """Return the models of a JSON array."""
    if not isinstance(values, list):
        raise _unreadable(model.__name__)
    return tuple(read(model, each) for each in values)


def _as(hint: Any, value: Any, name: str) -> Any:
    """Return a JSON value as its annotation wants it."""
    if hint is Any:
        return value
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        kinds = [each for each in get_args(hint) if each is not type(None)]
        return _of(tuple(kinds), value, name) if len(kinds) > 1 else _as(kinds[0], value, name)
    if is_dataclass(hint):
        return read(hint, value)  # type: ignore[arg-type]
    if origin is tuple:
        return tuple(_as(get_args(hint)[0], each, name) for each in _of(list, value, name))
    if origin is Mapping:
        return {key: _as(get_args(hint)[1], each, name) for key, each in _of(dict, value, name).items()}
    return _moment(_of(str, value, name), name) if hint is datetime else _of(hint, value, name)


def _of(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _unreadable(name)
    return value


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable(name) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unreadable(name: str) -> Unreadable:
    return Unreadable(sentences.UNREADABLE.format(what=name), sentences.NEWER_CLIENT)
