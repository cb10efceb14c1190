"""The catalogue's announced pauses, of a site or a gateway.  Frozen values; no I/O and no look-ups."""

from typing import Self

from pydantic import Field, model_validator

from profiles.catalogue.values import Entry, Moment, Plain
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes


class Maintenance(Entry):
    """One announced pause of a site."""

    begins: Moment = Field(description="When it begins, such as 2026-12-01 08:00.")
    ends: Moment = Field(description="When it is over.")
    text: Plain = Field(default="", description="Further information, shown to people.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends <= self.begins:
            raise WrongAt(("ends",), mistakes.ENDS_BEFORE.format(begins=f"{self.begins:%Y-%m-%d %H:%M}"))
        return self
