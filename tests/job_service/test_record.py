from tests.support.records import record


def test_jobs_are_kept_without_a_dict_of_attributes_for_each() -> None:
    job = record()
    assert [each for each in (job, job.spec) if hasattr(each, "__dict__")] == []
