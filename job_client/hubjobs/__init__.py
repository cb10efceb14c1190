"""Batch jobs of a JupyterHub with several Slurm sites: `Jobs`, and `AsyncJobs` with the same methods.

from hubjobs import Jobs, Spec

with Jobs.logged_in() as jobs:
    job = jobs.submit(Spec("command", command="hostname", choices={"time": "10m"}))
    print(jobs.wait(job.job_id).stage)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_ELSEWHERE = {
    "AsyncJobs": "async_client",
    "Jobs": "client",
    "Job": "models",
    "Spec": "models",
    "login": "passwords",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, and no sooner: the commands hear Ctrl-C while the rest is loaded."""
    if name not in __all__:
        raise AttributeError(name)
    found = getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'errors')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
