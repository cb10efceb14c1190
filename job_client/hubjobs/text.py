"""What others wrote, made fit for a terminal: a service, a site or a job may have written anything.  Pure."""

import re
import unicodedata
from codecs import getincrementaldecoder

# What a terminal takes for a command: CSI, then OSC and its like up to their end, then two characters.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])")
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_ESCAPE = 4096


def is_harmless(character: str) -> bool:
    """Whether a terminal shows a character, and does nothing else."""
    return character.isprintable() or unicodedata.category(character) not in _HARMFUL


def one_line(text: str, most: int = 10_000) -> str:
    """Return at most `most` characters in one line; what a terminal would act on is a blank."""
    return "".join(c if is_harmless(c) else " " for c in text[:most]).strip()


def lines(text: str, most: int = 100_000) -> str:
    """Return at most `most` characters, line by line; what a terminal would act on is left out."""
    return _plain(text[:most])


def escaped(json_text: str) -> str:
    r"""Return a JSON text that means the same and has no character on which a terminal acts: they are \uXXXX.

    Such characters stand inside its strings alone, but for tabs and returns between values.
    """
    spaced = json_text.replace("\r", " ").replace("\t", " ")
    return "".join(c if c == "\n" or is_harmless(c) else _units(c) for c in spaced)


def _units(character: str) -> str:
    pairs = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[i : i + 4]}" for i in range(0, len(pairs), 4))


def _plain(text: str) -> str:
    unix = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unix if c in "\n\t" or is_harmless(c))


class Plain:
    """Bytes of a log, as they come, to what may be written to a terminal: text without its commands."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._kept = ""

    def feed(self, chunk: bytes) -> str:
        """Return what can be shown so far; half a command, or a return, waits for what follows."""
        text = self._kept + self._decoder.decode(chunk)
        begun = text.rfind("\x1b", max(0, len(text) - _LONGEST_ESCAPE))
        if begun >= 0 and not _ESCAPES.match(text, begun):
            text, self._kept = text[:begun], text[begun:]
        elif text.endswith("\r"):
            text, self._kept = text[:-1], "\r"
        else:
            self._kept = ""
        return _plain(text)

    def end(self) -> str:
        """Return the rest."""
        rest, self._kept = self._kept + self._decoder.decode(b"", final=True), ""
        return _plain(rest)
