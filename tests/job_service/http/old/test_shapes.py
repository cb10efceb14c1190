"""What the old paths answer, compared with the examples of their documentation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_service.files.info import FileInfo
from job_service.http.old import shapes
from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.stages import Stage

# The example of the old documentation, with the types of its values.
DOCUMENTED = {
    "end_date": None,
    "failed": False,
    "id": 80,
    "init_date": "2019-02-10T22:40:01Z",
    "job_id": "af17d39a9e15",
    "owner": "306328",
    "project": 2,
    "project_hpc": "PIZDAINT",
    "project_name": "bsp_pizdaint_01",
    "runtime": 2.0,
    "stage": "QUEUED",
    "terminal_stage": False,
    "title": "a job title",
}
RECORD = JobRecord(
    id=80,
    job_id="af17d39a9e15",
    owner="306328",
    login="alice",
    system="pizdaint",
    project="bsp_pizdaint_01",
    account=None,
    spec=JobSpec("command"),
    title="a job title",
    nodes=2,
    cores=6,
    memory_mib=1024,
    gpus=0,
    limit_s=7200,
    held_s=7200,
    folder="/scratch/alice/jobs/af17d39a9e15",
    created=datetime(2019, 2, 10, 22, 40, 1, 999_999, UTC),
    stage=Stage.QUEUED,
)


def test_a_job_has_the_thirteen_fields_of_the_documentation() -> None:
    assert shapes.OldJob.of(RECORD, 2, "PIZDAINT").model_dump() == DOCUMENTED
    assert len(DOCUMENTED) == 13


def test_a_job_that_has_ended() -> None:
    ended = replace(RECORD, stage=Stage.FAILED, failed=True, ended=RECORD.created + timedelta(hours=1))
    job = shapes.OldJob.of(ended, None, "PIZDAINT")
    assert (job.end_date, job.failed, job.terminal_stage) == ("2019-02-10T23:40:01Z", True, True)
    assert (job.project, job.stage) == (None, "FAILED")


@pytest.mark.parametrize("stage", list(Stage))
def test_failed_while_running(stage: Stage) -> None:
    job = shapes.OldJob.of(replace(RECORD, stage=stage), 2, "PIZDAINT")
    assert not job.failed
    assert job.terminal_stage == (stage in {"SUCCESSFUL", "FAILED", "CANCELED", "DELETED"})


def test_a_file_is_called_for_people_and_for_urls() -> None:
    file = shapes.OldFile.of(FileInfo("my results/ï%.txt", 372, 1_549_838_401_999_999_999))
    assert file.model_dump() == {
        "fileid": "my%20results/%C3%AF%25.txt",
        "filename": "my results/ï%.txt",
        "length": 372,
        "modified": "2019-02-10T22:40:01Z",
    }
