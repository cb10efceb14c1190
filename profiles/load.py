"""Read a catalogue file into a Catalogue, or say everything that is wrong with it and where."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from profiles.errors import CatalogueInvalid, Problem, WrongAt, WrongTogether, WrongWithin
from profiles.schema import Catalogue


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without its traps: `08:00:00`, `010`, yes, no, on and off are text or what they look like."""


_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.rsplit(":", 1)[1] not in ("int", "bool", "timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.yaml_constructors = {
    tag: make
    for tag, make in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rsplit(":", 1)[1] in _PLAIN
}


def read(path: str | Path) -> Catalogue:
    """Return the catalogue in the YAML file at `path`.

    Raises CatalogueInvalid, naming file, line and column of every problem, also if it cannot be read.
    """
    name = str(path)
    try:
        return parse(Path(path).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CatalogueInvalid((Problem(name, 1, 1, "file", f"cannot be read: {reason}"),)) from error


def parse(text: str, name: str) -> Catalogue:
    """Return the catalogue in `text`; `name` stands for the file in problems.  Raises CatalogueInvalid."""
    root, data = _values(text, name)
    try:
        return Catalogue.model_validate(data)
    except ValidationError as error:
        found = [_problem(name, root, each) for detail in error.errors() for each in _spread(detail)]
        problems = {p.where: p for p in reversed(found)}
        raise CatalogueInvalid(tuple(problems[where] for where in sorted(problems))) from error


def _values(text: str, name: str) -> tuple[Node, Any]:
    """Return the file's nodes, which know their lines, and the values in them."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise CatalogueInvalid((Problem(name, 1, 1, "file", "is empty"),))
        # Before the values are made: that writes merged keys (<<) into the nodes.
        if repeated := tuple(_repeated(name, root, (), set())):
            raise CatalogueInvalid(repeated)
        return root, loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise CatalogueInvalid((Problem(name, *where, "file", f"not YAML: {error.problem}"),)) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = (before.count("\n") + 1, error.position - before.rfind("\n"))
        problem = f"not YAML: the character U+{int(error.character):04X} may not be used"
        raise CatalogueInvalid((Problem(name, *where, "file", problem),)) from error
    # What `!!int x` and a thousand brackets in each other raise.
    except (ValueError, LookupError, RecursionError) as error:
        raise CatalogueInvalid((Problem(name, 1, 1, "file", f"not YAML: {error}"),)) from error


def _repeated(name: str, node: Node, path: tuple[str, ...], seen: set[int]) -> Iterator[Problem]:
    """Find keys that stand twice in one mapping, of which YAML would silently take the last."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        keys = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            here = (*path, key.value)
            if key.value in keys:
                mark = key.start_mark
                yield Problem(name, mark.line + 1, mark.column + 1, ".".join(here), "is there twice")
            keys.add(key.value)
            yield from _repeated(name, value, here, seen)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _repeated(name, value, (*path, str(index)), seen)


def _spread(detail: Any) -> Iterator[Any]:
    """Yield one detail for each problem that a detail stands for."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, WrongTogether):
        for each in cause.problems:
            yield {**detail, "msg": str(each), "loc": (*detail["loc"], *each.path), "ctx": {}}
    elif isinstance(cause, WrongWithin):
        for inner in cause.error.errors():
            yield {**inner, "loc": (*detail["loc"], *cause.path, *inner["loc"])}
    else:
        yield detail


def _problem(name: str, root: Node, detail: Any) -> Problem:
    text = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        text = "there is no such key"
    elif detail["type"] == "missing":
        text = "is missing"
    cause = detail.get("ctx", {}).get("error")
    steps = [str(step) for step in detail["loc"]] + list(cause.path if isinstance(cause, WrongAt) else ())
    line, column, path = _place(root, steps)
    if detail["type"] == "missing":
        path.append(steps[-1])
    return Problem(name, line, column, ".".join(path) or "file", text)


def _place(root: Node, steps: list[str]) -> tuple[int, int, list[str]]:
    """Return line and column (1-based) of the deepest node that the file has, and the steps to it.

    Steps that the file does not have are pydantic's own, such as the member of a union.
    """
    node, mark = root, root.start_mark
    path: list[str] = []
    for step in steps:
        found = _child(node, step)
        if found is None:
            continue
        key, node = found
        mark = key.start_mark
        path.append(step)
    return mark.line + 1, mark.column + 1, path


def _child(node: Node, step: str) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        # The last one counts: merged keys stand before a mapping's own.
        return next(((key, value) for key, value in reversed(node.value) if key.value == step), None)
    if isinstance(node, SequenceNode):
        if step.isdigit() and int(step) < len(node.value):
            return node.value[int(step)], node.value[int(step)]
        # A list of names may stand for a mapping from those names.
        return next(((each, each) for each in node.value if each.value == step), None)
    return None
