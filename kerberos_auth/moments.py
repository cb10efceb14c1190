"""Moments of a ticket as people read them.  Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from . import sentences


@dataclass(frozen=True)
class Moment:
    """A moment for people: `text` in UTC, and `iso` for a page that shows it in the reader's zone."""

    text: str
    iso: str

    @classmethod
    def of(cls, epoch: int) -> Self:
        """Return an epoch second."""
        moment = datetime.fromtimestamp(epoch, UTC)
        return cls(sentences.MOMENT.format(moment=moment), f"{moment:%FT%TZ}")
