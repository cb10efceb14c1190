"""What NSG says, in the XML of the CIPRES REST API: jobs, files, refusals.  Pure.

All of it is untrusted: names and addresses are checked by whoever uses them, texts are cut and printable here.
Source: the CIPRES REST user guide.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from profiles.loading import xml_elements
from profiles.loading.xml_elements import Element, NotXML
from slurm_ssh.text import one_line

_LONGEST_TEXT = 300
_HANDLE = re.compile(r"[A-Za-z0-9._-]{1,200}")
_DIGITS = re.compile(r"[0-9]{1,15}")
_RETVAL = re.compile(rb"^retval=(-?[0-9]{1,6})\s*$", re.MULTILINE)


class NotUnderstoodError(ValueError):
    """An answer is not what NSG answers."""


@dataclass(frozen=True)
class Message:
    """What happened to a job at a stage; `at` is None where the time cannot be read."""

    stage: str
    text: str
    at: datetime | None


@dataclass(frozen=True)
class Status:
    """A job as NSG sees it; `failed` means that NSG could not run it, however its program ended.

    Before `poll_seconds` it is not to be asked for again; None if NSG does not say.
    """

    handle: str
    is_over: bool
    failed: bool
    messages: tuple[Message, ...]
    client_job_id: str
    poll_seconds: int | None = None

    @property
    def stage(self) -> str:
        """Where it is; `jobStage` says less."""
        return self.messages[-1].stage if self.messages else ""


@dataclass(frozen=True)
class File:
    """A file of a job; its bytes are at `url`, as NSG says."""

    name: str
    size: int
    url: str
    modified: datetime | None


@dataclass(frozen=True)
class Refusal:
    """Why NSG refuses a request: a number of its own, a text, and what is wrong with single fields."""

    code: int
    message: str
    fields: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """Everything in one line."""
        fields = "; ".join(f"{name}: {said}" for name, said in self.fields.items())
        return one_line(f"{self.message} {fields}".strip(), _LONGEST_TEXT)


def status(answer: bytes) -> Status:
    """Return the job that an answer is about.  Raises NotUnderstoodError, as all here do."""
    return _status(_root(answer, "jobstatus"))


def statuses(answer: bytes) -> tuple[Status, ...]:
    """Return the jobs of a list that has all of each."""
    return tuple(_status(each) for each in _within(_root(answer, "joblist"), "jobs", "jobstatus"))


def handles(answer: bytes) -> tuple[str, ...]:
    """Return the handles of the jobs of a list that has no more than links."""
    links = (_child(each, "selfUri") for each in _within(_root(answer, "joblist"), "jobs", "jobstatus"))
    return tuple(_handle(_text(link, "title")) for link in links)


def files(answer: bytes) -> tuple[File, ...]:
    """Return the files of a job: its results, or what is in its working directory."""
    root = _root(answer, "results", "workingdir")
    return tuple(_file(each) for each in _within(root, "jobfiles", "jobfile"))


def refusal(answer: bytes) -> Refusal:
    """Return why a request was refused; of an answer that says nothing of it, what can be read."""
    try:
        root = _root(answer, "error")
    except NotUnderstoodError:
        return Refusal(0, one_line(answer.decode(errors="replace"), _LONGEST_TEXT), {})
    code = _text(root, "code")
    fields = {
        one_line(_text(each, "param"), _LONGEST_TEXT): one_line(_text(each, "error"), _LONGEST_TEXT)
        for each in _named(root.children, "paramError")
    }
    message = _text(root, "displayMessage") or _text(root, "message")
    return Refusal(int(code) if _DIGITS.fullmatch(code) else 0, one_line(message, _LONGEST_TEXT), fields)


def exit_code(done: bytes) -> int | None:
    """Return the status of a job's program, of which its result `done.txt` tells; None if it does not."""
    found = _RETVAL.search(done)
    return int(found[1]) if found else None


def _root(answer: bytes, *names: str) -> Element:
    try:
        root = xml_elements.read(answer.decode(), "NSG")
    except (NotXML, UnicodeDecodeError) as error:
        raise NotUnderstoodError(str(error)) from error
    if root.name not in names:
        raise NotUnderstoodError(f"<{one_line(root.name, 60)}> where <{names[0]}> was expected")
    return root


def _status(element: Element) -> Status:
    metadata = {_text(each, "key"): _text(each, "value") for each in _within(element, "metadata", "entry")}
    return Status(
        _handle(_text(element, "jobHandle")),
        _truth(_text(element, "terminalStage")),
        _truth(_text(element, "failed")),
        tuple(_message(each) for each in _within(element, "messages", "message")),
        metadata.get("clientJobId", ""),
        int(pause) if _DIGITS.fullmatch(pause := _text(element, "minPollIntervalSeconds")) else None,
    )


def _message(element: Element) -> Message:
    stage = one_line(_text(element, "stage"), _LONGEST_TEXT)
    return Message(stage, one_line(_text(element, "text"), _LONGEST_TEXT), _moment(_text(element, "timestamp")))


def _file(element: Element) -> File:
    length = _text(element, "length")
    if not _DIGITS.fullmatch(length):
        raise NotUnderstoodError("a file without a length")
    url = _text(_child(element, "downloadUri"), "url")
    return File(_text(element, "filename"), int(length), url, _moment(_text(element, "dateModified")))


def _handle(text: str) -> str:
    # It stands in addresses, and is shown to people.
    if not _HANDLE.fullmatch(text):
        raise NotUnderstoodError(f"a job called {one_line(text, 60)!r}")
    return text


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        raise NotUnderstoodError(f"{one_line(text, 60)!r} where true or false was expected")
    return text == "true"


def _moment(text: str) -> datetime | None:
    """Return a time, None for a text that is none; one without a zone is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _named(elements: Iterable[Element], name: str) -> list[Element]:
    return [each for each in elements if each.name == name]


def _child(element: Element, name: str) -> Element:
    found = _named(element.children, name)
    if not found:
        raise NotUnderstoodError(f"no <{name}> in <{one_line(element.name, 60)}>")
    return found[0]


def _within(element: Element, name: str, items: str) -> list[Element]:
    """Return the items of a list in an element, none where the list is not there."""
    return [item for found in _named(element.children, name) for item in _named(found.children, items)]


def _text(element: Element, name: str) -> str:
    found = _named(element.children, name)
    return found[0].text if found else ""
