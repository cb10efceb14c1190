"""The table in docs/reliability.md is that of the rows, with the results that were kept."""

from pathlib import Path

from faults.count import Counts
from faults.report import BEGIN, END, PAGE, Result, keep, kept_summaries, markdown
from faults.rows import ROWS


def test_the_page_has_every_row_and_its_result() -> None:
    table = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert table == markdown(ROWS, kept_summaries()), "Run python -m faults --markdown."


def test_every_row_has_a_key_of_its_own_and_says_what_is_done_and_seen() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        for text in (row.done, row.sees):
            assert text
            assert "|" not in text


def test_a_result_takes_the_place_of_an_older_one_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    bad = Counts(lost=("p01", "p02"), left_over=("a ticket",))
    keep([Result("A2", bad, "", 1.0), Result("A4", Counts(), "", 1.0)], 4, path)
    keep([Result("A4", Counts(), "nobody was told", 1.0)] * 2, 10, path)
    kept = kept_summaries(path)
    assert str(kept["A2"]) == "1 × 4 servers: 2 lost, 1 left over"
    assert str(kept["A4"]) == "2 × 10 servers: 2 problems"
    assert "| not run |" in markdown(ROWS[:1], {})
