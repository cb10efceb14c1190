from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from job_service import layout
from job_service.files.files import Files
from job_service.record import JobRecord
from job_service.spec import JobSpec
from profiles.catalogue.site import Site
from slurm_ssh.ssh import transfer
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.local import LocalSite

JOB_ID = builders.LAUNCH_ID


def record_of(folder: Path, owner: str = "alice") -> JobRecord:
    """Return a job of the owner's in this folder."""
    return JobRecord(
        id=1,
        job_id=folder.name,
        owner=owner,
        login=owner,
        system="geneva",
        project="default",
        account=None,
        spec=JobSpec("command"),
        title="",
        nodes=1,
        cores=1,
        memory_mib=100,
        gpus=0,
        limit_s=60,
        held_s=60,
        folder=str(folder),
        created=datetime(2026, 1, 1, tzinfo=UTC),
        submission="sent",
    )


def site(**changed: Any) -> Site:
    """Return a site that takes files of at most 1 MB."""
    jobs = {"folder": "/scratch/{owner}/jobs", "upload_max": "1M"}
    return builders.catalogue(sites={"geneva": builders.site(**{"jobs": jobs, **changed})}).sites["geneva"]


def files_of(local: LocalSite, **changed: Any) -> Files:
    """Return the files of all jobs at a site on this machine."""
    pool: Any = local
    at = site(**changed)
    return Files(lambda record: Remote(pool, Login(record.owner, record.login, record.system), at))


@pytest.fixture(autouse=True)
def _a_busy_machine_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PARTING_SECONDS", 60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a job."""
    folder = tmp_path / "it's alice's jobs" / JOB_ID
    (folder / layout.OURS).mkdir(parents=True)
    return folder


@pytest.fixture
def record(folder: Path) -> JobRecord:
    return record_of(folder)


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    return LocalSite(tmp_path)


@pytest.fixture
def files(local: LocalSite) -> Files:
    return files_of(local)
