"""Finds sentences that a module words itself instead of taking them from its package's `sentences`."""

import ast
from collections.abc import Iterator

from tests.support.folders import TREE

_ERRORS = {
    "Broken",
    "FrontEndRefused",
    "JobEnded",
    "LaunchError",
    "Refused",
    "SiteUnreachable",
    "SubmitRefused",
    "Unavailable",
    "Failed",
    "SystemExit",
    "TraitError",
    "print",
    "tell",
}
"""What is called with a sentence for people first, as a name or an attribute."""


def own_sentences(package: str) -> list[str]:
    """Return `path:line: text` of each sentence that a module of the package words itself.

    Modules that run in jobs are left out: there is no package around them.
    """
    modules = sorted((TREE / package).rglob("*.py"))
    paths = [path for path in modules if not {"jobside", "sentences.py"} & set(path.parts)]
    assert len(paths) > 8
    found = ((path, worded(path.read_text(encoding="utf-8"))) for path in paths)
    return [f"{path.relative_to(TREE)}:{line}: {text}" for path, texts in found for line, text in texts]


def worded(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each literal that is, or is part of, the sentence that a call gives to people."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in _ERRORS:
            for text in _literals(node.args[0]):
                yield node.lineno, text


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literals(value: ast.expr) -> Iterator[str]:
    """Yield the literal texts with words in them that `value` is made of; arguments of calls are no part of it."""
    match value:
        case ast.Constant(value=str(text)):
            if any(character.isalpha() for character in text):
                yield text
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from _literals(part)
        case ast.BinOp(left=left, right=right):
            yield from _literals(left)
            yield from _literals(right)
        case ast.IfExp(body=body, orelse=otherwise):
            yield from _literals(body)
            yield from _literals(otherwise)
        case ast.Call(func=ast.Attribute(value=text)):
            yield from _literals(text)
