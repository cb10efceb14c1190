from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from job_service.layout import End
from job_service.record import JobRecord
from job_service.running import observing
from job_service.running.folder import Left
from job_service.running.observing import Ended
from job_service.spec import JobSpec
from job_service.stages import Stage
from slurm_ssh.job import JobReport
from slurm_ssh.slurm import jobs as slurm_jobs

NOW = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def record(**changed: Any) -> JobRecord:
    facts: dict[str, Any] = {
        "id": 1,
        "job_id": "0123456789ab",
        "owner": "alice",
        "login": "alice",
        "system": "geneva",
        "project": "default",
        "account": None,
        "spec": JobSpec(type="command"),
        "title": "a job",
        "nodes": 2,
        "cores": 1,
        "memory_mib": 100,
        "gpus": 0,
        "limit_s": 3600,
        "held_s": 0,
        "folder": "/scratch/alice/jobs/0123456789ab",
        "created": NOW - HOUR,
        "stage": Stage.RUNNING,
        "submission": "sent",
        "native_id": "17",
        "started": NOW - HOUR / 2,
    }
    return JobRecord(**{**facts, **changed})


def ended(known: JobRecord, end: Ended) -> dict[str, Any]:
    change = observing.ended(known, end, "alice", NOW, "Geneva", HOUR)
    assert change
    assert change.event == change.changes["reason"]
    return dict(change.changes)


@pytest.mark.parametrize(
    ("word", "status", "stage", "code", "signal", "says"),
    [
        ("COMPLETED", 0, Stage.SUCCESSFUL, 0, None, "has done its work"),
        ("FAILED", 7 << 8, Stage.FAILED, 7, None, "exit status 7"),
        ("FAILED", 9, Stage.FAILED, None, 9, "SIGKILL"),
        ("FAILED", 143 << 8, Stage.FAILED, 143, None, "SIGTERM"),
        ("TIMEOUT", 143 << 8, Stage.FAILED, None, 15, "time limit of 1h was up"),
        ("TIMEOUT", 15, Stage.FAILED, None, 15, "time limit"),
        ("OUT_OF_MEMORY", 9, Stage.FAILED, None, 9, "more memory than its 200M"),
        ("NODE_FAIL", 0, Stage.FAILED, None, None, "node n1 failed"),
        ("PREEMPTED", 143 << 8, Stage.FAILED, None, 15, "preemption"),
        ("CANCELLED", 36608, Stage.CANCELED, None, 15, "cancelled at the site"),
        ("CANCELLED", 0, Stage.CANCELED, None, None, "cancelled at the site"),
    ],
)
def test_an_end_has_a_stage_a_code_or_a_signal_and_a_sentence(
    word: str, status: int, stage: Stage, code: int | None, signal: int | None, says: str
) -> None:
    report = JobReport(
        slurm_jobs.state_of(word),
        word,
        begins=NOW - HOUR,
        ends=NOW,
        used_seconds=5,
        wait_status=status,
        nodes="n1",
    )
    changes = ended(record(), Ended.of_report(report))
    assert (changes["stage"], changes["exit_code"], changes["signal"]) == (stage, code, signal)
    assert says in changes["reason"]
    assert (changes["elapsed_s"], changes["ended"], changes["remove_after"]) == (5, NOW, NOW + HOUR)


def test_a_cancellation_that_was_wanted_is_the_owners() -> None:
    assert ended(record(cancel_wanted=NOW), Ended("CANCELLED"))["reason"] == "The job was cancelled."


def test_an_end_in_an_unknown_word_is_none() -> None:
    assert observing.ended(record(), Ended("VAPOURISED"), "alice", NOW, "Geneva", HOUR) is None


@pytest.mark.parametrize(
    ("status", "log", "changed", "word"),
    [
        (0, "", {}, "COMPLETED"),
        (7, "", {}, "FAILED"),
        (143, "slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT 2026 DUE TO TIME LIMIT ***", {}, "TIMEOUT"),
        (143, "", {}, "CANCELLED"),
        (143, "", {"started": NOW - HOUR}, "TIMEOUT"),
        (143, "", {"started": NOW - HOUR, "cancel_wanted": NOW}, "CANCELLED"),
    ],
)
def test_what_a_job_wrote_at_its_end_is_its_end(status: int, log: str, changed: dict[str, Any], word: str) -> None:
    end = Ended.of_left(record(**changed), Left(True, "17", End("17", status, NOW), log))
    assert end
    assert end.word == word
    assert end.elapsed_s


@pytest.mark.parametrize(
    ("number", "status", "word", "elapsed"),
    [("17", 0, "COMPLETED", 1800), ("17", 143, "CANCELLED", 1800), ("18", 0, "COMPLETED", None)],
)
def test_of_a_job_that_nobody_saw_run_its_folder_says_since_when_it_did(
    number: str, status: int, word: str, elapsed: int | None
) -> None:
    known = record(stage=Stage.QUEUED, started=None)
    left = Left(True, number, End("17", status, NOW), since=NOW - HOUR / 2)
    end = Ended.of_left(known, left)
    assert end
    assert (end.word, end.elapsed_s) == (word, elapsed)
    assert end.started == (NOW - HOUR / 2 if elapsed else None)


def test_a_job_that_nobody_saw_run_was_ended_by_its_time_limit_if_it_ran_for_as_long() -> None:
    known = record(stage=Stage.QUEUED, started=None)
    end = Ended.of_left(known, Left(True, "17", End("17", 143, NOW), since=NOW - HOUR))
    assert end
    assert end.word == "TIMEOUT"


def test_the_end_of_another_job_of_slurms_is_not_its_end() -> None:
    assert Ended.of_left(record(), Left(True, "18", End("18", 0, NOW))) is None


@pytest.mark.parametrize(
    ("word", "reason", "stage", "says"),
    [
        ("PENDING", "JobHeldUser", Stage.HELD, "until it is released"),
        ("PENDING", "JobHeldAdmin", Stage.HELD, "Ask their support"),
        ("SUSPENDED", "", Stage.HELD, "suspended"),
        ("COMPLETING", "", Stage.STAGINGOUT, "cleans up"),
        ("PENDING", "ReqNodeNotAvail, UnavailableNodes:n[1-2]", Stage.QUEUED, "begins again"),
        ("RUNNING", "", Stage.RUNNING, "runs on n[1-2]"),
    ],
)
def test_a_job_that_goes_on_has_a_stage_and_a_sentence(word: str, reason: str, stage: Stage, says: str) -> None:
    report = JobReport(slurm_jobs.state_of(word), word, reason, nodes="n[1-2]" if word == "RUNNING" else "")
    change = observing.seen(record(), report, "alice", NOW, "Geneva")
    assert change
    assert change.changes["stage"] is stage
    assert says in change.changes["reason"]


def test_the_same_again_is_no_news() -> None:
    known = record()
    report = JobReport(slurm_jobs.state_of("RUNNING"), "RUNNING", begins=known.started, nodes="n1")
    change = observing.seen(known, report, "alice", NOW, "Geneva")
    assert change
    again = record(**change.changes)
    assert observing.seen(again, report, "bob", NOW + HOUR, "Geneva") is None
