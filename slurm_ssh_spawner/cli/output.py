"""Tables on standard output: as wide as a terminal, elsewhere a line for each row, with nothing cut."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slurm_ssh.text import one_line

_UNCUT = 100_000
_LONGEST_CELL = 2000


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, whose last column is folded where the terminal is too narrow."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_UNCUT)
    shown = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name, no_wrap=name != columns[-1], overflow="fold")
    for row in rows:
        shown.add_row(*(Text(one_line(cell, _LONGEST_CELL)) for cell in row))
    with console.capture() as drawn:
        console.print(shown)
    for line in drawn.get().splitlines():
        print(line.rstrip())
