from typing import Any

from job_service.running.places import Places
from profiles.catalogue.site import Site
from tests.support import builders
from tests.support.records import record

NOBODY: Any = None


def test_jobs_of_a_folder_share_what_they_were_started_with_until_their_site_changes() -> None:
    sites = {"geneva": Site.model_validate(builders.site())}
    places = Places(NOBODY, sites, "hub")
    another = record(job_id="0" * 12, folder="/scratch/alice/jobs/" + "0" * 12)
    first, second = places.job(record()).started_with, places.job(another).started_with
    assert first is second
    assert first is not None
    assert first.job_folder == "/scratch/alice/jobs"
    elsewhere = places.job(record(folder="/project/alice/1")).started_with
    assert elsewhere is not None
    assert elsewhere.job_folder == "/project/alice"
    sites["geneva"] = Site.model_validate(builders.site(ticket_folder="/tickets/{owner}"))
    changed = places.job(record()).started_with
    assert changed is not None
    assert (changed.job_folder, changed.ticket_folder) == ("/scratch/alice/jobs", "/tickets/{owner}")
