"""Job types in the XML of the ICAT job portal: another spelling of the nodes that YAML gives.  Pure.

A file has one `<jobType>`.  What is wrong with it is found here as far as XML says it; the rest, such as a default
that is not on offer, is found in the nodes, which know line and column, as it is of YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from yaml.nodes import MappingNode, Node

from profiles.catalogue.dataset import IDS_PLACE, Mode
from profiles.loading import xml_elements
from profiles.loading.portal_options import parameters
from profiles.loading.problems import Problem
from profiles.loading.xml_elements import Element, NotXML
from profiles.loading.xml_nodes import Pair, Reading, key_of
from profiles.sentences import loading

_OF_ICAT = ("family", "sessionId", "icatUrlRequired", "idsUrlRequired", "createsProvenance")
_ATTRIBUTES = (*_OF_ICAT, "acceptsDatasets", "acceptsDatafiles")
_REPEATED = ("datasetTypes", "jobOptions")
_NEEDED = ("name", "executable", "type")
_ELEMENTS = (*_NEEDED, "multiple", *_REPEATED)

Found = Mapping[str, list[Element]]


@dataclass(frozen=True)
class Read:
    """What is in a file: the root with its job type, None if it cannot be used.

    `problems` is what is wrong, `notices` what means nothing here and does no harm.
    """

    root: MappingNode | None
    problems: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()


def read(text: str, name: str) -> Read:
    """Return the job type in a text; `name` stands for the file.  Never raises for what is in it."""
    try:
        element = xml_elements.read(text, name)
    except NotXML as error:
        return Read(None, (error.problem,))
    reading = Reading(name)
    root = _root(reading, element)
    return Read(None if reading.problems else root, tuple(reading.problems), tuple(reading.notices))


def _root(reading: Reading, element: Element) -> MappingNode | None:
    if element.name != "jobType":
        reading.wrong(element, loading.XML_ROOT)
        return None
    accepts = _accepts(reading, element)
    found = reading.children(element, _ELEMENTS, _REPEATED, _NEEDED)
    if any(name not in found for name in _NEEDED):
        return None
    name = found["name"][0]
    key = key_of(reading.filled(name))
    if name.text and not key:
        reading.wrong(name, loading.XML_NO_KEY)
    entry = reading.mapping(element, _entry(reading, element, found, accepts))
    return reading.mapping(element, [("job_types", element, reading.mapping(element, [(key, name, entry)]))])


def _accepts(reading: Reading, element: Element) -> bool:
    """Return whether a type takes datasets; what only an ICAT gives a meaning is told."""
    reading.attributes(element, _ATTRIBUTES)
    flags = {
        name: reading.flag(element, value)
        for name, value in element.attributes.items()
        if name in _ATTRIBUTES and name != "family"
    }
    for name in _OF_ICAT:
        if flags.get(name) or (name == "family" and element.attributes.get(name)):
            reading.meaningless(element, loading.XML_OF_ICAT.format(name=name))
    return bool(flags.get("acceptsDatasets") or flags.get("acceptsDatafiles"))


def _entry(reading: Reading, element: Element, found: Found, accepts: bool) -> list[Pair]:
    name, executable, kind = (found[each][0] for each in _NEEDED)
    if reading.one_of(kind, ("batch", "interactive")) == "interactive":
        reading.wrong(kind, loading.XML_INTERACTIVE)
    run = [reading.filled(executable)]
    pairs: list[Pair] = [("name", name, reading.scalar(name, name.text))]
    modes = _modes(reading, found)
    if accepts:
        # Before its options, as the portal gave them.
        run.append(f"--datasetIds={IDS_PLACE}")
        pairs.append(("datasets", element, _datasets(reading, element, found, modes)))
    elif types := found.get("datasetTypes"):
        reading.wrong(types[0], loading.XML_TYPES_ALONE)
    pairs.append(("run", executable, reading.words(executable, run)))
    options = parameters(reading, found.get("jobOptions", []))
    return [*pairs, ("parameters", element, reading.mapping(element, options))] if options else pairs


def _modes(reading: Reading, found: Found) -> tuple[str, ...]:
    """Return how several datasets may become jobs."""
    known = get_args(Mode)
    if "multiple" not in found:
        return known
    multiple = found["multiple"][0]
    many = reading.flag(multiple, reading.text(multiple, attributes=("forceSingleJob",)))
    if reading.flag(multiple, multiple.attributes.get("forceSingleJob", "false")):
        return ("single",)
    return known if many else tuple(mode for mode in known if mode != "single")


def _datasets(reading: Reading, element: Element, found: Found, modes: tuple[str, ...]) -> Node:
    types = found.get("datasetTypes", [])
    if not types:
        reading.wrong(element, loading.XML_NO_TYPES)
    names = [reading.scalar(each, key_of(reading.filled(each))) for each in types]
    at = found.get("multiple", [element])[0]
    pairs: list[Pair] = [
        ("types", types[0] if types else element, reading.list(element, names)),
        ("modes", at, reading.words(at, modes)),
    ]
    return reading.mapping(element, pairs)
