from datetime import UTC, datetime
from pathlib import Path

import pytest

from slurm_ssh.job import JobState
from slurm_ssh.slurm import survey
from slurm_ssh.slurm.jobs import UnreadableAnswer
from tests.support import builders, shells

MARKS = "jupyter-hub-"
HEADER = "JOBID|STATE|EXEC_HOST|USER|SUBMIT_TIME|START_TIME|END_TIME|REASON|NAME"
SQUEUE = """#!/bin/sh
printf '%s\\n' "$@" >{folder}/arguments
cat {folder}/queue
exit {status}
"""


def _squeue(folder: Path, queue: str, status: int = 0) -> str:
    """Put a program in the place of squeue that answers so."""
    (folder / "queue").write_text(queue)
    (folder / "squeue").write_text(SQUEUE.format(folder=folder, status=status))
    (folder / "squeue").chmod(0o755)
    return str(folder)


def _asked(folder: Path, queue: str, status: int = 0, owner: str | None = None) -> shells.Ended:
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=_squeue(folder, queue, status))})
    return shells.run(["/bin/sh", "-c", survey.listing(site.sites["geneva"], MARKS, owner)])


@pytest.mark.parametrize("owner", [None, "alice"])
def test_everybodys_jobs_are_asked_for_or_one_owners(tmp_path: Path, owner: str | None) -> None:
    _asked(tmp_path, HEADER, owner=owner)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    whose = ["-u", owner] if owner else []
    assert arguments == ["-t", "all", *whose, "-o", "%i|%T|%B|%u|%V|%S|%e|%60r|%24j"]


def test_only_rows_of_the_hub_are_sent(tmp_path: Path) -> None:
    ours = "17|RUNNING|n1|alice|N/A|N/A|N/A|None|jupyter-hub-0123456789ab"
    others = "18|RUNNING|n1|bob|N/A|N/A|N/A|None|simulation\n19|RUNNING|n1|bob|N/A|N/A|N/A|None|jupyter-hubble-1"
    answer = _asked(tmp_path, f"CLUSTER: alps\n{HEADER}\n{others}\n{ours}\n")
    assert answer.lines == [HEADER, ours, "END|0"]


def test_how_squeue_has_ended_is_told(tmp_path: Path) -> None:
    assert _asked(tmp_path, "", 1).lines == ["END|1"]
    assert survey.parse("END|1\n", MARKS)[0] == 1


def test_bytes_that_are_no_letters_hide_nothing(tmp_path: Path) -> None:
    ours = "17|RUNNING|n1|alice|N/A|N/A|N/A|None|jupyter-hub-0123456789ab"
    squeue = _squeue(tmp_path, "")
    odd = b"18|R|n|b|||||jupyter-hub-\xff"
    (tmp_path / "queue").write_bytes(b"\n".join((HEADER.encode(), odd, ours.encode(), b"")))
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=squeue)}).sites["geneva"]
    found = shells.run(["/bin/sh", "-c", survey.listing(site, MARKS)], environ={"LC_ALL": "C.UTF-8"}).stdout
    assert [row.job_id for row in survey.parse(found.decode("utf-8", "replace"), MARKS)[1].rows] == ["18", "17"]


def _parsed(*rows: str) -> survey.Listing:
    status, listing = survey.parse("\n".join((HEADER, *rows, "END|0", "")), MARKS)
    assert status == 0
    return listing


def test_a_row_tells_of_a_job() -> None:
    times = "2026-11-26T01:02:03|2026-11-26T04:00:00|N/A"
    row = f"17|PENDING|(null)|alice|{times}|Resources     |jupyter-hub-0123456789ab    "
    (found,) = _parsed(row).rows
    assert (found.job_id, found.owner, found.mark) == ("17", "alice", "jupyter-hub-0123456789ab")
    assert (found.report.state, found.report.reason) == (JobState.PENDING, "Resources")
    assert found.report.submitted == datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)
    assert found.report.begins == datetime(2026, 11, 26, 4, tzinfo=UTC)
    assert found.report.ends is None


OURS = "18|RUNNING|n1|alice|N/A|N/A|N/A|None|jupyter-hub-0123456789ab"


@pytest.mark.parametrize(
    "answer",
    [
        *("", "\n", OURS, "no", HEADER, f"{HEADER}\n{OURS}\n"),
        *("END|0\n", f"{OURS}\nEND|0\n", f"{HEADER}\nEND|\n", "END|x\n"),
    ],
)
def test_what_is_no_answer_of_squeue_says_nothing_of_any_job(answer: str) -> None:
    with pytest.raises(UnreadableAnswer):
        survey.parse(answer, MARKS)


@pytest.mark.parametrize(
    "row",
    [
        "17_3|RUNNING|n1|bob|N/A|N/A|N/A|None|jupyter-hub-ba9876543210",
        "x|jupyter-hub-ba9876543210",
        "17|RUNNING|n1|bob|None|jupyter-hub-ba9876543210",
    ],
)
def test_a_row_of_another_shape_blinds_nobody_else(row: str) -> None:
    listing = _parsed(row, OURS)
    assert [each.job_id for each in listing.rows] == ["18"]
    assert listing.odd == {"jupyter-hub-ba9876543210"}


def test_a_bar_in_the_reason_does_not_matter() -> None:
    (row,) = _parsed("18|PENDING|n1|alice|N/A|N/A|N/A|held | by ruth|jupyter-hub-0123456789ab").rows
    assert (row.mark, row.report.reason) == ("jupyter-hub-0123456789ab", "held | by ruth")


def test_a_row_within_a_name_is_none() -> None:
    """Slurm prints a line break in a name as one, and no more of the name than it is asked for."""
    name = f"x\n{OURS}"[:24]
    assert _parsed(f"17|RUNNING|n1|bob|N/A|N/A|N/A|None|{name}") == survey.Listing(())


def test_the_survey_of_one_kind_passes_over_the_other(tmp_path: Path) -> None:
    batch = OURS.replace("18|", "19|").replace("jupyter-hub-", "job-hub-")
    assert _asked(tmp_path, f"{HEADER}\n{batch}\n{OURS}\n").lines == [HEADER, OURS, "END|0"]
    answer = "\n".join((HEADER, batch, OURS, "END|0", ""))
    assert [row.job_id for row in survey.parse(answer, "jupyter-hub-")[1].rows] == ["18"]
    assert [row.job_id for row in survey.parse(answer, "job-hub-")[1].rows] == ["19"]


def test_all_marks_of_a_hub_begin_alike() -> None:
    assert survey.beginning("jupyter-my-hub-0123456789ab") == "jupyter-my-hub-"
