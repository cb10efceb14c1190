"""Slurm's short form of many names of nodes.  Pure."""

import itertools
import math
import re
from collections.abc import Iterator

MOST = 50_000
"""So many names are written out at most: a line may stand for more than there is memory."""

_WORD = re.compile(r"(?:[^,\[\]]|\[[^\[\]]*\])+")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def names(text: str) -> frozenset[str] | None:
    """Return the names in `n[1-3,07],gpu1`; None if they are more than MOST, or the text is something else."""
    found: set[str] = set()
    for word in _WORD.findall(text):
        parts = [_part(part, is_list) for part, is_list in _parts(word)]
        if any(part is None for part in parts):
            return None
        whole = [part for part in parts if part is not None]
        if len(found) + math.prod(map(len, whole)) > MOST:
            return None
        found.update(map("".join, itertools.product(*whole)))
    return frozenset(found)


def _parts(word: str) -> Iterator[tuple[str, bool]]:
    for index, part in enumerate(_BRACKET.split(word)):
        yield part, index % 2 == 1


def _part(part: str, is_list: bool) -> list[str] | None:
    """Return what may stand in the place of a part; None if that is too much, or not known."""
    if not is_list:
        return [part]
    found: list[str] = []
    for each in part.split(","):
        match = _RANGE.fullmatch(each)
        if match is None:
            return None
        first, last = match[1], match[2] or match[1]
        count = int(last) - int(first) + 1
        if len(found) + count > MOST:
            return None
        found += [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    return found
