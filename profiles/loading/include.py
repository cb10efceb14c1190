"""The files of a catalogue: what `include` names, read once each and put together as one tree of nodes."""

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from profiles.loading import garbage, portal_types, yaml_nodes
from profiles.loading.files import LARGEST, Look, NotRegularError, Sources, TooLargeError, contents, listed, look
from profiles.loading.problems import Problem
from profiles.loading.yaml_parts import Parts
from profiles.sentences import loading

SECTIONS = ("sites", "gateways", "profiles", "job_types", "datasets")
_KEYS = ("include", *SECTIONS)
# They say where tickets and passwords go, and whose keys are right.
_OF_THE_FIRST = {"sites": loading.SITES_OF_INCLUDED, "gateways": loading.GATEWAYS_OF_INCLUDED}
_MOST_FILES = 5000


@dataclass(frozen=True)
class Tree:
    """All that the files hold; `root` is None if the first cannot be read, and `is_whole` False if another cannot.

    The entries of a file stand before those of the files that it includes, these in the order it names them, those
    of a glob by name.  `xml` are the names of the files that have job types in XML; what is wrong with such a type
    turns off this type alone.  `notices` is what means nothing in them.
    """

    root: Node | None
    problems: tuple[Problem, ...]
    sources: Sources
    is_whole: bool
    xml: frozenset[str] = frozenset()
    notices: tuple[Problem, ...] = ()


def gather(path: Path) -> Tree:
    """Return what a file and those it includes hold; never raises for what is in them."""
    return _gathered(path, _Gathering.tree)


def gather_type(path: Path) -> Tree:
    """Return what a file with a job type in XML holds; never raises for what is in it."""
    return _gathered(path, _Gathering.of_type)


def _gathered(path: Path, read: Callable[["_Gathering", str, Path], Tree]) -> Tree:
    gathering = _Gathering()
    gathering.know(path)
    try:
        return read(gathering, _text(contents(path, only_regular=False), str(path)), path)
    except OSError as error:
        problem = Problem(str(path), 1, 1, "file", loading.UNREADABLE.format(reason=error.strerror))
    except yaml_nodes.NotYAML as error:
        problem = error.problem
    return Tree(None, (problem,), gathering.sources, False)


def is_xml(path: Path) -> bool:
    """Return whether a file has a job type in XML, by its name."""
    return path.suffix.lower() == ".xml"


def gather_text(text: str, name: str) -> Tree:
    """Return the same with `text` in place of the contents of the file `name`."""
    gathering = _Gathering()
    gathering.know(Path(name))
    return gathering.tree(text, Path(name))


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        raise yaml_nodes.NotYAML(Problem(name, line, column, "file", loading.NOT_UTF8)) from error


def _unread(path: Path, error: OSError) -> str:
    """Return why an included file cannot be read, and what to do."""
    sentences = {
        IsADirectoryError: loading.INCLUDED_FOLDER,
        PermissionError: loading.INCLUDED_FORBIDDEN,
        NotRegularError: loading.INCLUDED_NO_FILE,
        TooLargeError: loading.INCLUDED_TOO_LARGE,
    }
    sentence = sentences.get(type(error), loading.INCLUDED_UNREADABLE)
    return sentence.format(path=path, reason=error.strerror, most=LARGEST // 1024**2)


def _real(path: Path) -> Path:
    # Path.resolve raises for a link that leads to itself.
    return Path(os.path.realpath(path))


@dataclass
class _Gathering:
    files: list[Path] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    globs: list[tuple[Path, str, tuple[Path, ...]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    xml: set[str] = field(default_factory=set)
    notices: list[Problem] = field(default_factory=list)
    is_whole: bool = True
    _seen: set[Path] = field(default_factory=set)
    _parts: Parts = field(default_factory=Parts)

    def tree(self, text: str, path: Path) -> Tree:
        root = None
        try:
            with garbage.left_lying():
                root, wrong = self._parts.compose(text, str(path))
            self.problems += wrong
            if root is None:
                self.problems.append(Problem(str(path), 1, 1, "file", loading.EMPTY_FILE))
            else:
                self._follow(root, root, path, (_real(path),))
        except yaml_nodes.NotYAML as error:
            self.problems.append(error.problem)
        found = tuple(self.problems), self.sources, self.is_whole
        return Tree(root, *found, frozenset(self.xml), tuple(self.notices))

    def of_type(self, text: str, path: Path) -> Tree:
        """Return the tree of a file in XML alone."""
        root = self._job_type(text, path)
        return Tree(root, tuple(self.problems), self.sources, False, frozenset(self.xml), tuple(self.notices))

    def _job_type(self, text: str, path: Path) -> Node | None:
        self.xml.add(str(path))
        found = portal_types.read(text, str(path))
        self.problems += found.problems
        self.notices += found.notices
        return found.root

    def _node(self, data: bytes, path: Path) -> Node | None:
        """Return what is in an included file, None for nothing."""
        if not is_xml(path):
            node, wrong = self._parts.compose(_text(data, str(path)), str(path))
            self.problems += wrong
            return node
        try:
            node = self._job_type(_text(data, str(path)), path)
            self.problems += [] if node is None else yaml_nodes.repeated(node)
            return node
        except yaml_nodes.NotYAML as error:
            self.xml.add(str(path))
            self.problems.append(error.problem)
            return None

    @property
    def sources(self) -> Sources:
        return Sources(tuple(self.files), tuple(self.looks), tuple(self.globs))

    def know(self, path: Path) -> None:
        """Remember a file that is read next."""
        self.files.append(path)
        self.looks.append(look(path))
        self._seen.add(_real(path))

    def _follow(self, root: Node, node: Node, path: Path, chain: tuple[Path, ...]) -> None:
        """Put what `node`, the contents of `path`, includes into `root`."""
        self._read_lists(node, path)
        for place, entry in _includes(node):
            for name in self._named(entry, path):
                try:
                    self._include(root, name, place, entry, chain)
                except yaml_nodes.NotYAML as error:
                    self.is_whole = False
                    self.problems.append(error.problem)

    def _read_lists(self, node: Node, path: Path) -> None:
        """Put what is in the files that are lists of datasets where their names stand."""
        for place, source, at in _lists(node):
            key, entry = source.value[at]
            name = path.parent / entry.value
            self.know(name)
            found: Node | None = None
            try:
                with garbage.left_lying():
                    found = yaml_nodes.compose(_text(contents(name, only_regular=True), str(name)), str(name))
                if found is not None:
                    self.problems += yaml_nodes.repeated(found)
            except OSError as error:
                self.is_whole = False
                self.problems.append(yaml_nodes.at(entry, place, _unread(name, error)))
            except yaml_nodes.NotYAML as error:
                self.is_whole = False
                self.problems.append(error.problem)
            nothing = SequenceNode("tag:yaml.org,2002:seq", [], entry.start_mark, entry.end_mark)
            source.value[at] = (key, nothing if found is None else found)

    def _named(self, entry: ScalarNode, path: Path) -> list[Path]:
        folder, pattern = path.parent, entry.value
        if not glob.has_magic(pattern):
            return [folder / pattern]
        matching = tuple(listed(folder, pattern))
        self.globs.append((folder, pattern, matching))
        return [each for each in matching if _real(each) != _real(path)]

    def _include(
        self, root: Node, path: Path, place: tuple[str, ...], entry: ScalarNode, chain: tuple[Path, ...]
    ) -> None:
        real = _real(path)
        if real in chain:
            self.problems.append(yaml_nodes.at(entry, place, loading.INCLUDES_ITSELF.format(path=path)))
            return
        if real in self._seen:
            return
        if len(self.files) >= _MOST_FILES:
            self.is_whole = False
            self.problems.append(yaml_nodes.at(entry, place, loading.TOO_MANY_FILES.format(most=_MOST_FILES)))
            return
        self.know(path)
        try:
            data = contents(path, only_regular=True)
        except OSError as error:
            raise yaml_nodes.NotYAML(yaml_nodes.at(entry, place, _unread(path, error))) from error
        with garbage.left_lying():
            node = self._node(data, path)
        if node is not None:
            self.problems += _merge(root, node)
            self._follow(root, node, path, (*chain, real))


def _includes(node: Node) -> Iterator[tuple[tuple[str, ...], ScalarNode]]:
    """Yield the entries of `include`, each with its place; what is not text there is left to the schema."""
    entries = _value(node, "include")
    if isinstance(entries, SequenceNode):
        for index, entry in enumerate(entries.value):
            if isinstance(entry, ScalarNode) and yaml_nodes.is_text(entry) and entry.value.isprintable():
                yield ("include", str(index)), entry


def _lists(node: Node) -> Iterator[tuple[tuple[str, ...], MappingNode, int]]:
    """Yield the sources of datasets that name a file, with the name's place and its position in the source."""
    section = _value(node, "datasets")
    for name, source in section.value if isinstance(section, MappingNode) else ():
        for at, (key, entry) in enumerate(source.value if isinstance(source, MappingNode) else ()):
            if key.value == "list" and isinstance(entry, ScalarNode) and yaml_nodes.is_text(entry):
                yield ("datasets", str(name.value), "list"), source, at


def _value(node: Node, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in reversed(pairs) if key.value == name), None)


def _merge(root: Node, node: Node) -> Iterator[Problem]:
    """Add what is in an included file to what is in the first; also sites, lest they be said to be missing."""
    if not isinstance(node, MappingNode):
        yield yaml_nodes.at(node, (), loading.NOT_SECTIONS)
        return
    for key, value in node.value:
        if key.value not in _KEYS:
            names = ", ".join(f"`{name}`" for name in _KEYS)
            yield yaml_nodes.at(key, (str(key.value),), loading.NO_KEY_OF_INCLUDED.format(names=names))
        elif key.value == "include":
            if not isinstance(value, SequenceNode) or not all(
                isinstance(each, ScalarNode) for each in value.value
            ):
                yield yaml_nodes.at(key, ("include",), loading.NOT_FILES)
        elif not isinstance(value, MappingNode):
            yield yaml_nodes.at(key, (key.value,), loading.NOT_ENTRIES)
        else:
            if key.value in _OF_THE_FIRST:
                yield yaml_nodes.at(key, (key.value,), _OF_THE_FIRST[key.value])
            if isinstance(root, MappingNode):
                yield from _merge_section(root, key, value)


def _merge_section(root: MappingNode, section: Node, entries: MappingNode) -> Iterator[Problem]:
    mine = _value(root, section.value)
    if mine is None:
        root.value.append((section, entries))
    elif isinstance(mine, MappingNode):
        known = {key.value: key for key, _ in mine.value if isinstance(key, ScalarNode)}
        # Both may be the same part.
        for key, value in tuple(entries.value):
            # A merged key (<<) may be there more than once: each adds to the mapping.
            if isinstance(key, ScalarNode) and key.value in known and key.value != "<<":
                yield yaml_nodes.twice(key, (section.value, key.value), known[key.value])
            else:
                mine.value.append((key, value))
