"""The key `hooks` of a profile: names of installed hooks, each with settings that the hook itself checks."""

from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, SerializeAsAny, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from kernels.hook import Hook, hooks
from profiles.errors import WrongAt, WrongTogether, WrongWithin
from profiles.nearest import meant


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    read: dict[str, Hook] = {}
    wrong: list[WrongAt | WrongWithin] = []
    for name, settings in value.items():
        try:
            read[name] = _hook(name, settings)
        except (WrongAt, WrongWithin) as error:
            wrong.append(error)
    if wrong:
        raise WrongTogether(tuple(wrong))
    return read


def _hook(name: str, settings: Any) -> Hook:
    if isinstance(settings, Hook):
        return settings
    known = hooks()
    if name not in known:
        raise WrongAt((str(name),), f"there is no such hook; {meant(str(name), sorted(known), 'installed are')}")
    try:
        return known[name].model_validate({} if settings is None else settings)
    except ValidationError as error:
        raise WrongWithin((name,), error) from error


class _Installed:
    """Describes the hooks that are installed, for the JSON Schema."""

    @staticmethod
    def __get_pydantic_json_schema__(_: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return a mapping from the names of hooks to their settings, or to nothing."""
        settings = {name: handler(hook.__pydantic_core_schema__) for name, hook in sorted(hooks().items())}
        properties = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in settings.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}


Hooks = Annotated[dict[str, SerializeAsAny[Hook]], BeforeValidator(_read), _Installed]
