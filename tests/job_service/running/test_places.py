from dataclasses import replace
from typing import Any

import pytest

from job_service.record import JobRecord
from job_service.running.places import Places
from job_service.spec import JobSpec
from profiles.catalogue.site import Site
from tests.support import builders

NOBODY: Any = None


@pytest.fixture
def record() -> JobRecord:
    return JobRecord(
        id=1,
        job_id=builders.LAUNCH_ID,
        owner="alice",
        login="alice",
        system="geneva",
        project="default",
        account=None,
        spec=JobSpec("command"),
        title="",
        nodes=1,
        cores=1,
        memory_mib=1024,
        gpus=0,
        limit_s=3600,
        held_s=0,
        folder=f"/scratch/alice/jobs/{builders.LAUNCH_ID}",
        created=builders.NOW,
    )


def test_jobs_of_a_folder_share_what_they_were_started_with_until_their_site_changes(record: JobRecord) -> None:
    sites = {"geneva": Site.model_validate(builders.site())}
    places = Places(NOBODY, sites, "hub")
    another = replace(record, job_id="0" * 12, folder="/scratch/alice/jobs/" + "0" * 12)
    first, second = places.job(record).started_with, places.job(another).started_with
    assert first is second
    assert first is not None
    assert first.job_folder == "/scratch/alice/jobs"
    elsewhere = places.job(replace(record, folder="/work/alice/1")).started_with
    assert elsewhere is not None
    assert elsewhere.job_folder == "/work/alice"
    sites["geneva"] = Site.model_validate(builders.site(ticket_folder="/tickets/{owner}"))
    changed = places.job(record).started_with
    assert changed is not None
    assert (changed.job_folder, changed.ticket_folder) == ("/scratch/alice/jobs", "/tickets/{owner}")
