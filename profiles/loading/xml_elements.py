"""XML text to elements, which know line and column.  By expat, without entities of anybody's own.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from profiles.loading.problems import Problem
from profiles.sentences import loading

DEEPEST = 10
"""Elements within each other; what is read here has three."""

MOST = 20_000
"""Elements in one file."""

_HINTS: Mapping[str, str] = {
    expat.errors.XML_ERROR_TAG_MISMATCH: loading.XML_TAG,
    expat.errors.XML_ERROR_NO_ELEMENTS: loading.XML_NOTHING,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN: loading.XML_UNCLOSED,
    expat.errors.XML_ERROR_INVALID_TOKEN: loading.XML_ESCAPE,
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: loading.XML_ENTITY,
    expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE: loading.XML_ATTRIBUTE_TWICE,
    expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT: loading.XML_ONE_ELEMENT,
}


class NotXML(Exception):  # noqa: N818
    """A text cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass
class Element:
    """An element: where it begins (1-based), its attributes, its text, and the elements in it."""

    name: str
    line: int
    column: int
    attributes: Mapping[str, str]
    parts: list[str] = field(default_factory=list)
    children: "list[Element]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in it, in one line, without the spaces around it."""
        return " ".join("".join(self.parts).split())


def read(text: str, name: str) -> Element:
    """Return the root of a text; `name` stands for the file.  Raises NotXML."""
    reading = _Reading(name)
    try:
        reading.parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        hint = _HINTS.get(reason, loading.LOOK_HERE)
        said = loading.NOT_XML.format(reason=reason, hint=hint)
        raise NotXML(Problem(name, error.lineno, error.offset + 1, "file", said)) from None
    return reading.root


class _Reading:
    def __init__(self, name: str) -> None:
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.root: Element
        self._name = name
        self._open: list[Element] = []
        self._count = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST:
            raise self._stop(loading.XML_TOO_DEEP.format(most=DEEPEST))
        if self._count > MOST:
            raise self._stop(loading.XML_TOO_MANY.format(most=MOST))
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        element = Element(name, line, column, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].parts.append(text)

    def _doctype(self, *_: object) -> None:
        raise self._stop(loading.XML_DOCTYPE)

    def _stop(self, said: str) -> NotXML:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return NotXML(Problem(self._name, line, column, "file", said))
