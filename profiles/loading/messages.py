"""Sentences for what pydantic finds wrong: what it is, and what would be right.  Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from profiles.catalogue import profile, site, values
from profiles.catalogue.spelling import meant
from profiles.loading.model_fields import Fields

_SHOWN = 60
_IF_LEFT_OUT = re.compile(r"; [^;]* if left out\.$")

PATTERNS: Mapping[str, str] = {
    values.KEY: "cannot be a name here; write small letters and digits, with single - or _ between them",
    values.PLAIN: "has a line break or another control character; write it in one line",
    values.SLURM_WORD: "is not a word that Slurm knows; write letters, digits and _.:=,[]/@+*- without spaces",
    values.ABSOLUTE_PATH: "is not an absolute path; write one that begins with /",
    values.DIRECTIVE: "is not a long option of sbatch; write it as after --, such as constraint",
    profile.ICON: "is not the name of an icon; write it as in Font Awesome, such as brain or chart-line",
    site.HOST: "is not the name of a host; write its full name, such as login1.example.org",
    site.HOST_KEY: "is not a public host key; write a line of /etc/ssh/ssh_host_*_key.pub: ssh-ed25519 AAAA...",
    site.LOGIN: "is not a login; write letters, digits and _.-, a letter first",
    site.PRINCIPAL: "is not a Kerberos principal; write one such as jupyter-monitor@EXAMPLE.ORG",
    site.NODE_ADDRESS: "does not say where the node's name stands; write an address with {node} in it",
    site.HUB_URL: "is not the address of a hub; write one such as http://hub.example.org:8081, without a path",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "is not the name of a variable; write letters, digits and _, no digit first",
    r"^[^\x00]*$": "has a NUL character; leave it out",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "is not the name of a kernelspec; write letters, digits and ._-",
    r"^[^\x00-\x1f\x7f]+$": "is empty or has a line break; write it in one line",
}
"""What is wrong with a text that does not match, for every pattern of the catalogue's models."""

_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "is empty"),
    (bool, "is true or false"),
    (int | float, "is a number"),
    (str, "is text"),
    (list | tuple, "is a list"),
    (dict, "is a mapping"),
)


OF_A_MODEL = frozenset({"model_type", "model_attributes_type"})
"""Types of details that are about a value in whose place one with keys of its own is needed."""


def sentence(detail: Mapping[str, Any], written: str | None, fields: Fields) -> str:
    """Return what is wrong, for a detail of a ValidationError.

    `written` is the value (of a key: the key) as it stands in the file, `fields` those of the model around it; for
    OF_A_MODEL its own.
    """
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"there is no such key; {meant(str(detail['loc'][-1]), fields, 'the keys here are')}"
    if kind == "missing":
        field = fields.get(str(detail["loc"][-1]))
        described = (field and field.description) or "it is needed"
        # What may be left out beside something else is needed here.
        return f"is missing; write it: {_IF_LEFT_OUT.sub('', described)}".rstrip(".")
    if kind in OF_A_MODEL and fields:
        keys = [name for name, field in fields.items() if field.is_required()] or list(fields)[:1]
        example = ", ".join(f"{name}: ..." for name in keys)
        return f"{_is(detail['input'])}, but a mapping is needed; write {{{example}}}"
    say = _SAYS.get(kind)
    return say(detail, written) if say else _about(detail, fields)


def shown(text: str) -> str:
    """Return a text short and in one line."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
    return f"`{clean}{'…' if len(text) > _SHOWN else ''}`"


def _about(detail: Mapping[str, Any], fields: Fields) -> str:
    """Say what a key is for, of which it is not known what may be written: a setting of somebody else's hook."""
    field = next((fields[step] for step in reversed(detail["loc"]) if step in fields), None)
    about = f": {field.description}".rstrip(".") if field and field.description else " what its documentation says"
    return f"{_is(detail['input'])}, which does not fit; write{about}"


def _is(value: Any) -> str:
    return next((says for kind, says in _KINDS if isinstance(value, kind)), "is something else")


def _text(detail: Mapping[str, Any], written: str | None) -> str:
    value = detail["input"]
    text = written if isinstance(value, bool | int | float) else _text_of_mapping(value)
    if text is not None:
        return f'{_is(value)}, but text is needed; write it in quotes: "{text}"'
    return f"{_is(value)}, but text is needed; write it behind the key"


def _number(detail: Mapping[str, Any], written: str | None) -> str:
    what = f"{shown(written)} is not a whole number" if written else f"{_is(detail['input'])}, not a whole number"
    return f"{what}; write digits, such as 4"


def _list(detail: Mapping[str, Any], written: str | None) -> str:
    is_word = written and written.isprintable() and detail["input"] is not None
    example = f"[{written}]" if is_word else "[...], or lines that begin with a dash"
    return f"{_is(detail['input'])}, but a list is needed; write {example}"


def _text_of_mapping(value: Any) -> str | None:
    """Return `{owner}` for what YAML makes of it where it does not stand in quotes."""
    if isinstance(value, dict) and len(value) == 1 and list(value.values()) == [None]:
        return f"{{{next(iter(value))}}}"
    return None


def _mapping(detail: Mapping[str, Any], _: str | None) -> str:
    return f"{_is(detail['input'])}, but a mapping is needed; write keys with values, such as {{key: value}}"


def _flag(_: Mapping[str, Any], written: str | None) -> str:
    what = shown(written) if written else "this"
    return f"{what} is neither true nor false; write one of them"


def _pattern(detail: Mapping[str, Any], _: str | None) -> str:
    pattern = detail["ctx"]["pattern"]
    otherwise = f"is not written as it must be; write what matches {pattern}"
    return f"{shown(str(detail['input']))} {PATTERNS.get(pattern, otherwise)}"


def _few(detail: Mapping[str, Any], _: str | None) -> str:
    least = detail["ctx"]["min_length"]
    return "is empty; write one at least" if least == 1 else f"is too short; write {least}"


def _many(detail: Mapping[str, Any], _: str | None) -> str:
    most = detail["ctx"]["max_length"]
    return f"is too long, {len(detail['input'])}; write {most} at most"


def _limit(says: str, name: str) -> Callable[[Mapping[str, Any], str | None], str]:
    def say(detail: Mapping[str, Any], written: str | None) -> str:
        return f"{shown(written or str(detail['input']))} is out of range; write {says} {detail['ctx'][name]}"

    return say


def _one_of(detail: Mapping[str, Any], written: str | None) -> str:
    options = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
    is_word = written and detail["input"] is not None
    what = shown(str(written)) if is_word else _is(detail["input"]) + ", which"
    return f"{what} is not one of {', '.join(options)}; {meant(str(detail['input']), options, 'write one of')}"


def _own(detail: Mapping[str, Any], _: str | None) -> str:
    """Return what a validator of ours says; it was made for text and numbers."""
    text = str(detail["ctx"]["error"])
    value = detail["input"]
    is_written = isinstance(value, str | int | float) and not isinstance(value, bool)
    if is_written or not text.startswith(("'", '"')) or "; " not in text:
        return text
    return f"{_is(value)}; {text.split('; ', 1)[1]}"


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
    "greater_than": _limit("more than", "gt"),
    "greater_than_equal": _limit("at least", "ge"),
    "less_than": _limit("less than", "lt"),
    "less_than_equal": _limit("at most", "le"),
    "literal_error": _one_of,
    "value_error": _own,
}
