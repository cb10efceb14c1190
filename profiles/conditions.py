"""Conditions over the parameters of datasets, such as `channels > 1 && kind == 'scan'`: read by lark, no eval.

What is compared with something of another kind, and a name that a dataset does not have, is neither true nor
false: a condition holds only if it is true whatever that may be.
"""

import logging
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial, reduce
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from languages import for_log
from profiles.sentences import checks

Value = bool | int | float | str | None
"""What a parameter of a dataset may be."""

Values = Mapping[str, Value]
"""The parameters of one dataset, by name."""

LONGEST = 1000
"""Characters that a condition may have."""

DEEPEST = 50
"""How many brackets and signs may stand within each other."""

_SAID_ONCE = 1000
_log = logging.getLogger(__name__)


class ConditionWrong(ValueError):  # noqa: N818
    """A text is no condition; it says why, and at which character."""


class _Unknown(Exception):  # noqa: N818
    """A part of a condition is neither true nor false; the text says why."""


_Part = Callable[[Values], Any]
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
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
    _test: _Part = field(repr=False, compare=False)

    def holds(self, values: Values) -> bool:
        """Return whether it holds of a dataset with these parameters; never raises.

        A name that there is not, or a value of another kind, is logged once for each condition.
        """
        try:
            return bool(self._test(values))
        except _Unknown as why:
            _tell_once(self.text, str(why))
        return False


@lru_cache(_SAID_ONCE)
def _tell_once(text: str, why: str) -> None:
    _log.info("%s", for_log(checks.DOES_NOT_HOLD.format(condition=text, reason=why)))


def parse(text: str) -> Condition:
    """Return the condition that is written in a text, in a time that grows as the text does.

    Raises ConditionWrong.
    """
    if len(text) > LONGEST:
        raise ConditionWrong(checks.CONDITION_TOO_LONG.format(count=len(text), most=LONGEST))
    return _parsed(text)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Condition:
    try:
        tokens = list(_parser().lex(text, dont_ignore=False))
        _check_depth(tokens)
        test = cast(_Part, _parser().parse(text))
    except UnexpectedInput as error:
        raise ConditionWrong(_said(error, text)) from None
    return Condition(text, frozenset(str(each) for each in tokens if each.type == "NAME"), test)


@cache
def _parser() -> Lark:
    return Lark.open("conditions.lark", rel_to=__file__, parser="lalr", lexer="basic", transformer=_Compiling())


def _check_depth(tokens: list[Token]) -> None:
    """Refuse what only a deep stack could look at: brackets within brackets, and signs before signs."""
    # Signs are open up to the end of what they stand before: those before a bracket as long as it is.
    opened: list[int] = []
    signs = 0
    for token in tokens:
        if token.type == "LPAR":
            opened.append(signs + 1)
        elif token.type == "RPAR" and opened:
            opened.pop()
        signs = signs + 1 if token.type in ("MINUS", "BANG") else 0
        if sum(opened) + signs > DEEPEST:
            raise ConditionWrong(checks.CONDITION_TOO_DEEP.format(at=token.column, most=DEEPEST))


def _said(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        begun = error.char == "'"
        sentence = checks.CONDITION_TEXT_OPEN if begun else checks.CONDITION_CHARACTER
        return sentence.format(at=(error.pos_in_stream or 0) + 1, found=_printable(error.char))
    if not isinstance(error, UnexpectedToken) or error.token.type == "$END":
        return checks.CONDITION_ENDS.format() if text.strip() else checks.CONDITION_EMPTY
    return _cannot_stand(error.token)


def _cannot_stand(token: Token) -> str:
    return checks.CONDITION_WORD.format(at=(token.start_pos or 0) + 1, found=_printable(str(token)))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:20])


@v_args(inline=True)
class _Compiling(Transformer[Token, Any]):
    """Makes of each rule a function of a dataset's parameters, from the inside to the outside."""

    def name(self, token: Token) -> _Part:
        return partial(_look_up, str(token))

    def whole(self, token: Token) -> _Part:
        return partial(_constant, int(token))

    def real(self, token: Token) -> _Part:
        number = float(token)
        if math.isinf(number):
            raise ConditionWrong(_cannot_stand(token))
        return partial(_constant, number)

    def text(self, token: Token) -> _Part:
        return partial(_constant, token[1:-1].replace("''", "'"))

    def truth(self, token: Token) -> _Part:
        return partial(_constant, token == "True")  # noqa: S105 - a word of the grammar

    def null(self) -> _Part:
        return partial(_constant, None)

    def minus(self, _sign: Token, of: _Part) -> _Part:
        return lambda values: -_number(of(values))

    def total(self, first: _Part, *rest: Any) -> _Part:
        return partial(_calculated, first, tuple(zip(rest[::2], rest[1::2], strict=True)))

    product = total

    def ordered(self, left: _Part, sign: Token, right: _Part) -> _Part:
        return partial(_in_order, left, _ORDERS[sign], right)

    def alike(self, left: _Part, sign: Token, right: _Part) -> _Part:
        return partial(_are_alike, left, sign == "==", right)

    def turned(self, left: _Part, sign: Token, right: _Part) -> _Part:
        return self.alike(right, sign, left)

    def negation(self, of: _Part) -> _Part:
        return lambda values: not of(values)

    def either(self, *parts: _Part) -> _Part:
        return partial(_first, parts, True)

    def both(self, *parts: _Part) -> _Part:
        return partial(_first, parts, False)


def _look_up(name: str, values: Values) -> Value:
    try:
        return values[name]
    except KeyError:
        raise _Unknown(checks.NO_SUCH_NAME.format(name=_printable(name))) from None


def _constant(value: Value, _: Values) -> Value:
    return value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Value) -> int | float:
    if not _is_number(value):
        raise _Unknown(checks.NO_NUMBER.format(kind=_kind(value)))
    return cast(int | float, value)


def _kind(value: Value) -> str:
    return "null" if value is None else type(value).__name__


def _calculated(first: _Part, rest: tuple[tuple[str, _Part], ...], values: Values) -> int | float:
    def step(left: int | float, then: tuple[str, _Part]) -> int | float:
        try:
            found = _ARITHMETIC[then[0]](left, _number(then[1](values)))
            is_finite = math.isfinite(found)
        except ArithmeticError:
            is_finite = False
        if not is_finite:
            raise _Unknown(checks.NOT_FINITE)
        return cast(int | float, found)

    return reduce(step, rest, _number(first(values)))


def _comparable(left: Value, right: Value) -> None:
    if _is_number(left) != _is_number(right) or (not _is_number(left) and type(left) is not type(right)):
        raise _Unknown(checks.NOT_COMPARABLE.format(one=_kind(left), other=_kind(right)))


def _in_order(left: _Part, test: Callable[[Any, Any], bool], right: _Part, values: Values) -> bool:
    one, other = left(values), right(values)
    _comparable(one, other)
    if one is None or isinstance(one, bool):
        raise _Unknown(checks.NO_ORDER.format(kind=_kind(one)))
    return bool(test(one, other))


def _are_alike(left: _Part, wanted: bool, right: _Part, values: Values) -> bool:
    one, other = left(values), right(values)
    if one is not None and other is not None:
        _comparable(one, other)
    return bool(one == other) is wanted


def _first(parts: tuple[_Part, ...], decisive: bool, values: Values) -> bool:
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
