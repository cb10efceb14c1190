"""Times and sizes as people write them, turned into minutes and MiB.  Pure.

Here, because both the catalogue and the settings of hooks are read with it.
"""

import math
import re
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from kernels import sentences

# What is read here, for editors, which know the JSON Schema alone.
_MINUTE, _HOUR = "[mM]([iI][nN]([uU][tT][eE])?[sS]?)?", "[hH]([rR][sS]?|[oO][uU][rR][sS]?)?"
_WORD = f"({_MINUTE}|{_HOUR}|[dD]([aA][yY][sS]?)?)"
_CLOCK = "([0-9]+-)?[0-9]+:[0-5]?[0-9](:[0-5]?[0-9])?|[0-9]+-[0-9]+"
TIME = rf"^ *([0-9]+|([0-9]+([.][0-9]+)? *{_WORD} *)+|{_CLOCK}) *$"
MEMORY = r"^ *([0-9]+|[0-9]+([.][0-9]+)? *([mM]([iI]?[bB])?|[gG]([iI]?[bB])?|[tT]([iI]?[bB])?)) *$"
COUNT = r"^ *[0-9]+ *$"

_IN_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_UNITS = {"M": 1, "G": 1024, "T": 1024**2}
_MEMORY_WORDS = {"": 1} | {unit + more: size for unit, size in _UNITS.items() for more in ("", "B", "IB")}
_LONGEST = 24


class Unreadable(ValueError):  # noqa: N818
    """A text that means no value; `sentence` says so of anything that takes the place of its `{value}`."""

    def __init__(self, sentence: str, written: object) -> None:
        super().__init__(sentence.format(value=repr(str(written))))
        self.sentence = sentence


class Written(float):
    """A decimal number that knows how it was written: `3.10` is no `3.1` to who reads it as text."""

    def __new__(cls, value: float, _text: str) -> Self:
        """Return the number."""
        return super().__new__(cls, value)

    def __init__(self, _value: float, text: str) -> None:
        self.text = text


def as_text(value: object) -> object:
    """Return a number as the text that it was written as, anything else as it is."""
    if isinstance(value, Written):
        return value.text
    return str(value) if type(value) is int else value


def minutes(text: str | int) -> int:
    """Return the minutes in `8h`, `1.5 hours`, `1h 30m`, a bare number of minutes, `[D-]HH:MM[:SS]` or `D-HH`.

    What is no whole number of minutes is rounded up.  `1:30` is an hour and a half, also where Slurm itself would
    take it for minutes and seconds.  Raises Unreadable with a sentence that says what is accepted.
    """
    written = str(text).strip().lower()
    total = _clock(written) or _words(written) if len(written) <= _LONGEST else None
    if not total:
        raise Unreadable(sentences.NOT_A_TIME if total is None else sentences.TIME_OF_ZERO, written[:_LONGEST])
    return total


def _clock(written: str) -> int | None:
    found = re.fullmatch(r"(?:([0-9]+)-)?([0-9]+)(?::([0-5]?[0-9])(?::([0-5]?[0-9]))?)?", written)
    if not found or not (found[1] or found[3]):
        return None
    days, hours, mins, seconds = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + mins + (1 if seconds else 0)


def _words(written: str) -> int | None:
    if re.fullmatch(r"[0-9]+", written):
        return int(written)
    if not re.fullmatch(TIME, written):
        return None
    # What a word means is told by its first letter.
    parts = re.findall(r"([0-9.]+) *([mhd])", written)
    return math.ceil(sum(Fraction(number) * _IN_MINUTES[unit] for number, unit in parts))


def mebibytes(text: str | int) -> int:
    """Return the MiB in `64G`, `900M`, `1.5 GB`, or a bare number of MiB (Slurm's own unit).

    What is no whole number is rounded down.  Raises Unreadable with a sentence that says what is accepted.
    """
    written = str(text).strip().upper()
    found = re.fullmatch(r"([0-9]{1,9}(?:[.][0-9]{1,9}(?= *[A-Z]))?) *([A-Z]*)", written)
    unit = _MEMORY_WORDS.get(found[2]) if found else None
    if not found or unit is None:
        raise Unreadable(sentences.NOT_A_SIZE, written[:_LONGEST])
    total = math.floor(Fraction(found[1]) * unit)
    if not total:
        raise Unreadable(sentences.SIZE_OF_ZERO, written[:_LONGEST])
    return total


def count(text: str | int) -> int:
    """Return a whole number written in decimal digits; raises Unreadable with a sentence."""
    written = str(text).strip()
    if not re.fullmatch(r"[0-9]{1,6}", written):
        raise Unreadable(_why_no_count(written), written[:_LONGEST])
    return int(written)


def _why_no_count(written: str) -> str:
    if re.fullmatch(r"-0*[1-9][0-9]*", written):
        return sentences.BELOW_ZERO
    return sentences.NUMBER_TOO_LARGE if re.fullmatch(r"0*[1-9][0-9]{6,}", written) else sentences.NOT_A_NUMBER


def say_minutes(total: int) -> str:
    """Return minutes as a person writes them: `8h`, `90m`, `1h30m`, `2d`."""
    if total and total % 1440 == 0:
        return f"{total // 1440}d"
    hours, rest = divmod(total, 60)
    if not hours:
        return f"{rest}m"
    return f"{hours}h{rest}m" if rest else f"{hours}h"


def say_mebibytes(total: int) -> str:
    """Return MiB as a person writes them: `64G` or `900M`."""
    return f"{total // 1024}G" if total % 1024 == 0 else f"{total}M"


TimeText = int | Annotated[str, Field(pattern=TIME)]
MemoryText = int | Annotated[str, Field(pattern=MEMORY)]
"""What may be written where Minutes or Mebibytes are read."""

Minutes = Annotated[int, BeforeValidator(minutes, json_schema_input_type=TimeText), Field(gt=0)]
Mebibytes = Annotated[int, BeforeValidator(mebibytes, json_schema_input_type=MemoryText)]
