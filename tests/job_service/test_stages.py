import pytest

from job_service.stages import Stage

_NEXT = {
    "NEW": "STAGINGIN READY FAILED CANCELED",
    "STAGINGIN": "READY FAILED CANCELED",
    "READY": "QUEUED HELD RUNNING STAGINGOUT SUCCESSFUL FAILED CANCELED",
    "QUEUED": "HELD RUNNING STAGINGOUT SUCCESSFUL FAILED CANCELED",
    "HELD": "QUEUED RUNNING STAGINGOUT SUCCESSFUL FAILED CANCELED",
    "RUNNING": "QUEUED HELD STAGINGOUT SUCCESSFUL FAILED CANCELED",
    "STAGINGOUT": "QUEUED HELD RUNNING SUCCESSFUL FAILED CANCELED",
    "SUCCESSFUL": "DELETED",
    "FAILED": "DELETED",
    "CANCELED": "DELETED",
    "DELETED": "",
}


@pytest.mark.parametrize("before", Stage)
def test_which_stages_may_follow_one(before: Stage) -> None:
    assert {stage for stage in Stage if before.may_become(stage)} == set(map(Stage, _NEXT[before].split()))
