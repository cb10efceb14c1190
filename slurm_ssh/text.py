"""What a site says, made fit to be shown and kept.  Pure.

It comes through a login shell of the person's own making, so it may be anything of any length.
"""

_NO_SPACE = ("no space left", "quota exceeded")


def tells_of_no_space(said: str) -> bool:
    """Return whether a program of a site says that a disk, or its owner's quota, is full."""
    return any(words in said.lower() for words in _NO_SPACE)


def one_line(text: str, most: int) -> str:
    """Return at most `most` characters in one line, all of them printable."""
    cut = text[:most].strip()
    return "".join(c if c.isprintable() else " " for c in cut)


def lines(text: str, most: int) -> str:
    """Return the last `most` characters, line by line, all of them printable."""
    return "\n".join("".join(c for c in line if c.isprintable() or c == "\t") for line in text[-most:].split("\n"))
