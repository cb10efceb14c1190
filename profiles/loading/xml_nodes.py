"""Elements as the nodes that YAML gives, and all that is wrong with elements on the way.  Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from profiles.catalogue.spelling import meant
from profiles.loading.problems import Problem
from profiles.loading.xml_elements import Element
from profiles.sentences import loading, mistakes, shown

_TAG = "tag:yaml.org,2002:"
_MOST_PROBLEMS = 100
_NO_KEY = re.compile(r"[^a-z0-9]+")
_LONGEST_KEY = 40

Pair = tuple[str, Element, Node]
"""A key, the element from which it comes, and its value."""


def key_of(text: str) -> str:
    """Return a name as a key of a catalogue: small letters and digits, `_` for all else; "" if nothing is left."""
    return _NO_KEY.sub("_", text.lower()).strip("_")[:_LONGEST_KEY].strip("_")


@dataclass
class Reading:
    """Reads the elements of one file; `problems` and `notices` are those found so far."""

    name: str
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def wrong(self, element: Element, said: str) -> None:
        """Add what is wrong with an element; of very many the first are enough."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(self._at(element, said))

    def meaningless(self, element: Element, said: str) -> None:
        """Add what means nothing here, and does no harm."""
        self.notices.append(self._at(element, said))

    def _at(self, element: Element, said: str) -> Problem:
        return Problem(self.name, element.line, element.column, shown(element.name), said)

    # -- elements ---------------------------------------------------------------------------------------

    def attributes(self, element: Element, known: Sequence[str]) -> None:
        """See that an element has no other attributes."""
        for name in element.attributes:
            if name not in known:
                hint = meant(shown(name), known) if known else loading.REMOVE_IT
                self.wrong(element, loading.XML_NO_ATTRIBUTE.format(name=shown(name), hint=hint))

    def children(
        self, element: Element, known: Sequence[str], repeated: Sequence[str], needed: Sequence[str]
    ) -> Mapping[str, list[Element]]:
        """Return the elements in one by their names; each that is wrong is told."""
        found: dict[str, list[Element]] = {}
        if element.text:
            self.wrong(element, loading.XML_TEXT_BESIDE)
        for child in element.children:
            if child.name not in known:
                self.wrong(child, loading.XML_NO_ELEMENT.format(hint=meant(shown(child.name), known)))
            elif child.name in found and child.name not in repeated:
                first = found[child.name][0]
                self.wrong(child, loading.TWICE_IN_FILE.format(line=first.line))
            else:
                found.setdefault(child.name, []).append(child)
        for name in needed:
            if name not in found:
                self.wrong(element, loading.XML_MISSING.format(name=name))
        return found

    def text(self, element: Element, *, attributes: Sequence[str] = ()) -> str:
        """Return the text in an element that has no others in it."""
        self.attributes(element, attributes)
        if element.children:
            self.wrong(element, loading.XML_ELEMENTS)
        return element.text

    def filled(self, element: Element) -> str:
        """Return the text in an element, which must not be empty."""
        text = self.text(element)
        if not text and not element.children:
            self.wrong(element, loading.XML_EMPTY)
        return text

    def one_of(self, element: Element, words: Sequence[str]) -> str:
        """Return the word in an element, which has to be one of some."""
        word = self.filled(element)
        if word and word not in words:
            said = {"value": f"`{shown(word)}`", "options": ", ".join(words), "hint": meant(shown(word), words)}
            self.wrong(element, mistakes.NOT_ONE_OF.format(**said))
        return word

    def flag(self, element: Element, text: str) -> bool:
        """Return whether a text in an element or an attribute of it is `true`."""
        if text not in ("true", "false"):
            self.wrong(element, mistakes.NOT_A_FLAG.format(value=f"`{shown(text)}`"))
        return text == "true"

    # -- nodes ------------------------------------------------------------------------------------------

    def scalar(self, element: Element, text: str, kind: str = "str") -> ScalarNode:
        """Return a value; `kind` is str, bool or int."""
        return ScalarNode(_TAG + kind, text, self._mark(element), self._mark(element))

    def list(self, element: Element, values: Sequence[Node]) -> SequenceNode:
        """Return a list of values."""
        return SequenceNode(f"{_TAG}seq", list(values), self._mark(element), self._mark(element))

    def words(self, element: Element, texts: Sequence[str]) -> SequenceNode:
        """Return a list of texts."""
        return self.list(element, [self.scalar(element, text) for text in texts])

    def mapping(self, element: Element, pairs: Sequence[Pair]) -> MappingNode:
        """Return keys with values, each key where its element is."""
        nodes = [(self.scalar(at, key), value) for key, at, value in pairs]
        return MappingNode(f"{_TAG}map", nodes, self._mark(element), self._mark(element))

    def _mark(self, element: Element) -> Mark:
        return Mark(self.name, 0, element.line - 1, element.column - 1, None, 0)
