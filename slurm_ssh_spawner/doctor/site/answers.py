"""What the probe in a job has written into its log: untrusted text, of which little is read.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slurm_ssh.text import one_line

LONGEST_BYTES = 32 * 1024
"""Of the log, from its end; the probe writes some hundred a line."""

_CHECKS = frozenset({"F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "G2", "G4"})
_LONGEST_TEXT = 300
_LONGEST_WORD = 16


@dataclass(frozen=True)
class Answers:
    """What was said, as text by check and word; of two the first counts."""

    said: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def get(self, check: str, word: str) -> str | None:
        """Return what was said for a check with this word, None for nothing."""
        return self.said.get((check, word))

    def has(self, check: str) -> bool:
        """Return whether anything was said for a check."""
        return any(each == check for each, _ in self.said)


def parse(log: str, word: str) -> Answers:
    """Return what the lines of a log say that begin with a word; all other lines are somebody else's."""
    said: dict[tuple[str, str], str] = {}
    for line in log[-LONGEST_BYTES:].splitlines():
        first, *rest = line.split(" ", 3)
        if first != word or len(rest) < 2 or rest[0] not in _CHECKS or len(rest[1]) > _LONGEST_WORD:
            continue
        text = rest[2] if len(rest) > 2 else ""
        said.setdefault((rest[0], rest[1]), one_line(text, _LONGEST_TEXT))
    return Answers(said)
