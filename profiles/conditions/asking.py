"""Conditions, asked of datasets: of one, or of several at once.  Pure but for the log."""

import logging
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, cast

from languages import for_log
from profiles.sentences import checks

Value = bool | int | float | str | None
"""What a parameter of a dataset may be."""

Values = Mapping[str, Value]
"""The parameters of one dataset, by name."""

_SAID_ONCE = 1000
_NUMBERS = (int, float)
_log = logging.getLogger(__name__)


class _Unknown(Exception):  # noqa: N818
    """A part of a condition is neither true nor false; the text says why."""


Part = Callable[[Values], Any]
"""A part of a condition: what it is for a dataset's parameters."""

ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


@dataclass(frozen=True)
class Condition:
    """A condition, ready to be asked; `names` are the parameters that it looks at."""

    text: str
    names: frozenset[str]
    _test: Part = field(repr=False, compare=False)

    def holds(self, values: Values) -> bool:
        """Return whether it holds of a dataset with these parameters; never raises.

        A name that there is not, or a value of another kind, is logged once for each condition.
        """
        try:
            return bool(self._test(values))
        except _Unknown as why:
            _tell_once(self.text, str(why))
        return False


class Together:
    """Several datasets, by their parameters, of which conditions are asked; each distinct one once."""

    def __init__(self, datasets: Sequence[Values]) -> None:
        self._datasets = datasets
        self._columns: dict[str, list[object]] = {}
        self._answers: dict[str, bool] = {}

    def all_hold(self, condition: Condition) -> bool:
        """Return whether a condition holds of each of them."""
        if condition.text not in self._answers:
            self._answers[condition.text] = self._all_hold(condition)
        return self._answers[condition.text]

    def _all_hold(self, condition: Condition) -> bool:
        # One that looks at no name is asked of one of them.
        alike = zip(*map(self._column, condition.names or {""}), strict=True)
        distinct = dict(zip(alike, self._datasets, strict=True))
        return all(condition.holds(each) for each in distinct.values())

    def _column(self, name: str) -> list[object]:
        """Return what tells the datasets apart by one parameter: 1 is not True."""
        if name not in self._columns:
            self._columns[name] = [
                (each[name].__class__, each[name]) if name in each else None for each in self._datasets
            ]
        return self._columns[name]


@lru_cache(_SAID_ONCE)
def _tell_once(text: str, why: str) -> None:
    _log.info("%s", for_log(checks.DOES_NOT_HOLD.format(condition=text, reason=why)))


def look_up(name: str, values: Values) -> Value:
    """Return the parameter of this name.  Raises _Unknown, as all of these do where nothing is known."""
    try:
        return values[name]
    except KeyError:
        raise _Unknown(checks.NO_SUCH_NAME.format(name=printable(name))) from None


def constant(value: Value, _: Values) -> Value:
    """Return what stands in the condition itself."""
    return value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: Value) -> int | float:
    """Return a value that is a number."""
    if not _is_number(value):
        raise _Unknown(checks.NO_NUMBER.format(kind=_kind(value)))
    return cast(int | float, value)


def _kind(value: Value) -> str:
    return "null" if value is None else type(value).__name__


def calculated(first: Part, rest: tuple[tuple[str, Part], ...], values: Values) -> int | float:
    """Return what comes of a number and of those behind it, each with its sign, from left to right."""

    def step(left: int | float, then: tuple[str, Part]) -> int | float:
        try:
            found = _ARITHMETIC[then[0]](left, number(then[1](values)))
            is_finite = math.isfinite(found)
        except ArithmeticError:
            is_finite = False
        if not is_finite:
            raise _Unknown(checks.NOT_FINITE)
        return cast(int | float, found)

    return reduce(step, rest, number(first(values)))


def _comparable(left: Value, right: Value) -> None:
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return
    if _is_number(left) != _is_number(right) or (not _is_number(left) and type(left) is not type(right)):
        raise _Unknown(checks.NOT_COMPARABLE.format(one=_kind(left), other=_kind(right)))


# Hundreds of conditions are asked of hundreds of datasets for one page: what is plain is seen first.
_ORDERED = frozenset({int, float, str})


def in_order(left: Part, test: Callable[[Any, Any], bool], right: Part, values: Values) -> bool:
    """Return whether two values stand in an order."""
    one, other = left(values), right(values)
    if type(one) is type(other) and type(one) in _ORDERED:
        return test(one, other)
    _comparable(one, other)
    if one is None or isinstance(one, bool):
        raise _Unknown(checks.NO_ORDER.format(kind=_kind(one)))
    return bool(test(one, other))


def are_alike(left: Part, wanted: bool, right: Part, values: Values) -> bool:
    """Return whether two values are equal, or (not `wanted`) differ."""
    one, other = left(values), right(values)
    if type(one) is not type(other) and one is not None and other is not None:
        _comparable(one, other)
    return bool(one == other) is wanted


def first(parts: tuple[Part, ...], decisive: bool, values: Values) -> bool:
    """Return `decisive` if a part is that, whatever becomes of the others."""
    unknown = ""
    for part in parts:
        try:
            if part(values) == decisive:
                return decisive
        except _Unknown as why:
            unknown = unknown or str(why)
    if unknown:
        raise _Unknown(unknown)
    return not decisive


def printable(text: str) -> str:
    """Return a text as it may be shown: cut, and without what cannot be printed."""
    return "".join(c if c.isprintable() else "?" for c in text[:20])
