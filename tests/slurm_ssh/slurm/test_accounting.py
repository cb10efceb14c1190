from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.slurm import accounting
from slurm_ssh.slurm.accounting import Past
from tests.support import builders

SITE = builders.catalogue().sites["geneva"]
ROW = "17|job-hub-0123456789ab|alice|CANCELLED by 1001|0:15|2026-03-02T11:00:00|2026-03-02T11:20:34|1234|n[1-2]"


def test_jobs_are_asked_for_by_number_or_by_mark() -> None:
    assert " -j 17,18 -o " in accounting.numbered(SITE, ["17", "18"])
    asked = accounting.marked(SITE, "alice", ["job-hub-1", "job-hub-2"], datetime(2026, 3, 2, 11, tzinfo=UTC))
    assert " -S 2026-03-02T11:00:00 -u alice --name=job-hub-1,job-hub-2 " in asked


def test_a_row_is_read() -> None:
    assert accounting.parse(f"{ROW}\n\nEND|0\n") == (
        Past(
            "17",
            "job-hub-0123456789ab",
            "alice",
            "CANCELLED",
            0,
            15,
            datetime(2026, 3, 2, 11, tzinfo=UTC),
            datetime(2026, 3, 2, 11, 20, 34, tzinfo=UTC),
            1234,
            "n[1-2]",
        ),
    )


def test_a_job_that_goes_on_has_no_end() -> None:
    (past,) = (
        accounting.parse("17|m|alice|RUNNING|0:0|2026-03-02T11:00:00|Unknown|12|None assigned\n\nEND|0\n") or ()
    )
    assert (past.word, past.ended, past.nodes) == ("RUNNING", None, "")


def test_an_accounting_that_is_away_is_told_from_none() -> None:
    assert accounting.parse("sacct: error: Connection refused\n\nEND|1\n") is None
    assert accounting.parse("Slurm accounting storage is disabled\n\nEND|1\n") == ()
    assert accounting.parse("bash: line 1: /opt/slurm/sacct: No such file or directory\n\nEND|127\n") == ()
    assert accounting.parse(ROW) is None
    assert accounting.parse("\nEND|0\n") == ()


@given(st.text())
def test_whatever_is_said_is_read_without_an_error(text: str) -> None:
    accounting.parse(f"{text}\n{ROW}|{text}\n\nEND|0\n")
