"""Numbers as people type them.  Pure."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from profiles.sentences import mistakes

DECIMAL = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?$"
"""A decimal number: no more digits, and no larger exponents, than programs read alike."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(DECIMAL.removeprefix("^").removesuffix("$"))


def whole(text: str) -> int | None:
    """Return the whole number that is written in a text, None if there is none, or one of more than 18 digits."""
    return int(text) if _WHOLE.fullmatch(text) else None


def decimal(text: str) -> Decimal | None:
    """Return the number that is written in a text, None if there is none, or one of too many digits."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _as_written(value: Any) -> Any:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or decimal(text) is None:
        raise ValueError(mistakes.NO_DECIMAL)
    return text


Number = Annotated[
    str, BeforeValidator(_as_written, json_schema_input_type=int | float | Annotated[str, Field(pattern=DECIMAL)])
]
"""A decimal number, kept as it is written."""
