"""Read a catalogue file into a Catalogue, or say everything that is wrong with it and where."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from profiles.errors import CatalogueInvalid, Problem
from profiles.schema import Catalogue


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without its two traps: `08:00:00` is text, and so are yes, no, on and off."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.rsplit(":", 1)[1] not in ("int", "bool", "timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?[0-9]+$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))


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
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise CatalogueInvalid((Problem(name, *where, "file", f"not YAML: {error.problem}"),)) from error
    except yaml.YAMLError as error:
        raise CatalogueInvalid((Problem(name, 1, 1, "file", f"not YAML: {error}"),)) from error
    finally:
        loader.dispose()
    try:
        return Catalogue.model_validate(data)
    except ValidationError as error:
        problems = (_problem(name, root, detail) for detail in error.errors())
        raise CatalogueInvalid(tuple(sorted(problems, key=lambda p: (p.line, p.column)))) from error


def _problem(name: str, root: Node | None, detail: Any) -> Problem:
    path = [str(step) for step in detail["loc"]]
    line, column = _place(root, path)
    text = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        text = "there is no such key"
    elif detail["type"] == "missing":
        text = "is missing"
    return Problem(name, line, column, ".".join(path) or "file", text)


def _place(root: Node | None, path: list[str]) -> tuple[int, int]:
    """Return line and column (1-based) of the deepest node on `path` that the file has."""
    node, mark = root, root.start_mark if root else None
    for step in path:
        found = _child(node, step)
        if found is None:
            continue
        key, node = found
        mark = key.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _child(node: Node | None, step: str) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, SequenceNode) and step.isdigit() and int(step) < len(node.value):
        return node.value[int(step)], node.value[int(step)]
    return None
