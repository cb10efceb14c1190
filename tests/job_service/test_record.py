from job_service.record import JobRecord
from job_service.spec import JobSpec
from tests.support.builders import NOW


def test_jobs_are_kept_without_a_dict_of_attributes_for_each() -> None:
    spec = JobSpec("command")
    record = JobRecord(
        id=1,
        job_id="0123456789ab",
        owner="alice",
        login="alice",
        system="geneva",
        project="default",
        account=None,
        spec=spec,
        title="",
        nodes=1,
        cores=1,
        memory_mib=1,
        gpus=0,
        limit_s=60,
        held_s=60,
        folder="/scratch/alice/jobs/0123456789ab",
        created=NOW,
    )
    assert [each for each in (record, spec) if hasattr(each, "__dict__")] == []
