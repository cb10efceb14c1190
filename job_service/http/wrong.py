"""What is wrong with one field of a request, in a sentence; pydantic says it in English alone."""

from collections.abc import Callable, Mapping
from typing import Any

from job_service.sentences import http as sentences

_Limits = Mapping[str, Any]

# Pydantic's words for what is wrong, or their beginnings; the first that fits counts.
_SENTENCES: tuple[tuple[str, Callable[[_Limits], str]], ...] = (
    ("missing", lambda _: sentences.MISSING),
    ("extra_forbidden", lambda _: sentences.UNKNOWN),
    ("literal_error", lambda of: sentences.ONE_OF.format(options=_options(of))),
    ("enum", lambda of: sentences.ONE_OF.format(options=_options(of))),
    ("string_too_long", lambda of: sentences.TOO_LONG.format(most=of["max_length"])),
    ("too_long", lambda of: sentences.TOO_LONG.format(most=of["max_length"])),
    ("less_than_equal", lambda of: sentences.TOO_MUCH.format(most=of["le"])),
    ("greater_than_equal", lambda of: sentences.TOO_LITTLE.format(least=of["ge"])),
    ("string_pattern_mismatch", lambda _: sentences.CONTROLS),
    ("string_", lambda _: sentences.NOT_TEXT),
    ("int_", lambda _: sentences.NOT_A_WHOLE_NUMBER),
    ("float_", lambda _: sentences.NOT_A_NUMBER),
    ("finite_number", lambda _: sentences.NOT_A_NUMBER),
    ("bool_", lambda _: sentences.NOT_A_YES_OR_NO),
    ("datetime_", lambda _: sentences.NOT_A_MOMENT),
    ("timezone_", lambda _: sentences.NOT_A_MOMENT),
    ("list_", lambda _: sentences.NOT_A_LIST),
    ("model_", lambda _: sentences.NOT_AN_OBJECT),
    ("dict_", lambda _: sentences.NOT_AN_OBJECT),
)


def sentence(kind: str, limits: _Limits) -> str:
    """Return what is wrong with a field; `kind` is pydantic's type of the error, `limits` its context."""
    return next((said(limits) for begins, said in _SENTENCES if kind.startswith(begins)), sentences.WRONG)


def _options(limits: _Limits) -> str:
    return str(limits["expected"]).replace("'", "")
