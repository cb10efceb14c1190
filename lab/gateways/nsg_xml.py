"""The XML that NSG answers with: element names are those of the CIPRES REST API."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

Node = tuple[str, "str | list[Node]"]
"""A name, and a text or what is within."""


def document(node: Node) -> bytes:
    """Return an answer; characters that XML cannot hold are replaced."""
    text: bytes = ET.tostring(_element(node), encoding="UTF-8", xml_declaration=True)
    return text


def _element(node: Node) -> ET.Element:
    name, content = node
    element = ET.Element(name)
    if isinstance(content, str):
        element.text = "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in content)
    else:
        element.extend(_element(child) for child in content)
    return element


def link(name: str, url: str, rel: str, title: str) -> Node:
    """Return a link as it stands in all answers."""
    return name, [("url", url), ("rel", rel), ("title", title)]


def entries(name: str, values: Mapping[str, str]) -> Node:
    """Return a map."""
    return name, [("entry", [("key", key), ("value", value)]) for key, value in values.items()]


def yes_or_no(value: bool) -> str:
    """Return a truth value."""
    return "true" if value else "false"


def moment(seconds: float) -> str:
    """Return a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def error(message: str, code: int, params: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a refusal: for people, for programs, and for each parameter that is wrong why."""
    wrong: list[Node] = [("paramError", [("param", param), ("error", why)]) for param, why in params]
    return document(("error", [("displayMessage", message), ("message", message), ("code", str(code)), *wrong]))
