"""What Prometheus is told."""

from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from job_service.http.metrics import Tally
from job_service.stages import Stage
from tests.job_service.http.old.test_shapes import RECORD
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client

QUEUED = RECORD.created + timedelta(seconds=3)
RAN = RECORD.created + timedelta(seconds=63)
OVER = RECORD.created + timedelta(hours=1)


def _value(tally: Tally, name: str, **labels: str) -> float | None:
    return tally.registry.get_sample_value(f"jupyterhub_jobs_{name}", {"system": "pizdaint", **labels})


def test_each_moment_of_a_job_counts_once() -> None:
    tally = Tally(RECORD.created)
    queued = replace(RECORD, queued=QUEUED)
    running = replace(queued, stage=Stage.RUNNING, started=RAN)
    ended = replace(running, stage=Stage.SUCCESSFUL, ended=OVER)
    for record in (RECORD, queued, queued, running, replace(queued, stage=Stage.QUEUED), running, ended, ended):
        tally.tell(record)
    tally.tell(replace(ended, stage=Stage.DELETED))
    tally.tell(replace(ended, stage=Stage.DELETED, removed=OVER))
    assert (_value(tally, "submit_seconds_count"), _value(tally, "submit_seconds_sum")) == (1, 3)
    assert (_value(tally, "queue_seconds_count"), _value(tally, "queue_seconds_sum")) == (1, 60)
    assert _value(tally, "ended_total", stage="SUCCESSFUL") == 1


def test_what_came_before_the_service_began_is_not_counted_again() -> None:
    tally = Tally(RAN + timedelta(seconds=1))
    tally.tell(replace(RECORD, queued=QUEUED, started=RAN, ended=OVER, stage=Stage.FAILED, failed=True))
    assert _value(tally, "submit_seconds_count") is None
    assert _value(tally, "ended_total", stage="FAILED") == 1


async def test_admins_and_their_tools_are_told_how_things_stand(app: FastAPI, service: Serving) -> None:
    async with client(app, "alice:submit") as alice:
        job = {"type": "command", "system": "geneva", "command": "hostname"}
        job_id = (await alice.post("/api/v1/jobs", json=job)).json()["job_id"]
    await service.running.goes(job_id, Stage.READY, Stage.QUEUED)
    async with client(app, "robot:admin") as robot:
        got = await robot.get("/api/v1/metrics")
    assert got.status_code == 200
    assert got.headers["Content-Type"].startswith("text/plain")
    samples = {
        (sample.name, sample.labels.get("system"), sample.labels.get("stage", sample.labels.get("answered"))): (
            sample.value
        )
        for family in text_string_to_metric_families(got.text)
        for sample in family.samples
    }
    assert samples["jupyterhub_jobs_in_stage", "geneva", "QUEUED"] == 1
    assert samples["jupyterhub_jobs_in_stage", "zurich", "QUEUED"] == 0
    assert samples["jupyterhub_jobs_system_up", "geneva", None] == 1
    assert samples["jupyterhub_jobs_surveys_total", "geneva", "yes"] == 7
    assert samples["jupyterhub_jobs_surveys_total", "geneva", "no"] == 2
    assert samples["jupyterhub_jobs_survey_seconds_total", "geneva", None] == 1.5
    assert samples["jupyterhub_jobs_in_doubt", "geneva", None] == 0
