"""What a check of the hub's settings found: the same for a start of the hub and for whoever asks."""

from dataclasses import dataclass
from enum import StrEnum

from languages import together


class State(StrEnum):
    """How something stands: it works, has a flaw, cannot work, or could not be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True)
class Outcome:
    """One check and what it found.

    `check` is its short name, such as B2; `sentence` says what is so, `fix` what to do.  `setting` are the class
    and the name of the setting that it is about, as in `c.Class.name`, and `place` the `file:line` where that is
    written; each "" if there is none.
    """

    check: str
    state: State
    sentence: str
    fix: str = ""
    setting: tuple[str, str] = ("", "")
    place: str = ""

    @property
    def text(self) -> str:
        """Return sentence and fix in one line, with the place."""
        place = f"({self.place})" if self.place else ""
        return together(tuple(filter(None, (self.sentence, self.fix, place))))
