"""Seconds that were measured, and tables of them.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

NAME_WIDTH = 68
NUMBER_WIDTH = 9

Samples = Sequence[float]
"""Seconds of one thing, in the order they were measured."""


@dataclass(frozen=True)
class Table:
    """A title, names of columns, and rows of a name with one cell for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the table as aligned lines."""
        head = f"{self.title:{NAME_WIDTH}}" + _cells(self.columns)
        body = [f"  {name:{NAME_WIDTH - 2}}{_cells(cells)}" for name, cells in self.rows]
        return "\n".join([head, *body, *(f"  {note}" for note in self.notes)])


@dataclass(frozen=True)
class Aim:
    """What is aimed at, the number that is the limit, and what was measured: nan if that is nothing."""

    what: str
    limit: float
    measured: float
    is_least: bool = False
    """The limit is the least that will do, else the most."""

    @property
    def is_reached(self) -> bool:
        """Whether it is."""
        return self.measured >= self.limit if self.is_least else self.measured <= self.limit


def aims_table(aims: Sequence[Aim]) -> Table:
    """Return what to print of them."""
    return Table(
        "aims",
        ("measured", "aim", ""),
        tuple(
            (
                aim.what,
                (
                    f"{aim.measured:.2f}",
                    f"{'>=' if aim.is_least else '<='} {aim.limit:g}",
                    "reached" if aim.is_reached else "missed",
                ),
            )
            for aim in aims
        ),
    )


def percentile95(samples: Samples) -> float:
    """Return the 95th percentile; there must be two samples at least."""
    return quantiles(samples, n=20, method="inclusive")[-1]


def milliseconds(samples: Samples) -> tuple[str, str, str]:
    """Return median, least and greatest, as text in ms."""
    return in_ms(median(samples)), in_ms(min(samples)), in_ms(max(samples))


def with_tail(samples: Samples) -> tuple[str, str, str]:
    """Return median, 95th percentile and greatest, as text in ms; there must be two samples at least."""
    return in_ms(median(samples)), in_ms(percentile95(samples)), in_ms(max(samples))


def in_ms(seconds: float) -> str:
    """Return seconds as text in whole milliseconds, with a decimal below 20."""
    return f"{seconds * 1000:.0f}" if abs(seconds) >= 0.02 else f"{seconds * 1000:.1f}"


def ratio(samples: Samples, reference: Samples) -> str:
    """Return how many times the median of `reference` that of `samples` is, as text."""
    return f"x {median(samples) / median(reference):.2f}"


def differences(samples: Samples, reference: Samples) -> list[float]:
    """Return pair by pair how much longer `samples` are."""
    return [one - other for one, other in zip(samples, reference, strict=True)]


def of_medians(marks: Sequence[Mapping[str, float]], start: str | None, end: str) -> str:
    """Return the median of what passed from the mark `start` (None: the beginning) to `end`, as text in ms."""
    return in_ms(median(each[end] - (each[start] if start else 0.0) for each in marks))


def _cells(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{NUMBER_WIDTH}}" for cell in cells)
