"""What is wrong with catalogue files, each with its place; every text is a sentence for an admin."""

from dataclasses import dataclass

from profiles.loading.files import Sources


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

    `problems` holds every one found, file by file in the order of the lines; `sources` are the files to fix.
    """

    def __init__(self, problems: tuple[Problem, ...], sources: Sources) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.sources = sources
