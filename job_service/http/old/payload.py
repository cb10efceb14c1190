"""The header `Payload`, which describes a job, and hours as the old paths count them.  Pure."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from job_service.errors import Invalid
from job_service.http.old.wrong import malformed
from job_service.sentences import old_paths as sentences
from job_service.spec import JobSpec
from profiles.sentences import both, shown

TYPE, TOOL_TYPE = "command", "tool"
"""The keys of the job types that run a line of somebody's own, and a tool of NSG, its parameter `tool`."""

EXAMPLE = '{"command": "sh run.sh", "node_number": 1, "core_number": 2, "runtime": 0.5, "title": "a title"}'

FIELDS = {
    "nodes": "node_number",
    "cores": "core_number",
    "time": "runtime",
    "system": "hpc",
    "site": "hpc",
    "inputs": "Content-Disposition",
    "param.tool": "tool",
}
"""What the fields of a JobSpec and its choices are called here, where that differs."""

_NAMES = ("command", "tool", "node_number", "core_number", "runtime", "title")
_COUNT = re.compile(r"0*([1-9][0-9]{0,8})")
# As many digits as any program prints of a float.
_HOURS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,20})?|\.[0-9]{1,20}")
_SECONDS = 3600


@dataclass(frozen=True)
class Payload:
    """What the header asks for, as text; None for what it leaves to the job type.  `minutes` are whole ones.

    It has either a `command` or a `tool`.
    """

    command: str | None = None
    tool: str | None = None
    nodes: str | None = None
    cores: str | None = None
    minutes: int | None = None
    title: str = ""

    def spec(self, system: str, project: str | None, file: str | None) -> JobSpec:
        """Return the job that this asks for; it begins when its file, if it has one, is there."""
        asked = {
            "nodes": self.nodes,
            "cores": self.cores,
            "time": None if self.minutes is None else str(self.minutes),
            "param.tool": self.tool,
        }
        return JobSpec(
            type=TYPE if self.tool is None else TOOL_TYPE,
            system=system,
            project=project,
            title=self.title,
            choices={name: value for name, value in asked.items() if value is not None},
            command=self.command,
            inputs=() if file is None else (file,),
            start="now" if file is None else "when-complete",
        )


def read(header: str | None, hpc: str, *, with_tool: bool = False) -> Payload:
    """Return what the header says that was sent to `hpc`, which runs tools of its own or lines; None is for none.

    Raises Invalid, which names every field that is wrong, and a Problem for what is no object of JSON.
    """
    fields = _fields(header)
    wrong = _unusable(fields, hpc, with_tool)
    numbers: dict[str, Any] = {}
    for name, value in _NUMBERS.items():
        if name in fields and name not in wrong:
            try:
                numbers[name] = value(fields[name].strip())
            except ValueError as error:
                wrong[name] = str(error)
    if wrong:
        raise Invalid(sentences.PAYLOAD_WRONG, wrong)
    return Payload(
        command=fields.get("command"),
        tool=fields["tool"].strip() if with_tool else None,
        nodes=numbers.get("node_number"),
        cores=numbers.get("core_number"),
        minutes=numbers.get("runtime"),
        title=fields.get("title", ""),
    )


def hours(seconds: int) -> float:
    """Return seconds as hours; a second more or less would be another number."""
    return round(seconds / _SECONDS, 4)


def _fields(header: str | None) -> dict[str, Any]:
    """Return the fields that have a value: numbers as they were written, and what is neither text nor number."""
    if header is None:
        raise malformed("Payload", sentences.PAYLOAD_MISSING.format(example=EXAMPLE))
    try:
        found = json.loads(header, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise malformed("Payload", sentences.PAYLOAD_NO_JSON.format(example=EXAMPLE))
    return {name: value for name, value in found.items() if value is not None}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise malformed("Payload", sentences.PAYLOAD_TWICE.format(field=shown(name)))
        found[name] = value
    return found


def _unusable(fields: Mapping[str, Any], hpc: str, with_tool: bool) -> dict[str, str]:
    """Return the fields that are none of ours or no text, and what is missing, each with a sentence."""
    wrong = {}
    for name, value in fields.items():
        if name not in _NAMES:
            said = sentences.NO_SUCH_FIELD.format(field=shown(name), fields=both(_NAMES))
            wrong[shown(name) or "Payload"] = said
        elif not isinstance(value, str):
            wrong[name] = sentences.NOT_TEXT.format(field=name)
    needed, other = ("tool", "command") if with_tool else ("command", "tool")
    said = (sentences.NO_TOOL if with_tool else sentences.NO_COMMAND).format(hpc=hpc)
    if other in fields:
        wrong[other] = said
    elif needed not in wrong and not fields.get(needed, "").strip():
        wrong[needed] = said
    return wrong


def _nodes(text: str) -> str:
    return _count("node_number", text)


def _cores(text: str) -> str:
    return _count("core_number", text)


def _count(name: str, text: str) -> str:
    if not (found := _COUNT.fullmatch(text)):
        raise ValueError(sentences.NOT_A_COUNT.format(field=name))
    return found[1]


def _minutes(text: str) -> int:
    """Return hours as minutes, up to the next one.

    Less than half a second is what a program makes of a number such as 0.1 + 0.2, and no minute of its own.
    """
    if not _HOURS.fullmatch(text):
        raise ValueError(sentences.NOT_HOURS)
    if not (asked := Fraction(f"0{text}" if text.startswith(".") else text) * _SECONDS):
        raise ValueError(sentences.NO_HOURS)
    return max(1, math.ceil(Fraction(round(asked), 60)))


_NUMBERS: Mapping[str, Callable[[str], Any]] = {"node_number": _nodes, "core_number": _cores, "runtime": _minutes}
