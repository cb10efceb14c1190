"""What runs of rows came to, as lines and as the table of docs/reliability.md; a file keeps it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from faults.count import Counts
from faults.row import Row
from lab.folders import TREE

RESULTS = Path(__file__).parent / "results.json"
KINDS = tuple(Counts.__dataclass_fields__)
"""Names of what is counted."""

NOT_RUN = "not run"

PAGE = TREE / "docs/reliability.md"
BEGIN, END = "<!-- the table -->\n", "<!-- until here -->\n"
"""What stands on the page around the table."""


@dataclass(frozen=True)
class Result:
    """What one run of a row came to; `problem` says why it could not be carried out, or what nobody was told."""

    row: str
    counts: Counts
    problem: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.counts and not self.problem

    def lines(self) -> Iterator[str]:
        """Yield what is wrong, a line for each."""
        if self.problem:
            yield f"problem: {self.problem}"
        for kind, found in asdict(self.counts).items():
            yield from (f"{_words(kind)}: {line}" for line in found)


@dataclass(frozen=True)
class Summary:
    """All runs of a row: how many, of how many servers each, and how many things were wrong in all of them."""

    runs: int
    servers: int
    wrong: Mapping[str, int]

    def __str__(self) -> str:
        if not self.runs:
            return NOT_RUN
        wrong = ", ".join(f"{number} {_words(kind)}" for kind, number in self.wrong.items() if number)
        return f"{self.runs} × {self.servers} servers: {wrong or 'nothing lost'}"


def summary(results: Collection[Result], servers: int) -> Summary:
    """Return the summary of a row's runs with so many servers each."""
    wrong = {kind: sum(len(getattr(result.counts, kind)) for result in results) for kind in KINDS}
    wrong["problems"] = sum(bool(result.problem) for result in results)
    return Summary(len(results), servers, {kind: number for kind, number in wrong.items() if number})


def keep(results: Sequence[Result], servers: int, path: Path = RESULTS) -> None:
    """Put the summaries of these runs in the place of older ones of the same rows."""
    of_row = defaultdict(list)
    for result in results:
        of_row[result.row].append(result)
    kept = kept_summaries(path) | {row: summary(runs, servers) for row, runs in of_row.items()}
    path.write_text(json.dumps({row: asdict(each) for row, each in kept.items()}, indent=1) + "\n")


def kept_summaries(path: Path = RESULTS) -> dict[str, Summary]:
    """Return the summaries that were kept, by row."""
    if not path.exists():
        return {}
    return {row: Summary(**values) for row, values in json.loads(path.read_text()).items()}


def markdown(rows: Sequence[Row], summaries: Mapping[str, Summary]) -> str:
    """Return the table for people."""
    none = Summary(0, 0, {})
    head = ["| row | what is done | what a person sees | result |", "|---|---|---|---|"]
    body = [f"| {row.key} | {row.done} | {row.sees} | {summaries.get(row.key, none)} |" for row in rows]
    return "\n".join([*head, *body]) + "\n"


def write_page(rows: Sequence[Row]) -> None:
    """Write the table of these rows, with the results that were kept, into docs/reliability.md."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table = markdown(rows, kept_summaries())
    PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")


def _words(kind: str) -> str:
    return kind.replace("_", " ")
