"""A text becomes a condition, or a sentence why it is none, in a time that grows as the text does."""

import math
from functools import cache, lru_cache, partial
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from profiles.conditions import asking
from profiles.conditions.asking import Condition, Part, printable
from profiles.sentences import checks

LONGEST = 1000
"""Characters that a condition may have."""

DEEPEST = 50
"""How many brackets and signs may stand within each other."""


class ConditionWrong(ValueError):  # noqa: N818
    """A text is no condition; it says why, and at which character."""


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
        test = cast(Part, _parser().parse(text))
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
        return sentence.format(at=(error.pos_in_stream or 0) + 1, found=printable(error.char))
    if not isinstance(error, UnexpectedToken) or error.token.type == "$END":
        return checks.CONDITION_ENDS.format() if text.strip() else checks.CONDITION_EMPTY
    return _cannot_stand(error.token)


def _cannot_stand(token: Token) -> str:
    return checks.CONDITION_WORD.format(at=(token.start_pos or 0) + 1, found=printable(str(token)))


@v_args(inline=True)
class _Compiling(Transformer[Token, Any]):
    """Makes of each rule a function of a dataset's parameters, from the inside to the outside."""

    def name(self, token: Token) -> Part:
        return partial(asking.look_up, str(token))

    def whole(self, token: Token) -> Part:
        return partial(asking.constant, int(token))

    def real(self, token: Token) -> Part:
        number = float(token)
        if math.isinf(number):
            raise ConditionWrong(_cannot_stand(token))
        return partial(asking.constant, number)

    def text(self, token: Token) -> Part:
        return partial(asking.constant, token[1:-1].replace("''", "'"))

    def truth(self, token: Token) -> Part:
        return partial(asking.constant, token == "True")  # noqa: S105 - a word of the grammar

    def null(self) -> Part:
        return partial(asking.constant, None)

    def minus(self, _sign: Token, of: Part) -> Part:
        return lambda values: -asking.number(of(values))

    def total(self, first: Part, *rest: Any) -> Part:
        return partial(asking.calculated, first, tuple(zip(rest[::2], rest[1::2], strict=True)))

    product = total

    def ordered(self, left: Part, sign: Token, right: Part) -> Part:
        return partial(asking.in_order, left, asking.ORDERS[sign], right)

    def alike(self, left: Part, sign: Token, right: Part) -> Part:
        return partial(asking.are_alike, left, sign == "==", right)

    def turned(self, left: Part, sign: Token, right: Part) -> Part:
        return self.alike(right, sign, left)

    def negation(self, of: Part) -> Part:
        return lambda values: not of(values)

    def either(self, *parts: Part) -> Part:
        return partial(asking.first, parts, True)

    def both(self, *parts: Part) -> Part:
        return partial(asking.first, parts, False)
