"""The one error of the gate, and how several become one."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from languages import for_log
from languages import together as one_after_the_other

Found = TypeVar("Found")


class ChoiceRefused(Exception):  # noqa: N818
    """One choice cannot be had: `field` names it, `said` says why and what would be accepted.

    `others` are those that cannot be had either; `message` says all.
    """

    def __init__(self, field: str, said: str, others: "Sequence[ChoiceRefused]" = ()) -> None:
        self.field: str = field
        self.said: str = said
        self.others: tuple[ChoiceRefused, ...] = tuple(others)
        self.message: str = one_after_the_other(each.said for each in self.all)
        super().__init__(for_log(self.message))

    @property
    def all(self) -> "tuple[ChoiceRefused, ...]":
        """The refusals of all fields, this one first."""
        return (self, *self.others)


def together(checks: Iterable[Callable[[], Found]]) -> list[Found]:
    """Return what each of the checks returns; raise all that they refuse as one ChoiceRefused."""
    found: list[Found] = []
    refused: list[ChoiceRefused] = []
    for check in checks:
        try:
            found.append(check())
        except ChoiceRefused as error:
            refused += error.all
    if refused:
        first, *others = refused
        raise ChoiceRefused(first.field, first.said, others) from first
    return found
