"""YAML text to nodes, which know file, line and column, and from a path in the values back to its place."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kernels import units
from profiles.loading.problems import Problem
from profiles.sentences import loading

# libyaml's parser is some ten times as fast; PyYAML is built without it where there is no compiler.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Its composer calls itself for each level, without a limit.
_DEEPEST = 200
# A list of lists of aliases is short, and written out longer than any memory.
_MOST_VALUES = 1_000_000


class Loader(_Base):  # type: ignore[misc]
    """YAML 1.1 without its traps: `08:00:00`, `010`, yes, no, on and off are text or what they look like."""


class _Text(io.StringIO):
    """Text that marks know by its name."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


_STRING, _MAPPING, _SEQUENCE, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge"))
_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")
_NUMBERS = ("bool", "int", "float")
_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "str", *_NUMBERS))
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.rsplit(":", 1)[1] not in ("int", "bool", "timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]*)$"), list("-0123456789"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _checked(make: Any) -> Any:
    """Return a constructor whose failure, at text that a tag belies, has a place."""

    def constructor(loader: Any, node: Node) -> Any:
        try:
            return make(loader, node)
        except (ValueError, LookupError) as error:
            raise yaml.constructor.ConstructorError(
                None, None, loading.NOT_WHAT_ITS_TAG_SAYS.format(tag=node.tag), node.start_mark
            ) from error

    return constructor


def _decimal(loader: Any, node: ScalarNode) -> units.Written:
    return units.Written(yaml.constructor.SafeConstructor.construct_yaml_float(loader, node), node.value)


Loader.yaml_constructors = {
    tag: _checked(make) if tag and tag.rsplit(":", 1)[1] in _NUMBERS else make
    for tag, make in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rsplit(":", 1)[1] in _PLAIN
} | {"tag:yaml.org,2002:float": _checked(_decimal)}


# What the parser says, or we do in its place, and what to write.
_HINTS = {
    "cannot start any token": loading.SPACES_OR_QUOTES,
    "a tab character": loading.SPACES_NOT_TABS,
    "mapping values are not allowed": loading.COLON_IN_QUOTES,
    "could not find expected ':'": loading.COLON_BEHIND_KEY,
    "unexpected end of stream": loading.NOT_CLOSED,
    "expected ',' or": loading.COMMA_MISSING,
    "did not find expected key": loading.INDENT_KEYS,
    "did not find expected '-'": loading.INDENT_DASHES,
    "alphabetic or numeric": loading.STAR_IN_QUOTES,
    "unknown escape": loading.BACKSLASH,
    "found another document": loading.ONE_DOCUMENT,
    "a constructor for the tag": loading.NO_TAG,
    loading.NOT_WHAT_ITS_TAG_SAYS.partition("{")[0]: loading.NO_TAG,
    loading.WITHIN_ITSELF: loading.NO_ALIAS_WITHIN,
    loading.NO_YAML_KEY: loading.TEXT_AS_KEY,
    "found undefined alias": loading.ANCHOR_FIRST,
    "second occurrence": loading.ANCHOR_TWICE,
}
# Of these the parser is told only where the text goes on or ends.
_BEGIN_BEFORE = ("could not find expected ':'", "unexpected end of stream")


class NotYAML(Exception):  # noqa: N818
    """A text, or values in it, cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def compose(text: str, name: str, loader: Callable[[io.StringIO], Any] = Loader) -> Node | None:
    """Return the root of a text, None if it is empty; `name` stands for the file.  Raises NotYAML."""
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        before = text[: found.start()]
        where = (before.count("\n") + 1, found.start() - before.rfind("\n"))
        what = loading.CONTROL_CHARACTER.format(code=f"{ord(found[0]):04X}")
        raise NotYAML(Problem(name, *where, "file", what))
    if _is_too_deep(text):
        raise NotYAML(Problem(name, 1, 1, "file", loading.TOO_DEEP))
    try:
        root: Node | None = loader(_Text(text, name)).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise NotYAML(_key_without_space(error, text, name) or _marked(error, name)) from error
    except (ValueError, LookupError, RecursionError, yaml.YAMLError) as error:
        raise NotYAML(Problem(name, 1, 1, "file", loading.NOT_YAML.format(reason=error))) from error
    return root


def _is_too_deep(text: str) -> bool:
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            return True
    return re.search(rf"^[-?: \t]{{{2 * _DEEPEST}}}", text, re.MULTILINE) is not None


def values(root: Node, name: str) -> Any:
    """Return the values of nodes, writing merged keys (<<) into these.  Raises NotYAML."""
    try:
        if _size(root, {}) > _MOST_VALUES:
            raise NotYAML(at(root, (), loading.TOO_MUCH_REPEATED.format(most=_MOST_VALUES)))
        return _value(root, Loader(""), {})
    except yaml.MarkedYAMLError as error:
        raise NotYAML(_marked(error, name)) from error
    except (ValueError, LookupError, RecursionError) as error:
        raise NotYAML(Problem(name, 1, 1, "file", loading.NOT_YAML.format(reason=error))) from error


def _size(node: Node, known: dict[int, int]) -> int:
    """Return how many values there are with everything that aliases and merged keys repeat written out."""
    if isinstance(node, ScalarNode):
        return 1
    if id(node) not in known:
        # For one that contains itself, which is told where it does.
        known[id(node)] = 0
        parts = [each for pair in node.value for each in pair] if isinstance(node, MappingNode) else node.value
        known[id(node)] = 1 + sum(_size(each, known) for each in parts)
    return known[id(node)]


def _value(node: Node, loader: Any, known: dict[int, Any]) -> Any:
    """Return what PyYAML's own constructor would, in half the time; `known` are the collections that were met."""
    if isinstance(node, ScalarNode):
        return node.value if node.tag == _STRING else loader.construct_object(node)
    if id(node) in known:
        if known[id(node)] is None:
            raise yaml.constructor.ConstructorError(None, None, loading.WITHIN_ITSELF, node.start_mark)
        return known[id(node)]
    known[id(node)] = None
    found: Any
    if node.tag == _MAPPING:
        if any(key.tag == _MERGE for key, _ in node.value):
            loader.flatten_mapping(node)
        found = {_key(key, loader): _value(value, loader, known) for key, value in node.value}
    elif node.tag == _SEQUENCE:
        found = [_value(each, loader, known) for each in node.value]
    else:
        found = loader.construct_object(node, deep=True)
    known[id(node)] = found
    return found


def _key(node: Node, loader: Any) -> Any:
    if not isinstance(node, ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, loading.NO_YAML_KEY, node.start_mark)
    # Keys are names, as they are written: 3.10 and true too.
    return node.value if node.tag in _SCALARS else loader.construct_object(node)


def _key_without_space(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem | None:
    """Return the problem of a line such as `title:Geneva`; the parser is told of it in the line after."""
    mark, said = error.problem_mark, str(error.problem)
    if mark is None or mark.line == 0 or "mapping values" not in said:
        return None
    before = text.split("\n")[mark.line - 1]
    if not (found := re.match(r"[ -]*(?=[\w-]+:[^ \t\r\n/])", before)):
        return None
    what = loading.NOT_YAML_HINT.format(reason=said, hint=loading.COLON_BEHIND_KEY)
    return Problem(name, mark.line, found.end() + 1, "file", what)


def _marked(error: yaml.MarkedYAMLError, name: str) -> Problem:
    said = str(error.problem)
    marks = [error.problem_mark, error.context_mark]
    mark = next(filter(None, reversed(marks) if any(words in said for words in _BEGIN_BEFORE) else marks), None)
    where = (mark.name, mark.line + 1, mark.column + 1) if mark else (name, 1, 1)
    hint = next((hint for words, hint in _HINTS.items() if words in said), loading.LOOK_HERE)
    return Problem(*where, "file", loading.NOT_YAML_HINT.format(reason=said, hint=hint))


def is_text(node: ScalarNode) -> bool:
    """Return whether a value is read as text that is not empty."""
    return node.tag == _STRING and bool(node.value)


def at(node: Node, path: Sequence[str], text: str) -> Problem:
    """Return a problem at the beginning of a node."""
    mark = node.start_mark
    return Problem(mark.name, mark.line + 1, mark.column + 1, ".".join(path) or "file", text)


def repeated(root: Node, known: Iterable[int] = ()) -> Iterator[Problem]:
    """Find keys that stand twice in one mapping, of which YAML would silently take the last.

    `known` are the ids of nodes that were looked at before.
    """
    return _repeated(root, (), set(known))


def _repeated(node: Node, path: tuple[str, ...], seen: set[int]) -> Iterator[Problem]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        keys: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            here = (*path, key.value)
            if key.value in keys:
                yield twice(key, here, keys[key.value])
            keys.setdefault(key.value, key)
            yield from _repeated(value, here, seen)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _repeated(value, (*path, str(index)), seen)


def twice(key: Node, path: Sequence[str], first: Node) -> Problem:
    """Return the problem of a key that is there twice."""
    mark = first.start_mark
    sentence = loading.TWICE_IN_FILE if mark.name == key.start_mark.name else loading.TWICE
    return at(key, path, sentence.format(file=mark.name, line=mark.line + 1))


def anchor_twice(node: Node, path: Sequence[str], name: str, first: Node) -> Problem:
    """Return the problem of an anchor of whose name there is one before."""
    mark = first.start_mark
    return at(node, path, loading.ANCHOR_OF_ANOTHER.format(name=name, file=mark.name, line=mark.line + 1))


@dataclass(frozen=True)
class Place:
    """Where a path leads: the node of the key (of the item, in a list), the value's, and the steps there are."""

    key: Node
    value: Node
    path: tuple[str, ...]

    @property
    def written(self) -> str | None:
        """The value as it is written; None for lists and mappings."""
        return self.value.value if isinstance(self.value, ScalarNode) else None


def place(root: Node, steps: Sequence[str]) -> Place:
    """Return the deepest place that the file has.

    Steps that the file does not have are pydantic's own, such as the member of a union.
    """
    found = Place(root, root, ())
    for step in steps:
        if child := _child(found.value, step):
            found = Place(*child, (*found.path, step))
    return found


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
