"""Reads a PAM service's file: which modules it names, and whether they are installed.  See pam.conf(5)."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from .pam import FOLDERS

_ROOT = Path("/")
_MODULE_FOLDERS = ("lib/security", "lib64/security", "usr/lib/security", "usr/lib64/security")
_BY_MACHINE = ("lib/*/security", "usr/lib/*/security")
_MAX_BYTES = 1 << 16
# Includes within includes.
_MAX_DEPTH = 8
_LINE = re.compile(r"(-?)(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(.+)")


@dataclass(frozen=True)
class Line:
    """One module that a service asks: for `kind` (auth, account), how much that counts, and its options."""

    kind: str
    control: str
    module: str
    options: tuple[str, ...]
    may_be_missing: bool


def lines(service: str) -> tuple[Line, ...]:
    """Return the lines of a service for auth and account, with those of the files that it includes."""
    return tuple(_of(service, 0, ("auth", "account")))


def is_installed(module: str) -> bool:
    """Return whether a module's file is there; true if it is not known where modules are."""
    if module.startswith("/"):
        return Path(module).is_file()
    folders = [*(_ROOT / each for each in _MODULE_FOLDERS), *chain(*(_ROOT.glob(each) for each in _BY_MACHINE))]
    there = [each for each in folders if each.is_dir()]
    return not there or any((each / module).is_file() for each in there)


def _of(service: str, depth: int, kinds: tuple[str, ...]) -> Iterator[Line]:
    path = next((folder / service for folder in FOLDERS if (folder / service).is_file()), None)
    if path is None or depth > _MAX_DEPTH:
        return
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    for written in text.replace("\\\n", " ").splitlines():
        line = written.partition("#")[0].strip()
        if line.startswith("@include"):
            yield from _of(line.removeprefix("@include").strip(), depth + 1, kinds)
        elif (found := _LINE.fullmatch(line)) and found[2] in kinds:
            yield from _line(found, depth)


def _line(found: re.Match[str], depth: int) -> Iterator[Line]:
    minus, kind, control, rest = found.groups()
    if control in ("include", "substack"):
        yield from _of(rest.strip(), depth + 1, (kind,))
        return
    try:
        module, *options = shlex.split(rest)
    except ValueError:
        module, *options = rest.split()
    yield Line(kind, control, module, tuple(options), may_be_missing=bool(minus))
