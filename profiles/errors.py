"""What can be wrong with a catalogue or with choices; every message is a sentence for its reader."""

from dataclasses import dataclass

from pydantic import ValidationError

from profiles.sources import Sources


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a catalogue file: where (1-based line and column, dotted path) and what."""

    file: str
    line: int
    column: int
    path: str
    text: str

    def __str__(self) -> str:
        """Return `file:line:column: path: text` in one line, which editors can jump to."""
        text = f"{self.file}:{self.line}:{self.column}: {self.path}: {self.text}"
        return "".join(c if c.isprintable() else "?" for c in text)


class CatalogueInvalid(Exception):  # noqa: N818
    """The catalogue cannot be used.

    `problems` holds every one found, file by file in the order of the lines; `sources` are the files to mend.
    """

    def __init__(self, problems: tuple[Problem, ...], sources: Sources) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.sources = sources


class WrongAt(ValueError):  # noqa: N818
    """A value that only its surroundings show to be wrong; `path` leads there from the entry checked."""

    def __init__(self, path: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


class WrongWithin(ValueError):  # noqa: N818
    """Settings that another model refused; `path` leads to them, `error` says what is wrong."""

    def __init__(self, path: tuple[str, ...], error: ValidationError) -> None:
        super().__init__(str(error))
        self.path = path
        self.error = error


class WrongTogether(ValueError):  # noqa: N818
    """Several things that are wrong in one entry, each with its path from there."""

    def __init__(self, problems: "tuple[WrongAt | WrongWithin, ...]") -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class ChoiceRefused(Exception):  # noqa: N818
    """One choice cannot be had: `field` names it, `message` says why and what would be accepted."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
