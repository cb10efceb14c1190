"""The words that the catalogue's values are made of, and for each pattern the sentence that says what fits."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kernels import units
from kernels.environment import Value

_KEY = r"^[a-z0-9]+([_-][a-z0-9]+)*$"
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_SLURM_WORD = r"^[A-Za-z0-9_][A-Za-z0-9_.:=,\[\]/@+*-]*$"
_ABSOLUTE_PATH = r"^/[^\x00-\x1f\x7f]*$"

Key = Annotated[str, Field(pattern=_KEY, max_length=40)]
Plain = Annotated[str, Field(pattern=_PLAIN, max_length=200)]
SlurmWord = Annotated[str, Field(pattern=_SLURM_WORD, max_length=200)]
AbsolutePath = Annotated[str, Field(pattern=_ABSOLUTE_PATH)]
Minutes = Annotated[int, BeforeValidator(units.minutes), Field(gt=0)]
Directives = dict[Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")], SlurmWord | Literal[True]]


class Entry(BaseModel):
    """A part of the catalogue: cannot be changed once read, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} is not a date with a time; write 2026-12-01 08:00") from None
    return value.astimezone() if isinstance(value, datetime) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A time with its zone: the one that is written, or that of the machine."""


def _known_braces(text: str) -> str:
    for unknown in set(re.findall(r"\{[^{}]*\}", text)) - {"{launch_id}", "{owner}"}:
        raise ValueError(f"{unknown} means nothing here; {{launch_id}} and {{owner}} do")
    return text


Word = Annotated[Value, AfterValidator(_known_braces)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]
