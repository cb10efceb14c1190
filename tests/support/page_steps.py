"""A page of commands as steps of a test: what is typed, where, what is printed, which files are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"(?P<host>[a-z][a-z0-9.-]*)# (?P<command>.*)")
_FILE = re.compile(r"# (?P<path>/\S+)\n")
_ASKS = re.compile(r"^(?P<question>Password (?:for|of) (?P<who>[^@:\s]+))", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """What root types on a host, and what is printed; `...` is any text, and any lines if it is alone in one."""

    line: int
    host: str
    text: str
    printed: str

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The questions for passwords, each with the name of whose it is, in order."""
        return _ASKS.findall(self.printed)

    def is_printed(self, said: str) -> bool:
        """Return whether it printed what the page says."""
        return is_like(said, self.printed)


@dataclass(frozen=True)
class File:
    """A file that is written on the hub's machine."""

    line: int
    path: str
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell that is run in a notebook, and what it prints."""

    line: int
    code: str
    printed: str

    def is_printed(self, said: str) -> bool:
        """Return whether it printed what the page says."""
        return is_like(said, self.printed)


Step = Command | File | Cell


def steps(page: str) -> tuple[Step, ...]:
    """Return all that a page has in fences, in order.  Raises ValueError for a fence that is no step."""
    return tuple(_steps(page))


def _steps(page: str) -> Iterator[Step]:
    code: tuple[int, str] | None = None
    for fence in _FENCE.finditer(page):
        line, kind, text = page.count("\n", 0, fence.start()) + 2, fence["kind"], fence["text"]
        if (code is None) is (kind == "text"):
            raise ValueError(f"line {line}: what a cell prints stands behind it, in a fence of text")
        if kind == "console":
            yield from _commands(line, text)
        elif kind == "python":
            code = (line, text)
        elif kind == "text" and code:
            yield Cell(*code, text)
            code = None
        elif (head := _FILE.match(text)) and kind in {"ini", "yaml"}:
            yield File(line, head["path"], text)
        else:
            raise ValueError(f"line {line}: a fence of {kind or 'nothing'} is no step")


def _commands(line: int, text: str) -> Iterator[Command]:
    found: list[tuple[int, str, list[str], list[str]]] = []
    for number, each in enumerate(text.splitlines(), line):
        if prompt := _PROMPT.fullmatch(each):
            found.append((number, prompt["host"], [prompt["command"]], []))
        elif not found:
            raise ValueError(f"line {number}: nobody types anything before this")
        elif found[-1][2][-1].endswith("\\"):
            found[-1][2].append(each)
        else:
            found[-1][3].append(f"{each}\n")
    for number, host, typed, printed in found:
        yield Command(number, host, "\n".join(typed), "".join(printed))


def is_like(said: str, printed: str) -> bool:
    """Return whether a text is as a page has it, where the number of spaces counts for nothing."""
    lines = [line for line in map(_spaced, printed.splitlines()) if line]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n" for line in lines
    )
    text = "".join(f"{line}\n" for line in map(_spaced, said.splitlines()) if line)
    return re.fullmatch(pattern, text) is not None


def _spaced(line: str) -> str:
    return " ".join(line.split())
