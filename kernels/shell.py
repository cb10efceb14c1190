"""The one way a value enters shell text: `quote()`, enforced by the template engine.

No other module builds shell by joining strings with values in them.
"""

import shlex
from typing import Any

import jinja2


class Shell(str):
    """Text that is shell already: written by us or the catalogue's admin, or the result of `quote`."""

    __slots__ = ()


class UnquotedValueError(TypeError):
    """A template tried to put a plain value into shell text; a bug in the template."""


def quote(value: str) -> Shell:
    """Return `value` as one shell word, whatever is in it.

    Raises ValueError for NUL, which no shell word can hold.
    """
    if "\0" in value:
        raise ValueError("a shell word cannot hold a NUL character")
    return Shell(shlex.quote(value))


def join(words: "tuple[str, ...] | list[str]") -> Shell:
    """Return the words as one command line, each quoted."""
    return Shell(" ".join(quote(word) for word in words))


def _only_shell(value: Any) -> Shell:
    if isinstance(value, Shell):
        return value
    raise UnquotedValueError(f"a value of type {type(value).__name__} reached shell text without quote()")


def templates(package: str, *others: str) -> jinja2.Environment:
    """Return the template environment for the shell templates of `package`, which may use those of others.

    Every substitution must be a `Shell`: forgetting `| quote` raises UnquotedValueError.
    """
    # Autoescaping is for HTML; here finalize refuses whatever is not quoted.
    environment = jinja2.Environment(  # noqa: S701
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(each) for each in (package, *others)]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_shell,
    )
    environment.filters["quote"] = quote
    return environment
