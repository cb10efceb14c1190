"""What the old paths answer, field by field.  Pure.

Times are UTC to the second.  A job's `runtime` is what was asked for, in hours; everything else in seconds.
"""

from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from job_service.files.info import FileInfo
from job_service.http.old.payload import hours
from job_service.record import JobRecord
from job_service.store import accounting


class OldJob(BaseModel):
    """A job: these thirteen fields and no others."""

    end_date: str | None = Field(description="When it ended, such as 2019-02-10T22:40:01Z.")
    failed: bool = Field(description="Whether it has ended, and not well.")
    id: int
    init_date: str = Field(description="When it was accepted.")
    job_id: str
    owner: str = Field(description="A name on the hub.")
    project: int | None = Field(description="The project's number; null for an account of Slurm's own.")
    project_hpc: str = Field(description="The system's name in upper case.")
    project_name: str
    runtime: float = Field(description="The hours that it may take.")
    stage: str
    terminal_stage: bool = Field(description="Whether it is over.")
    title: str

    @classmethod
    def of(cls, record: JobRecord, project: int | None, hpc: str) -> Self:
        """Return a job whose project has this number, at the system of that name."""
        return cls(
            end_date=moment(record.ended) if record.ended else None,
            failed=record.failed,
            id=record.id,
            init_date=moment(record.created),
            job_id=record.job_id,
            owner=record.owner,
            project=project,
            project_hpc=hpc,
            project_name=record.project,
            runtime=hours(record.limit_s),
            stage=record.stage.value,
            terminal_stage=record.stage.is_over,
            title=record.title,
        )


class OldProject(BaseModel):
    """A project: its own seconds, and those that each member begins with.  Space is shown only."""

    hpc: str
    id: int
    init_space: int
    init_time: int
    name: str
    space_left: int = 0
    time_left: int
    user_space: int
    user_time: int

    @classmethod
    def of(cls, project: accounting.Project, hpc: str) -> Self:
        """Return a project of the service, at the system of that name."""
        return cls(
            hpc=hpc,
            id=project.id,
            init_space=project.init_space,
            init_time=project.init_time,
            name=project.name,
            time_left=project.time_left,
            user_space=project.user_space,
            user_time=project.user_time,
        )


class OldQuota(BaseModel):
    """What somebody has left of a project, in its seconds; `id` is null until they have begun to use it."""

    id: int | None
    project: int
    project_hpc: str
    project_name: str
    space_left: int = 0
    time_left: int
    user: str

    @classmethod
    def of(cls, quota: accounting.Quota, hpc: str) -> Self:
        """Return somebody's quota, at the system of that name."""
        return cls(
            id=quota.id,
            project=quota.project.id,
            project_hpc=hpc,
            project_name=quota.project.name,
            time_left=quota.time_left,
            user=quota.user,
        )


class OldSystem(BaseModel):
    """A system where jobs run, by its name in upper case."""

    id: int
    name: str


class OldFile(BaseModel):
    """A file in a job's folder: `fileid` stands in a URL as it is, `filename` is for people."""

    fileid: str
    filename: str
    length: int
    modified: str

    @classmethod
    def of(cls, info: FileInfo) -> Self:
        """Return a file."""
        return cls(fileid=info.quoted, filename=info.name, length=info.size, modified=moment(info.modified))


class OldUser(BaseModel):
    """Somebody who has used the service: `groups` are the projects they may use, `banned_from` those they may not.

    `banned`: they may not send jobs at all.
    """

    id: int
    username: str
    groups: list[int]
    banned: bool
    banned_from: list[int]


def moment(at: datetime) -> str:
    """Return a time as the old service wrote it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
