from pathlib import Path

import pytest

from slurm_ssh.jobs import log as job_log
from tests.support import builders, shells


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a\nb\n", "a\nb"),
        ("\x1b[1;31mred\x1b[0m\n", "red"),
        ("10%\r50%\r100%\n", "100%"),
        ("dos\r\nlines\r\n", "dos\nlines"),
        ("a\x07\x00b\tc", "ab\tc"),
        ("\n\n  indented\n", "  indented"),
    ],
)
def test_a_log_is_shown_as_people_read_it(text: str, read: str) -> None:
    assert job_log.readable(text) == read


def test_a_tail_is_short_whatever_is_in_the_log(tmp_path: Path) -> None:
    site = builders.launch().site.model_copy(update={"job_folder": f"{tmp_path}/it's"})
    log = tmp_path / "it's" / "0123456789ab.log"
    log.parent.mkdir()
    log.write_text("".join(f"{number}\n" for number in range(100_000)))
    assert shells.bash(job_log.tail(site, "alice", "0123456789ab")).lines == [
        str(n) for n in range(99_985, 100_000)
    ]
    log.write_text("x" * 1_000_000)
    assert len(shells.bash(job_log.tail(site, "alice", "0123456789ab")).stdout) == 8000
