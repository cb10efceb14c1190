"""Records of batch jobs, as the store would give them."""

from typing import Any

from job_service.record import JobRecord
from job_service.spec import JobSpec
from tests.support.builders import LAUNCH_ID, NOW


def record(**other: Any) -> JobRecord:
    """Return that of a job of alice's at geneva which is not sent yet, on one core for an hour at most."""
    facts = {
        "id": 1,
        "job_id": LAUNCH_ID,
        "owner": "alice",
        "login": "alice",
        "system": "geneva",
        "project": "default",
        "account": None,
        "spec": JobSpec("command"),
        "title": "",
        "nodes": 1,
        "cores": 1,
        "memory_mib": 1024,
        "gpus": 0,
        "limit_s": 3600,
        "held_s": 0,
        "folder": f"/scratch/alice/jobs/{LAUNCH_ID}",
        "created": NOW,
    }
    return JobRecord(**{**facts, **other})
