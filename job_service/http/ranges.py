"""Which bytes of a file are asked for by `Range`.  Pure."""

import re
from dataclasses import dataclass

# Two runs of blanks are never side by side: it would take the square of the time to find that nothing fits.
_RANGE = re.compile(r"\s*bytes\s*=\s*(?:(\d{1,18})\s*)?-\s*(?:(\d{1,18})\s*)?", re.ASCII)


@dataclass(frozen=True)
class Range:
    """Bytes from `start` on (negative: so many from the end), `length` of them, None: all to the end."""

    start: int = 0
    length: int | None = None

    def within(self, size: int) -> tuple[int, int] | None:
        """Return the first byte and how many there are in a file of so many bytes, None if there is none."""
        first = max(0, size + self.start) if self.start < 0 else self.start
        if first >= size:
            return None
        return first, size - first if self.length is None else min(self.length, size - first)


def asked(header: str | None) -> Range | None:
    """Return the one range that is asked for.

    None if none is, or several, or in another unit, or in a way that means nothing: then all is to be sent.
    """
    found = _RANGE.fullmatch(header or "")
    if not found or found[0].count("-") != 1:
        return None
    first, last = found[1], found[2]
    if not first:
        return Range(-int(last)) if last and int(last) else None
    if not last:
        return Range(int(first))
    return Range(int(first), int(last) - int(first) + 1) if int(last) >= int(first) else None
