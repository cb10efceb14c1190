"""`python -m lab.needed PACKAGE LOCK`: prints the part of a lock file that an installed package needs to run."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

_ENTRY = re.compile(r"^[A-Za-z0-9].*?(?=^[A-Za-z0-9#]|\Z)", re.MULTILINE | re.DOTALL)


def needed(package: str) -> set[str]:
    """Return the names of all packages that one needs."""
    found: set[str] = set()
    waiting, seen = [Requirement(package)], set[str]()
    while waiting:
        one = waiting.pop()
        seen.add(str(one))
        for each in map(Requirement, requires(one.name) or ()):
            asked = ("", *one.extras)
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in asked):
                each.marker = None
                found.add(_canonical(each.name))
                waiting += [] if str(each) in seen else [each]
    return found


def entries(lock: str, names: set[str]) -> Iterator[str]:
    """Yield the entries of a lock file for these packages, with their hashes."""
    return (entry for entry in _ENTRY.findall(lock) if _canonical(entry.split("==")[0]) in names)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print("".join(entries(Path(sys.argv[2]).read_text(encoding="utf-8"), needed(sys.argv[1]))), end="")
