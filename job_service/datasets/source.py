"""What a source of datasets is: asked for some by words, or for those of certain keys.  Values."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from job_service.errors import Invalid
from job_service.sentences import datasets as say
from profiles.catalogue.dataset import Dataset

AT_ONCE = 100
"""How many datasets one answer has at most."""

_DIGITS = 9


@dataclass(frozen=True)
class Found:
    """Some datasets; `next_cursor` is where the rest begins, None if these were the last.

    `problems` are sentences: what could not be asked, so that there may be more.
    """

    items: tuple[Dataset, ...]
    next_cursor: str | None = None
    problems: tuple[str, ...] = ()


class Source(Protocol):
    """A source as one person sees it; the keys are those of its datasets, without its own name."""

    async def search(self, text: str, type_: str | None, cursor: str | None) -> Found:
        """Return datasets whose name or id has `text` in it, in any case, all of one type if that is given.

        `cursor` is None, or where an earlier answer ended.  Raises Invalid for one that is none, LaunchError.
        """

    async def get(self, keys: Collection[str]) -> Mapping[str, Dataset]:
        """Return those of these datasets that there are, by key.  Raises LaunchError."""


def matching(datasets: Iterable[Dataset], text: str, type_: str | None) -> list[Dataset]:
    """Return those that a search is for."""
    words = text.casefold()
    return [
        each
        for each in datasets
        if type_ in {None, each.type} and (words in each.name.casefold() or words in each.id.casefold())
    ]


def page(datasets: Sequence[Dataset], cursor: str | None) -> Found:
    """Return the next of all that were found.  Raises Invalid."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _DIGITS):
        raise no_cursor()
    begin = int(cursor or 0)
    end = begin + AT_ONCE
    return Found(tuple(datasets[begin:end]), str(end) if end < len(datasets) else None)


def no_cursor() -> Invalid:
    """Return the refusal of a cursor that no answer gave."""
    return Invalid(say.NOT_A_CURSOR, {"cursor": say.NOT_A_CURSOR})
