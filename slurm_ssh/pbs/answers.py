"""What `qstat -F json` prints, which is not always JSON.  Pure.

Versions before 22.05 escape what need not be, quotes but not always, and write what looks like a number as one
(`005`); before 19 they repeat `"Jobs": {` for each job and leave the end out.  All of them put each attribute on a
line of its own.  So what JSON's own parser does not take is read line by line.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from slurm_ssh.scheduler import UnreadableAnswer

Attributes = Mapping[str, Any]
"""What is said of a job, a queue or a server: texts, and mappings of texts for resources."""

_DEEPEST = 8
_ESCAPED = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def read(text: str, section: str) -> dict[str, Attributes]:
    """Return what is said of each thing in a section (`Jobs`, `Queue`, `Server`), by its name; numbers are texts.

    Raises UnreadableAnswer if the text has no beginning or no end of an answer.
    """
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise UnreadableAnswer(f"qstat answered {body[:200]!r}")
    try:
        found = json.loads(body, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        found = _by_lines(body)
    things = found.get(section)
    return {name: each for name, each in things.items() if isinstance(each, dict)} if _is_map(things) else {}


def text_of(said: Attributes, *names: str) -> str:
    """Return the text at the end of a path of names, "" if there is none."""
    found: Any = said
    for name in names:
        found = found.get(name) if _is_map(found) else None
    return found if isinstance(found, str) else ""


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _by_lines(body: str) -> dict[str, Any]:
    """Return what an answer says that is no JSON: of each line a name and a value, or where a part begins or ends.

    A section that begins within itself is that of an old version, which begins it once for each job.
    """
    root: dict[str, Any] = {}
    parts = [root]
    for line in body.splitlines()[1:]:
        words = line.strip().rstrip(",").rstrip()
        if words.startswith("}"):
            del parts[max(1, len(parts) - words.count("}")) :]
        elif words.startswith('"'):
            name, _, rest = words[1:].partition('"')
            value = rest.lstrip().removeprefix(":").lstrip()
            if value == "{":
                _begin(parts, name, root)
            else:
                parts[-1][name] = _value(value)
    return root


def _begin(parts: list[dict[str, Any]], name: str, root: dict[str, Any]) -> None:
    if len(parts) > 1 and name in root:
        del parts[1:]
    if len(parts) >= _DEEPEST:
        raise UnreadableAnswer("qstat answered with parts within parts")
    part = parts[-1].get(name)
    if not isinstance(part, dict):
        part = parts[-1][name] = {}
    parts.append(part)


def _value(written: str) -> str:
    if len(written) > 1 and written.startswith('"') and written.endswith('"'):
        return _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), written[1:-1])
    return written
