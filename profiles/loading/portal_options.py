"""The options of the portal's job types as parameters of a catalogue.  Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from yaml.nodes import Node

from profiles.catalogue.parameter import LARGEST
from profiles.loading.xml_elements import Element
from profiles.loading.xml_nodes import Pair, Reading, key_of
from profiles.sentences import labels, loading, mistakes, shown

_BOUNDED = ("integer", "float")
_TYPES = ("boolean", "enumeration", "string", *_BOUNDED)
_NEEDED = ("name", "type")
_ELEMENTS = (
    *_NEEDED,
    "groupName",
    "programParameter",
    "values",
    "defaultValue",
    "minValue",
    "maxValue",
    "condition",
    "tip",
)
# Which elements mean something for some types only.
_ONLY_FOR: Mapping[str, Sequence[str]] = {
    "groupName": ("boolean",),
    "values": ("enumeration",),
    "minValue": _BOUNDED,
    "maxValue": _BOUNDED,
}
_NONE = "none"

Option = Mapping[str, list[Element]]


def parameters(reading: Reading, elements: Sequence[Element]) -> list[Pair]:
    """Return the parameters of the `<jobOptions>` of a type, those of one group as one, in the file's order."""
    found: list[Pair] = []
    groups: dict[str, list[Option]] = {}
    for element in elements:
        option = _option(reading, element)
        if option is None:
            continue
        group = option["groupName"][0].text if "groupName" in option else ""
        if group:
            groups.setdefault(group, []).append(option)
        if not group or len(groups[group]) == 1:
            at = option["groupName" if group else "name"][0]
            found.append((key_of(at.text), at, reading.mapping(element, [] if group else _alone(reading, option))))
    for place, (key, at, _) in enumerate(found):
        if at.name == "groupName":
            found[place] = (key, at, reading.mapping(at, _grouped(reading, at, groups[at.text])))
        if not key and at.text:
            reading.wrong(at, loading.XML_NO_KEY)
        elif key and key in (earlier for earlier, *_ in found[:place]):
            reading.wrong(at, loading.XML_NAME_TWICE.format(key=key))
    return found


def _option(reading: Reading, element: Element) -> Option | None:
    """Return the elements of an option, None if it cannot be one."""
    reading.attributes(element, ())
    option = reading.children(element, _ELEMENTS, ("values",), _NEEDED)
    if any(name not in option for name in _NEEDED):
        return None
    for name, found in option.items():
        for each in found:
            reading.filled(each) if name in _NEEDED else reading.text(each)
    kind = reading.one_of(option["type"][0], _TYPES)
    for name, kinds in _ONLY_FOR.items():
        if name in option and kind in _TYPES and kind not in kinds and option[name][0].text:
            reading.wrong(option[name][0], loading.XML_MEANINGLESS.format(kind=kind))
    return option if kind in _TYPES else None


def _alone(reading: Reading, option: Option) -> list[Pair]:
    name = option["name"][0]
    pairs: list[Pair] = [("title", name, reading.scalar(name, name.text))]
    if "tip" in option:
        tip = option["tip"][0]
        pairs.append(("description", tip, reading.scalar(tip, tip.text)))
    pairs += _kind(reading, option)
    words = _words(reading, option)
    if words or option["type"][0].text != "boolean":
        at = option.get("programParameter", [name])[0]
        pairs.append(("argument", at, reading.words(at, words)))
    return [*pairs, *_condition(reading, [option])]


def _kind(reading: Reading, option: Option) -> Iterator[Pair]:
    """Yield what may be picked, and the default."""
    at = option["type"][0]
    default = (
        option["defaultValue"][0]
        if option.get("defaultValue", [at])[0].text and "defaultValue" in option
        else None
    )
    match at.text:
        case "boolean":
            yield "flag", at, reading.scalar(at, "true", "bool")
        case "enumeration":
            yield "options", *_options(reading, option)
        case "string":
            yield "text", at, reading.mapping(at, [])
        case "integer":
            for key, name, end in (("min", "minValue", -LARGEST), ("max", "maxValue", LARGEST)):
                there = option.get(name, [at])[0]
                yield key, there, reading.scalar(there, there.text if name in option else str(end))
        case _:
            ends = [
                (key, option[name][0])
                for key, name in (("min", "minValue"), ("max", "maxValue"))
                if name in option
            ]
            yield (
                "decimal",
                at,
                reading.mapping(at, [(key, each, reading.scalar(each, each.text)) for key, each in ends]),
            )
    if default is not None:
        yield "default", default, reading.scalar(default, default.text)
    elif at.text in _BOUNDED:
        # As in the portal: what is left empty is not given.
        yield "default", at, reading.scalar(at, "")


def _options(reading: Reading, option: Option) -> tuple[Element, Node]:
    name, values = option["name"][0], option.get("values", [])
    if not values:
        reading.wrong(name, loading.XML_MISSING.format(name="values"))
    known: dict[str, Pair] = {}
    for each in values:
        if each.text in known:
            reading.wrong(each, mistakes.THERE_TWICE)
        known[each.text] = (each.text, each, reading.scalar(each, each.text or labels.NONE))
    at = values[0] if values else name
    return at, reading.mapping(at, list(known.values()))


def _grouped(reading: Reading, group: Element, members: Sequence[Option]) -> list[Pair]:
    """Return one parameter for the flags of a group, of which one may be picked, or none."""
    chosen = [each for each in members if each.get("defaultValue", [group])[0].text == "true"]
    if len(chosen) > 1:
        reading.wrong(chosen[1]["defaultValue"][0], loading.XML_GROUP_DEFAULT)
    names = [each["name"][0] for each in members]
    # A list that is left empty means its default: where that is another one, none is a value of its own.
    none = _NONE if chosen else ""
    options: list[Pair] = [(none, group, reading.scalar(group, labels.NONE))]
    words: list[Pair] = []
    for place, (name, member) in enumerate(zip(names, members, strict=True)):
        if name.text in (none, *(each.text for each in names[:place])):
            reading.wrong(name, loading.XML_NAME_TWICE.format(key=shown(name.text)))
        options.append((name.text, name, reading.scalar(name, name.text)))
        words.append((name.text, name, reading.words(name, _words(reading, member))))
    pairs: list[Pair] = [
        ("title", group, reading.scalar(group, group.text)),
        ("options", group, reading.mapping(group, options)),
        ("words", group, reading.mapping(group, words)),
    ]
    if chosen:
        at = chosen[0]["defaultValue"][0]
        pairs.append(("default", at, reading.scalar(at, chosen[0]["name"][0].text)))
    return [*pairs, *_condition(reading, members)]


def _words(reading: Reading, option: Option) -> list[str]:
    """Return the words of a `<programParameter>`, split as a shell does."""
    if "programParameter" not in option:
        return []
    at = option["programParameter"][0]
    try:
        return shlex.split(at.text)
    except ValueError:
        reading.wrong(at, loading.XML_QUOTES)
        return []


def _condition(reading: Reading, options: Sequence[Option]) -> Iterator[Pair]:
    found = [each["condition"][0] if "condition" in each else None for each in options]
    texts = {each.text if each else "" for each in found}
    at = next((each for each in found if each), None)
    if len(texts) > 1 and at:
        reading.wrong(at, loading.XML_GROUP_CONDITION)
    elif at and at.text:
        yield "when", at, reading.scalar(at, at.text)
