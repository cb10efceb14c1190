"""Batch jobs of a JupyterHub with several Slurm sites: `Jobs`, and `AsyncJobs` with the same methods.

from hubjobs import Jobs, Spec

with Jobs.logged_in() as jobs:
    job = jobs.submit(Spec("command", command="hostname", choices={"time": "10m"}))
    print(jobs.wait(job.job_id).stage)
"""

from hubjobs.async_client import AsyncJobs
from hubjobs.client import Jobs
from hubjobs.errors import (
    Away,
    HubJobsError,
    LoginRefused,
    NotLoggedIn,
    Problem,
    Unavailable,
    Unreadable,
    Untrusted,
    WrongFile,
)
from hubjobs.models import Job, Spec
from hubjobs.passwords import login

__all__ = [
    "AsyncJobs",
    "Away",
    "HubJobsError",
    "Job",
    "Jobs",
    "LoginRefused",
    "NotLoggedIn",
    "Problem",
    "Spec",
    "Unavailable",
    "Unreadable",
    "Untrusted",
    "WrongFile",
    "login",
]
