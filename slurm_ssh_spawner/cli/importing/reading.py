"""Reads a JupyterHub configuration without running it: what it sets to plain values, and where.  Pure."""

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.sentences import command_line as sentences

LONGEST = 1024 * 1024
_LARGEST = 10**12
# What is named may stand in others, again and again: all of it together is some megabytes at most.
_MOST = 8 * LONGEST
_NUMBERS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


@dataclass(frozen=True)
class Computed:
    """A value that only running the file would tell; `text` is how it is written, in one line."""

    text: str


@dataclass(frozen=True)
class Setting:
    """`c.<class_name>.<trait> = value` in a line (1-based)."""

    class_name: str
    trait: str
    value: Any
    line: int

    @property
    def name(self) -> str:
        """The setting as the file has it."""
        return f"c.{self.class_name}.{self.trait}"


@dataclass
class _Known:
    """The values of names, each with its size in characters and values; so much may be made yet as is `left`."""

    by_name: dict[str, tuple[Any, int]] = field(default_factory=dict)
    left: int = _MOST

    def takes(self, size: int) -> bool:
        """Return whether so much more may be made, which is counted."""
        self.left -= size
        return self.left > 0


def read(text: str, file: str) -> tuple[Setting, ...]:
    """Return what a configuration sets, in its order; the last one of a name counts.

    A setting that depends on something (in an `if`, a loop, a function) is Computed.  Raises Failed with its place
    if it is no Python.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        place = f"{file}:{error.lineno or 1}"
        raise Failed(sentences.NO_PYTHON.format(place=place, reason=error.msg)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Failed(sentences.NO_PYTHON.format(place=file, reason=str(error)[:100])) from error
    try:
        return tuple(_settings(tree.body))
    except RecursionError as error:
        raise Failed(sentences.NO_PYTHON.format(place=file, reason=str(error)[:100])) from error


def _settings(body: list[ast.stmt]) -> Iterator[Setting]:
    known = _Known()
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            before = known.left
            target, value = statement.targets[0], _value(statement.value, known)
            if isinstance(target, ast.Name):
                known.by_name[target.id] = value, before - known.left
            elif found := _trait(target):
                yield Setting(*found, value, statement.lineno)
        elif not isinstance(
            statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            yield from _dependent(statement)


def _dependent(statement: ast.stmt) -> Iterator[Setting]:
    """Yield the settings within a statement that is no plain assignment, as computed ones."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for trait in filter(None, map(_trait, targets)):
                yield Setting(*trait, Computed(_line(node.value)), node.lineno)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (found := _trait(node.func.value))
        ):
            yield Setting(*found, Computed(_line(node)), node.lineno)


def _trait(target: ast.expr) -> tuple[str, str] | None:
    """Return class and trait of `c.Class.trait`, also of `c.Class.trait[...]`."""
    at = target.value if isinstance(target, ast.Subscript) else target
    if (
        isinstance(at, ast.Attribute)
        and isinstance(at.value, ast.Attribute)
        and isinstance(at.value.value, ast.Name)
    ):
        return at.value.attr, at.attr
    return None


def _value(node: ast.expr, known: _Known) -> Any:
    """Return what an expression means if it is written out; Computed stands for every part that is not.

    That is also what is too large, or too much together.
    """
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value) if _is_small(value, known):
            return value
        case ast.Name(id=name) if name in known.by_name and known.takes(known.by_name[name][1]):
            return known.by_name[name][0]
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [_value(each, known) for each in elements]
        case ast.Dict():
            return _mapping(node, known)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words) if all(word.arg for word in words):
            return {str(word.arg): _value(word.value, known) for word in words}
    return _joined(node, known)


def _is_small(value: float | str | None, known: _Known) -> bool:
    if isinstance(value, int | float):
        # No `inf` either.
        return abs(value) < _LARGEST and known.takes(1)
    return known.takes(1 + len(value or ""))


def _mapping(node: ast.Dict, known: _Known) -> Any:
    found: dict[Any, Any] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        value, name = _value(each, known), key and _value(key, known)
        if key is None and isinstance(value, dict):
            found |= value
        elif isinstance(name, str | int):
            found[name] = value
        else:
            return Computed(_line(node))
    return found


def _joined(node: ast.expr, known: _Known) -> Any:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, known)
            return -value if isinstance(value, int | float) else Computed(_line(node))
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, known), _value(right, known)
            is_number = all(isinstance(each, int | float) and abs(each) < _LARGEST for each in (a, b))
            if is_number and type(op) in _NUMBERS:
                return _NUMBERS[type(op)](a, b)
            is_text = isinstance(op, ast.Add) and isinstance(a, str) and isinstance(b, str)
            if is_text and known.takes(len(a) + len(b)):
                return a + b
        case ast.JoinedStr(values=parts):
            values = [
                _value(each.value if isinstance(each, ast.FormattedValue) else each, known) for each in parts
            ]
            texts = [str(each) for each in values if isinstance(each, str | int)]
            if len(texts) == len(values) and known.takes(sum(map(len, texts))):
                return "".join(texts)
    return Computed(_line(node))


def _line(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except ValueError:
        # A number with more digits than Python writes.
        return "..."
    return " ".join(text.split())[:80]
