"""Texts that people may type: how long, and of which pattern.  Frozen values.

Patterns are matched by the engine of pydantic (Rust's `regex`), whose time grows only as the text does, whatever
the pattern: it knows no look-around and no back-references, and refuses patterns that grow too large.
"""

from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import SchemaError

from profiles.catalogue.values import Entry, Plain, Whole
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

LONGEST = 200
"""Characters that any choice may have."""


class Texts(Entry):
    """A line of text: not longer than `longest`, and as a whole of the `pattern`."""

    longest: Annotated[Whole, Field(ge=1, le=LONGEST)] = Field(
        default=LONGEST, description="How many characters it may have, up to 200."
    )
    pattern: Plain | None = Field(
        default=None,
        min_length=1,
        description="Regular expression that the whole of it must match, such as `[A-Za-z0-9 ]*`; without "
        "look-around and back-references. Default: any.",
    )

    def holds(self, text: str) -> bool:
        """Return whether a text is such a one, in a time that grows as it does."""
        return len(text) <= self.longest and (self.pattern is None or _matches(self.pattern, text))

    @model_validator(mode="after")
    def _pattern_is_one(self) -> Self:
        if self.pattern is not None:
            try:
                # By itself too: what only brackets around it make an expression is none.
                _adapter(self.pattern)
                _adapter(_whole(self.pattern))
            except SchemaError as error:
                raise WrongAt(("pattern",), mistakes.NO_PATTERN.format(reason=_reason(error))) from None
        return self


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _reason(error: SchemaError) -> str:
    """Return what the engine says in its last line."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip().removeprefix("error: ").rstrip(".") if lines else type(error).__name__


@lru_cache(maxsize=1024)
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, Field(pattern=pattern)])


def _matches(pattern: str, text: str) -> bool:
    try:
        _adapter(_whole(pattern)).validate_python(text)
    except ValidationError:
        return False
    return True
