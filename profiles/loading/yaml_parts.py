"""Parts of a catalogue that its files share: what stands below `x-` keys, by the names of its anchors.

YAML's aliases know the anchors of their own file.  Here they also know those below the `x-` keys of files that
were read before.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yaml.composer import Composer
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode

from profiles.loading import yaml_nodes
from profiles.loading.problems import Problem

PREFIX = "x-"
"""What the keys begin with that say nothing by themselves."""

_HAS_PARTS = re.compile(rf"^['\"]?{PREFIX}", re.MULTILINE)
_ALIAS = re.compile(r"\*([A-Za-z0-9_-]+)")


class _Sharing(Composer, yaml_nodes.Loader):
    """Composes nodes as the parser itself does, with further anchors, and keeps those of the text."""

    def __init__(self, stream: Any, shared: Mapping[str, Node]) -> None:
        yaml_nodes.Loader.__init__(self, stream)  # type: ignore[call-arg]
        self.anchors = {}
        self._shared = shared
        self.own: Mapping[str, Node] = {}

    def compose_document(self) -> Node | None:
        """Return the one document of a text."""
        self.get_event()
        node: Node | None = self.compose_node(None, None)
        self.get_event()
        self.own, self.anchors = self.anchors, {}
        return node

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Return the next node; for an alias that the text does not know, that of another file."""
        if self.check_event(AliasEvent):
            name = self.peek_event().anchor
            if name in self._shared and name not in self.anchors:
                self.get_event()
                return self._shared[name]
        node: Node | None = super().compose_node(parent, index)
        return node


class Parts:
    """What the files that were read until now share."""

    def __init__(self) -> None:
        self._by_anchor: dict[str, Node] = {}
        # They are kept, so that no other node can have the id of one.
        self._inside: dict[int, Node] = {}

    def compose(self, text: str, name: str) -> tuple[Node | None, list[Problem]]:
        """Return the root of a text without its parts, which are known from now on, and what is wrong with these.

        None if there is nothing; `name` stands for the file.  Raises NotYAML.
        """
        uses = bool(self._by_anchor) and any(found[1] in self._by_anchor for found in _ALIAS.finditer(text))
        if not uses and not _HAS_PARTS.search(text):
            root = yaml_nodes.compose(text, name)
            return root, [] if root is None else list(yaml_nodes.repeated(root))
        made: list[_Sharing] = []

        def sharing(stream: Any) -> _Sharing:
            made.append(_Sharing(stream, self._by_anchor))
            return made[-1]

        root = yaml_nodes.compose(text, name, sharing)
        if root is None:
            return None, []
        problems = list(yaml_nodes.repeated(root, self._inside))
        return root, problems + list(self._taken(root, made[-1].own))

    def _taken(self, root: Node, anchors: Mapping[str, Node]) -> Iterator[Problem]:
        if not isinstance(root, MappingNode):
            return
        parts = [(key, value) for key, value in root.value if is_part(key)]
        root.value = [pair for pair in root.value if not is_part(pair[0])]
        names = {id(node): name for name, node in anchors.items()}
        for key, value in parts:
            for node in _nodes(value, self._inside):
                self._inside[id(node)] = node
                name = names.get(id(node))
                if name is not None and name in self._by_anchor:
                    yield yaml_nodes.anchor_twice(node, (key.value,), name, self._by_anchor[name])
                elif name is not None:
                    self._by_anchor[name] = node


def is_part(key: Node) -> bool:
    """Return whether what stands below a key of a file is a part."""
    return isinstance(key, ScalarNode) and str(key.value).startswith(PREFIX)


def _nodes(node: Node, known: Mapping[int, Node]) -> Iterator[Node]:
    """Yield a node and all in it, each once, but none that is known."""
    waiting, seen = [node], set(known)
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if not isinstance(each, ScalarNode):
            waiting += _inner(each)


def _inner(node: Node) -> Iterable[Node]:
    if isinstance(node, MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value)
