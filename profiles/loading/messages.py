"""Sentences for what pydantic finds wrong: what it is, and what would be right.  Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from kernels import environment, kernel
from kernels.units import Unreadable
from profiles import sentences
from profiles.catalogue import accounts, copying, dataset, gateway, host_key, login, site, values, visibility, work
from profiles.catalogue.spelling import called, meant
from profiles.loading.model_fields import Fields
from profiles.sentences import mistakes

# The end of a description.
_DEFAULT = re.compile(r" Default: .*$")

PATTERNS: Mapping[str, str] = {
    values.KEY: mistakes.NO_KEY,
    values.PLAIN: mistakes.NOT_PLAIN,
    values.SLURM_WORD: mistakes.NO_SLURM_WORD,
    values.ABSOLUTE_PATH: mistakes.NO_ABSOLUTE_PATH,
    values.DIRECTIVE: mistakes.NO_DIRECTIVE,
    values.SETTING: mistakes.NO_SETTING,
    copying.WEB_ADDRESS: mistakes.NO_WEB_ADDRESS,
    work.ICON: mistakes.NO_ICON,
    visibility.USER: mistakes.NO_USER,
    dataset.DATASET_KEY: mistakes.NO_DATASET_KEY,
    dataset.PARAMETER_NAME: mistakes.NO_PARAMETER_NAME,
    dataset.PATTERN: mistakes.NO_FILE_PATTERN,
    site.HOST: mistakes.NO_HOST,
    site.HOST_KEY: mistakes.NO_HOST_KEY,
    accounts.LOGIN: mistakes.NO_LOGIN,
    accounts.PRINCIPAL: mistakes.NO_PRINCIPAL,
    login.PRINCIPAL_NAME: mistakes.NO_PRINCIPAL_NAME,
    site.NODE_ADDRESS: mistakes.NO_NODE_ADDRESS,
    site.HUB_URL: mistakes.NO_HUB_URL,
    gateway.GATEWAY_URL: mistakes.NO_GATEWAY_URL,
    gateway.COUNTRY: mistakes.NO_COUNTRY,
    gateway.EMAIL: mistakes.EMAIL_OF_EACH,
    gateway.TOOL: mistakes.NO_TOOL_NAME,
    gateway.TOOL_PARAMETER: mistakes.NO_TOOL_PARAMETER,
    environment.VARIABLE: mistakes.NO_VARIABLE,
    environment.COLLECTION: mistakes.NO_COLLECTION,
    environment.NO_NUL: mistakes.HAS_NUL,
    kernel.KERNELSPEC: mistakes.NO_KERNELSPEC,
    kernel.DISPLAY_NAME: mistakes.NO_DISPLAY_NAME,
}
"""What is wrong with a text that does not match, for every pattern of the catalogue's models."""

_FEW = 5
# A public key has a space in it.
_KEY_LINE = re.compile(r"(ssh|ecdsa)-[a-z0-9-]+ AAAA")

OF_A_MODEL = frozenset({"model_type", "model_attributes_type"})
"""Types of details that are about a value in whose place one with keys of its own is needed."""


def sentence(detail: Mapping[str, Any], written: str | None, fields: Fields) -> str:
    """Return what is wrong, for a detail of a ValidationError.

    `written` is the value (of a key: the key) as it stands in the file, `fields` those of the model around it; for
    OF_A_MODEL its own.
    """
    kind = detail["type"]
    if kind == "extra_forbidden":
        return mistakes.NO_SUCH_KEY.format(hint=_hint(str(detail["loc"][-1]), fields))
    if kind == "missing":
        return _missing(fields.get(str(detail["loc"][-1])))
    if kind in OF_A_MODEL and fields:
        keys = [name for name, field in fields.items() if field.is_required()] or list(fields)[:1]
        example = ", ".join(f"{name}: {_maybe(fields[name], detail['input'])}" for name in keys)
        return mistakes.MAPPING_OF_KEYS.format(found=_found(detail), example=f"{{{example}}}")
    say = _SAYS.get(kind)
    return say(detail, written) if say else _about(detail, fields)


def shown(text: str) -> str:
    """Return a text short and in one line, marked as what was written."""
    return f"`{sentences.shown(text)}`"


def _hint(key: str, fields: Fields) -> str:
    """Return the hint that asks for another key."""
    found = called(key, fields)
    return mistakes.DID_YOU_MEAN.format(name=found) if found else meant(key, fields)


def _maybe(field: FieldInfo, value: Any) -> str:
    """Return a value in whose place a mapping is needed, if it is one of the words of the field."""
    return str(value) if isinstance(value, str) and value in get_args(field.annotation) else "..."


def _missing(field: FieldInfo | None) -> str:
    if field is None or not field.description:
        return mistakes.MISSING
    # What may be omitted beside something else is needed here.
    return mistakes.MISSING_ABOUT.format(description=_DEFAULT.sub("", field.description).rstrip("."))


def _about(detail: Mapping[str, Any], fields: Fields) -> str:
    """Say what a key is for, of which it is not known what may be written: a setting of somebody else's hook."""
    field = next((fields[step] for step in reversed(detail["loc"]) if step in fields), None)
    if field is None or not field.description:
        return mistakes.DOES_NOT_FIT.format(found=_found(detail))
    return mistakes.DOES_NOT_FIT_ABOUT.format(found=_found(detail), description=field.description.rstrip("."))


def _found(detail: Mapping[str, Any]) -> str:
    return next(found for kind, found in mistakes.FOUND if isinstance(detail["input"], kind))


def _text(detail: Mapping[str, Any], written: str | None) -> str:
    value = detail["input"]
    text = written if isinstance(value, bool | int | float) else _text_of_mapping(value)
    if text is not None:
        return mistakes.TEXT_IN_QUOTES.format(found=_found(detail), text=text)
    return mistakes.TEXT_NEEDED.format(found=_found(detail))


def _number(detail: Mapping[str, Any], written: str | None) -> str:
    if written:
        return mistakes.NOT_A_NUMBER.format(value=shown(written))
    return mistakes.IS_NOT_A_NUMBER.format(found=_found(detail))


def _list(detail: Mapping[str, Any], written: str | None) -> str:
    if written and written.isprintable() and detail["input"] is not None:
        words = written.split()
        # Modules, words of a command: nobody means one with spaces in it.
        is_one = _KEY_LINE.match(written) or any(each in written for each in "\"',[]{}:#&*!|>%@`")
        written = written if is_one else ", ".join(words)
        return mistakes.LIST_OF_ONE.format(found=_found(detail), value=written)
    return mistakes.LIST_NEEDED.format(found=_found(detail))


def _text_of_mapping(value: Any) -> str | None:
    """Return `{owner}` for what YAML makes of it where it does not stand in quotes."""
    if isinstance(value, dict) and len(value) == 1 and list(value.values()) == [None]:
        return f"{{{next(iter(value))}}}"
    return None


def _mapping(detail: Mapping[str, Any], _: str | None) -> str:
    return mistakes.MAPPING_NEEDED.format(found=_found(detail), example=_as_mapping(detail["input"]))


def _as_mapping(value: Any) -> str:
    """Return what may have been meant by a list, or a text, in the place of a mapping."""
    parts = value if isinstance(value, list) and 0 < len(value) <= _FEW else ()
    if isinstance(value, str) and "=" in value:
        parts = value.split()[:_FEW]
    if parts and all(isinstance(each, str) and each.isprintable() for each in parts):
        return f"{{{', '.join(map(_pair, parts))}}}"
    if parts and all(isinstance(each, dict) and len(each) == 1 for each in parts):
        pairs = [next(iter(each.items())) for each in parts]
        return f"{{{', '.join(f'{name}: {_short(said)}'[:80] for name, said in pairs)}}}"
    return "{key: value}"


def _pair(text: str) -> str:
    """Return what may have been meant by `geneva`, `A=1` or `--constraint=ib`."""
    name, equals, value = text.lstrip("-").partition("=")
    return f"{name[:40]}: {value[:40] if equals else '{}'}"


def _short(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else "..."


def _flag(detail: Mapping[str, Any], written: str | None) -> str:
    return mistakes.NOT_A_FLAG.format(value=shown(written) if written else _found(detail))


def _pattern(detail: Mapping[str, Any], _: str | None) -> str:
    pattern, written = detail["ctx"]["pattern"], str(detail["input"])
    if pattern in _NEARLY and (text := _NEARLY[pattern](written)):
        return text
    text = PATTERNS.get(pattern, mistakes.NO_MATCH)
    return text.format(value=shown(written), pattern=pattern, node="{node}")


def _nearly_a_host(written: str) -> str | None:
    host, _, port = written.rpartition(":")
    if port.isdecimal() and re.fullmatch(site.HOST, host):
        return mistakes.NO_HOST_WITH_PORT.format(value=shown(written), port=port)
    if re.fullmatch(site.HOST, written.rpartition("@")[2]):
        return mistakes.NO_HOST_WITH_LOGIN.format(value=shown(written))
    return None


def _nearly_a_host_key(written: str) -> str | None:
    key = host_key.behind_names(written)
    return mistakes.HOST_KEY_OF_KNOWN_HOSTS.format(key=shown(key)) if key else None


def _nearly_a_directive(written: str) -> str | None:
    found = re.fullmatch(r"-*([a-z][a-z_-]*)(?:[= ]([^ ]+)|:)?", written)
    if not found or (name := found[1].replace("_", "-")) == written.lstrip("-"):
        return None
    return mistakes.DIRECTIVE_AS.format(value=shown(written), option=f"{name}: {found[2]}" if found[2] else name)


def _nearly_a_path(written: str) -> str | None:
    if not re.match(r"(~|\$HOME|\$\{HOME\})(/|$)", written):
        return None
    return mistakes.HOME_NOT_EXPANDED.format(value=shown(written), owner="{owner}")


_NEARLY: Mapping[str, Callable[[str], str | None]] = {
    site.HOST: _nearly_a_host,
    site.HOST_KEY: _nearly_a_host_key,
    values.ABSOLUTE_PATH: _nearly_a_path,
    values.DIRECTIVE: _nearly_a_directive,
}
"""What is said of texts from which it can be told what was meant; None for others."""


def _few(detail: Mapping[str, Any], _: str | None) -> str:
    least = detail["ctx"]["min_length"]
    return mistakes.TOO_FEW if least == 1 else mistakes.TOO_FEW_OF.format(least=least)


def _many(detail: Mapping[str, Any], _: str | None) -> str:
    return mistakes.TOO_MANY.format(count=len(detail["input"]), most=detail["ctx"]["max_length"])


def _limit(text: str, name: str) -> Callable[[Mapping[str, Any], str | None], str]:
    def say(detail: Mapping[str, Any], written: str | None) -> str:
        return text.format(value=shown(written or str(detail["input"])), limit=detail["ctx"][name])

    return say


def _one_of(detail: Mapping[str, Any], written: str | None) -> str:
    options = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
    hint = meant(str(detail["input"]), options)
    if written and detail["input"] is not None:
        return mistakes.NOT_ONE_OF.format(value=shown(written), options=", ".join(options), hint=hint)
    return mistakes.IS_NOT_ONE_OF.format(found=_found(detail), options=", ".join(options), hint=hint)


def _own(detail: Mapping[str, Any], _: str | None) -> str:
    """Return what a validator of ours says; of a value that is not text, what it is."""
    error, value = detail["ctx"]["error"], detail["input"]
    is_written = isinstance(value, str | int | float) and not isinstance(value, bool)
    if isinstance(error, Unreadable) and not is_written:
        return error.sentence.format(value=_found(detail))
    return str(error)


_SAYS: Mapping[str, Callable[[Mapping[str, Any], str | None], str]] = {
    "string_type": _text,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _few,
    "string_too_long": _many,
    "too_short": _few,
    "too_long": _many,
    "int_type": _number,
    "int_parsing": _number,
    "int_parsing_size": _number,
    "int_from_float": _number,
    "bool_type": _flag,
    "bool_parsing": _flag,
    "tuple_type": _list,
    "list_type": _list,
    "dict_type": _mapping,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "greater_than": _limit(mistakes.NOT_MORE, "gt"),
    "greater_than_equal": _limit(mistakes.NOT_AT_LEAST, "ge"),
    "less_than": _limit(mistakes.NOT_LESS, "lt"),
    "less_than_equal": _limit(mistakes.NOT_AT_MOST, "le"),
    "literal_error": _one_of,
    "value_error": _own,
}
