from datetime import UTC, datetime
from pathlib import Path

import pytest

from slurm_ssh.job import JobState
from slurm_ssh.scheduler import Row, Task, UnreadableAnswer, beginning
from slurm_ssh.slurm import survey
from tests.support import builders, shells
from tests.support.folders import DATA

MARKS = "jupyter-hub-"
HEADER = (
    "JOBID|STATE|EXEC_HOST|USER|SUBMIT_TIME|START_TIME|END_TIME|TIME|EXIT_CODE|ARRAY_JOB_ID|ARRAY_TASK_ID|NODELIST|"
    "REASON|NAME"
)
COLUMNS = (
    "JobID:0|,State:0|,BatchHost:0|,UserName:0|,SubmitTime:0|,StartTime:0|,EndTime:0|,TimeUsed:0|,exit_code:0|,"
    "ArrayJobID:0|,ArrayTaskID:0|,NodeList:0|,Reason:60|,Name:24"
)
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
    assert arguments == ["-r", "-t", "all", *whose, "-O", COLUMNS]


def test_only_rows_of_the_hub_are_sent(tmp_path: Path) -> None:
    ours = "17|RUNNING|n1|alice|N/A|N/A|N/A|0:00|0|17|N/A|n1|None|jupyter-hub-0123456789ab"
    rest = "N/A|N/A|N/A|0:00|0|17|N/A|n1|None"
    others = f"18|RUNNING|n1|bob|{rest}|simulation\n19|RUNNING|n1|bob|{rest}|jupyter-hubble-1"
    answer = _asked(tmp_path, f"CLUSTER: alps\n{HEADER}\n{others}\n{ours}\n")
    assert answer.lines == [HEADER, ours, "END|0"]


def test_how_squeue_has_ended_is_told(tmp_path: Path) -> None:
    assert _asked(tmp_path, "", 1).lines == ["END|1"]
    assert survey.parse("END|1\n", MARKS)[0] == 1


def test_bytes_that_are_no_letters_hide_nothing(tmp_path: Path) -> None:
    ours = "17|RUNNING|n1|alice|N/A|N/A|N/A|0:00|0|17|N/A|n1|None|jupyter-hub-0123456789ab"
    squeue = _squeue(tmp_path, "")
    odd = b"18|R|n|b||||||||||jupyter-hub-\xff"
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
    row = f"17|PENDING|(null)|alice|{times}|0:00|0|17|N/A||Resources     |jupyter-hub-0123456789ab    "
    (found,) = _parsed(row).rows
    assert (found.job_id, found.owner, found.mark) == ("17", "alice", "jupyter-hub-0123456789ab")
    assert (found.report.state, found.report.reason) == (JobState.PENDING, "Resources")
    assert found.report.submitted == datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)
    assert found.report.begins == datetime(2026, 11, 26, 4, tzinfo=UTC)
    assert found.report.ends is None


OURS = "18|RUNNING|n1|alice|N/A|N/A|N/A|0:00|0|17|N/A|n1|None|jupyter-hub-0123456789ab"


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
        "17_3|RUNNING|n1|bob|N/A|N/A|N/A|0:00|0|17|N/A|n1|None|jupyter-hub-ba9876543210",
        "x|jupyter-hub-ba9876543210",
        "17|RUNNING|n1|bob|None|jupyter-hub-ba9876543210",
        # As -o would have it.
        "17|RUNNING|n1|bob|N/A|N/A|N/A|None|jupyter-hub-ba9876543210",
    ],
)
def test_a_row_of_another_shape_blinds_nobody_else(row: str) -> None:
    listing = _parsed(row, OURS)
    assert [each.job_id for each in listing.rows] == ["18"]
    assert listing.odd == {"jupyter-hub-ba9876543210"}


def test_a_bar_in_the_reason_does_not_matter() -> None:
    (row,) = _parsed("18|PENDING|n1|alice|N/A|N/A|N/A|0:00|0|18|N/A||held | by ruth|jupyter-hub-0123456789ab").rows
    assert (row.mark, row.report.reason) == ("jupyter-hub-0123456789ab", "held | by ruth")


def test_a_row_within_a_name_is_none() -> None:
    """Slurm prints a line break in a name as one, and no more of the name than it is asked for."""
    name = f"x\n{OURS}"[:24]
    assert _parsed(f"17|RUNNING|n1|bob|N/A|N/A|N/A|0:00|0|17|N/A|n1|None|{name}") == survey.Listing(())


def _recorded() -> dict[str, Row]:
    """Return the rows of a real Slurm by their job's number."""
    answer = (DATA / "slurm" / "survey-22.05.txt").read_text(encoding="utf-8")
    status, listing = survey.parse(answer, "job-hub-")
    assert (status, listing.odd) == (0, frozenset())
    return {row.job_id: row for row in listing.rows}


def test_how_jobs_have_ended_is_told_by_a_real_slurm() -> None:
    rows = _recorded()
    ended = {number: (row.report.word, row.report.wait_status) for number, row in rows.items()}
    assert ended["11"] == ("FAILED", 7 * 256)
    assert ended["15"] == ("FAILED", 9)
    # Its script was told to end, and did.
    assert (ended["12"], ended["14"]) == (("CANCELLED", 143 * 256), ("TIMEOUT", 143 * 256))
    assert ended["9"] == ("COMPLETED", 0)
    assert (ended["13"], ended["20"]) == (("PENDING", None), ("RUNNING", None))


def test_when_and_where_jobs_ran_is_told_by_a_real_slurm() -> None:
    rows = _recorded()
    ran = rows["14"].report
    assert (ran.begins, ran.ends) == (
        datetime(2026, 11, 27, 4, 13, 24, tzinfo=UTC),
        datetime(2026, 11, 27, 4, 14, 26, tzinfo=UTC),
    )
    assert (ran.used_seconds, ran.node, ran.nodes) == (62, "n1", "n1")
    waits = rows["17"].report
    assert (waits.reason, waits.begins, waits.used_seconds, waits.nodes) == ("JobHeldUser", None, 0, "")


def test_the_tasks_of_an_array_are_told_by_a_real_slurm() -> None:
    rows = _recorded()
    assert (rows["16"].task, rows["16"].number) == (Task("16", 1), "16_1")
    assert (rows["20"].task, rows["20"].number) == (Task("16", 0), "16_0")
    assert rows["9"].task == Task("3", 2)
    assert (rows["11"].task, rows["11"].number) == (None, "11")


def _with(**fields: str) -> Row:
    """Return the row whose fields are these, where they differ from those of a job that has ended."""
    known = {
        "word": "COMPLETED",
        "used": "0:07",
        "status": "0",
        "array": "17",
        "task": "N/A",
        "nodes": "n1",
        **fields,
    }
    row = "17|{word}|n1|alice|N/A|N/A|N/A|{used}|{status}|{array}|{task}|{nodes}|None|jupyter-hub-0123456789ab"
    (found,) = _parsed(row.format(**known)).rows
    return found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0:07", 7), ("10:00", 600), ("1:02:03", 3723), ("2-00:00:01", 172801), ("12-23:59:59", 1123199)),
        *(("INVALID", None), ("", None), ("-1:00", None), ("1:2:3:4", None), ("9" * 99, None), ("7", None)),
    ],
)
def test_how_long_a_job_has_run_is_seconds(text: str, seconds: int | None) -> None:
    assert _with(used=text).report.used_seconds == seconds


@pytest.mark.parametrize("text", ["", "N/A", "-1", "7:0", "9" * 99])
def test_what_is_no_wait_status_is_none(text: str) -> None:
    assert _with(status=text).report.wait_status is None


@pytest.mark.parametrize("text", ["n[1-2]", "n[1-2,7],m3", "a.b-c"])
def test_nodes_are_slurms_own_list(text: str) -> None:
    assert _with(nodes=text).report.nodes == text


@pytest.mark.parametrize("text", ["", "(null)", "n1;id", "n1 n2", "n" * 300])
def test_what_is_no_list_of_nodes_is_none(text: str) -> None:
    assert _with(nodes=text).report.nodes == ""


@pytest.mark.parametrize(
    ("array", "task"), [("x", "3"), ("17", ""), ("17", "N/A"), ("17", "$(id)"), ("17", "0,1"), ("", "")]
)
def test_what_is_no_part_of_an_array_is_none(array: str, task: str) -> None:
    assert _with(array=array, task=task).task is None


def test_the_survey_of_one_kind_passes_over_the_other(tmp_path: Path) -> None:
    batch = OURS.replace("18|", "19|").replace("jupyter-hub-", "job-hub-")
    assert _asked(tmp_path, f"{HEADER}\n{batch}\n{OURS}\n").lines == [HEADER, OURS, "END|0"]
    answer = "\n".join((HEADER, batch, OURS, "END|0", ""))
    assert [row.job_id for row in survey.parse(answer, "jupyter-hub-")[1].rows] == ["18"]
    assert [row.job_id for row in survey.parse(answer, "job-hub-")[1].rows] == ["19"]


def test_all_marks_of_a_hub_begin_alike() -> None:
    assert beginning("jupyter-my-hub-0123456789ab") == "jupyter-my-hub-"
