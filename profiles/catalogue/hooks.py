"""The key `hooks` of a profile: names of installed hooks, each with settings that the hook itself checks."""

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from kernels.hook import Hook, HookFailed, contained, find, installed
from profiles.catalogue.spelling import meant
from profiles.catalogue.wrong import WrongAt, WrongTogether, WrongWithin
from profiles.sentences import mistakes


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
    if name not in installed():
        raise WrongAt((str(name),), mistakes.NO_HOOK.format(hint=meant(str(name), sorted(installed()))))
    try:
        with contained(name):
            return find(name).model_validate({} if settings is None else settings)
    except HookFailed as error:
        if isinstance(error.__cause__, ValidationError):
            raise WrongWithin((name,), error.__cause__) from error
        raise WrongAt((name,), mistakes.HOOK_FAILED.format(name=name, reason=error)) from error


Hooks = Annotated[dict[str, SerializeAsAny[Hook]], BeforeValidator(_read, json_schema_input_type=dict[str, Any])]
