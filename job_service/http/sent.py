"""What people send as a body: each field that is wrong is told, and there are never many of them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from pydantic_core import PydanticCustomError

MOST = 1000
"""How many fields a body, and how many values one of them, may have: more are refused as one.

Each that is wrong would be an error of its own, and half a million of them take many seconds of everybody's.
"""


class Sent(BaseModel):
    """What people send: a field that there is not is a mistake, not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, values: Any) -> Any:
        return _few(values)

    @field_validator("*", mode="before")
    @classmethod
    def _has_few_values(cls, value: Any) -> Any:
        return _few(value)


def _few(values: Any) -> Any:
    if isinstance(values, list | dict) and len(values) > MOST:
        raise PydanticCustomError("too_long", "too long", {"max_length": MOST})
    return values
