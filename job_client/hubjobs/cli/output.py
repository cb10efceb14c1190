"""What is written: tables and sentences to standard output, errors and progress to standard error.

On a terminal a table is as wide as it, long titles are cut, and a note stands below its row.  Elsewhere nothing is
cut or coloured, a row is a line, and its note is the last column.  What the service said is made harmless here.
"""

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO, cast

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from hubjobs import text
from hubjobs.errors import HubJobsError, Problem
from hubjobs.transfers import Progress as Told
from hubjobs.transfers import quietly

STAGE_STYLES = {
    "SUCCESSFUL": "green",
    "FAILED": "bold red",
    "RUNNING": "bold cyan",
    "STAGINGOUT": "cyan",
    "HELD": "yellow",
    "CANCELED": "dim",
    "DELETED": "dim",
}
_UNCUT = 100_000
_LEAST = 10


@dataclass(frozen=True)
class Cell:
    """A text with a style, which only a terminal shows."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Row:
    """The cells of a row, and a sentence about it."""

    cells: tuple[str | Cell, ...]
    note: str = ""


@dataclass
class Screen:
    """Where one stream goes: to a terminal of some width, or elsewhere."""

    file: TextIO
    is_terminal: bool
    width: int

    @classmethod
    def of(cls, file: TextIO) -> "Screen":
        """Return the screen that a stream is."""
        return cls(file, file.isatty(), shutil.get_terminal_size().columns)

    def table(self, columns: Sequence[str], rows: Sequence[Row], cut: str = "", note: str = "NOTE") -> None:
        """Write a table; on a terminal the column `cut` gives way where it is too wide, and notes stand below."""
        with_notes = not self.is_terminal and any(row.note for row in rows)
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for name in (*columns, *([note] if with_notes else [])):
            table.add_column(name, no_wrap=True)
        lines = [[_text(cell) for cell in row.cells] for row in rows]
        if self.is_terminal and cut:
            self._cut(columns, lines, columns.index(cut))
        for row, line in zip(rows, lines, strict=True):
            table.add_row(*line, *([_text(row.note)] if with_notes else []))
        self._write(table, rows if self.is_terminal else ())

    def _cut(self, columns: Sequence[str], lines: list[list[Text]], at: int) -> None:
        """Cut the texts of one column so that all columns are as wide as the terminal."""
        others = [n for n in range(len(columns)) if n != at]
        taken = sum(max(cell_len(columns[n]), *(line[n].cell_len for line in lines), 0) + 2 for n in others)
        for line in lines:
            line[at].truncate(max(self.width - taken, _LEAST), overflow="ellipsis")

    def _write(self, table: Table, noted: Sequence[Row]) -> None:
        lines = self._drawn(table)
        for at, line in enumerate(lines):
            self.file.write(f"{line.rstrip()}\n")
            if 0 < at <= len(noted) and (note := noted[at - 1].note):
                self.sentence(note, indent=4, style="dim")

    def pairs(self, pairs: Sequence[tuple[str, str | Cell]]) -> None:
        """Write names and what they have, below each other; what has nothing is left out."""
        there = [(name, value) for name, value in pairs if value not in ("", Cell(""))]
        width = max((cell_len(name) for name, _ in there), default=0) + 2
        for name, value in there:
            cell = value if isinstance(value, Cell) else Cell(value)
            self.sentence(cell.text, indent=width, style=cell.style, head=name)

    def sentence(self, said: str, *, indent: int = 0, style: str = "", head: str = "") -> None:
        """Write a text, on a terminal in lines as wide as it, after a head and indented."""
        first = Text(f"{head:<{indent}}")
        body = Text(text.one_line(said), style=style)
        width = max(self.width - indent, _LEAST) if self.is_terminal else _UNCUT
        for at, line in enumerate(body.wrap(self._console(), width) or [Text()]):
            start = first if at == 0 else Text(" " * indent)
            line.rstrip()
            self.line(start + line)

    def line(self, line: Text | str) -> None:
        """Write one line as it is."""
        shown = Text(text.one_line(line)) if isinstance(line, str) else line
        self.file.write(f"{''.join(self._drawn(shown)).rstrip()}\n")

    def block(self, said: str) -> None:
        """Write lines as they are, but for what a terminal would act on."""
        self.file.write(text.lines(said, len(said)).rstrip("\n") + "\n")

    def _drawn(self, what: Table | Text) -> list[str]:
        console = self._console()
        console.print(what, end="", no_wrap=True, overflow="ignore", crop=False)
        written = console.file
        assert isinstance(written, io.StringIO)  # noqa: S101 - made so
        return written.getvalue().rstrip("\n").split("\n")

    def _console(self) -> Console:
        """Return what draws into a text, in colour if the terminal has some and NO_COLOR is not set."""
        return Console(
            file=io.StringIO(),
            force_terminal=self.is_terminal,
            width=_UNCUT,
            # Without it rich takes a simple terminal for one of 80 columns.
            height=_LEAST,
            highlight=False,
            markup=False,
            emoji=False,
        )


def _text(cell: str | Cell) -> Text:
    found = cell if isinstance(cell, Cell) else Cell(cell)
    return Text(text.one_line(found.text), style=found.style)


def out() -> Screen:
    """Return standard output."""
    return Screen.of(sys.stdout)


def err() -> Screen:
    """Return standard error."""
    return Screen.of(sys.stderr)


def as_json(said: str) -> None:
    """Write the service's JSON as it came; what a terminal would act on is written as JSON escapes it."""
    sys.stdout.write(text.escaped(said).rstrip("\n") + "\n")


def stage(name: str) -> Cell:
    """Return a stage in its colour."""
    return Cell(name, STAGE_STYLES.get(name, ""))


def error(problem: HubJobsError | Exception) -> None:
    """Write what went wrong, each field that is wrong, what the site wrote, and what to do."""
    screen = err()
    screen.sentence(getattr(problem, "message", "") or str(problem), style="bold red")
    if isinstance(problem, Problem):
        if len(problem.fields) > 1 or not _is_said(problem):
            screen.pairs([(f"  {name}", said) for name, said in problem.fields.items()])
        if problem.quoted:
            screen.block(problem.quoted)
    if hint := getattr(problem, "hint", ""):
        screen.sentence(hint)


def _is_said(problem: Problem) -> bool:
    return all(said in problem.message for said in problem.fields.values())


@contextmanager
def progress(name: str) -> Iterator[Told]:
    """Give what is told how far a transfer is; it shows a bar, on a terminal only."""
    if not sys.stderr.isatty():
        yield quietly
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text.one_line(name, 40), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def drawn(screen: Screen, view: Callable[[Screen], None]) -> str:
    """Return what a view writes to a screen."""
    into = Screen(io.StringIO(), screen.is_terminal, screen.width)
    view(into)
    return cast(io.StringIO, into.file).getvalue()
