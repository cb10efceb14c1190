from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.accounting import Member, NewProject, Project
from job_service.store.store import Store
from job_service.store.values import Changes, NewJob, new_job_id

NOW = datetime(2026, 3, 2, 11, 5, 6, 789012, tzinfo=UTC)
SPEC = JobSpec(type="command", system="geneva", choices={"time": "2h"}, command="sleep 1")


@dataclass
class Time:
    """What time it is, for a store; it goes on when a test says so."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **much: float) -> None:
        self.now += timedelta(**much)


def new(**other: Any) -> NewJob:
    """A job of alice's, on one core for an hour, that counts against no project of the service."""
    job_id = other.pop("job_id", None) or new_job_id()
    values: dict[str, Any] = {
        "job_id": job_id,
        "owner": "alice",
        "groups": frozenset(),
        "login": "alice",
        "system": "geneva",
        "project": "default",
        "project_id": None,
        "account": None,
        "spec": SPEC,
        "title": "a job",
        "nodes": 1,
        "cores": 1,
        "memory_mib": 1024,
        "gpus": 0,
        "limit_s": 3600,
        "folder": f"/scratch/alice/jobs/{job_id}",
        "active_max": 200,
    }
    return NewJob(**{**values, **other})


def within(project: Project, **other: Any) -> NewJob:
    """A job of alice's that counts against a project."""
    return new(system=project.system, project=project.name, project_id=project.id, **other)


async def a_project(store: Store, *members: str, **other: Any) -> Project:
    """A project at geneva with 36,000 seconds, of which each member has 18,000; alice is one."""
    values: dict[str, Any] = {"system": "geneva", "name": "neuro", "init_time": 36_000, "user_time": 18_000}
    project = await store.projects.add(NewProject(**{**values, **other}), "ruth")
    for name in members or ("alice",):
        await store.projects.add_member(project, Member("user", name), "ruth")
    return project


async def accepted(store: Store, wanted: NewJob) -> JobRecord:
    record, is_new = await store.jobs.accept(wanted)
    assert is_new
    return record


async def brought(store: Store, record: JobRecord, *stages: Stage, **changes: Any) -> JobRecord:
    """Bring a job through stages; the changes come with the last one."""
    for stage in stages:
        wanted: Changes = {"stage": stage}
        if stage is Stage.QUEUED and record.native_id is None:
            wanted |= {"submission": "sent", "native_id": "17"}
        if stage is stages[-1]:
            wanted |= changes  # type: ignore[typeddict-item]
        record = await store.jobs.change(record, wanted, f"It is {stage} now.")
    return record


RUNS = (Stage.READY, Stage.QUEUED, Stage.RUNNING)
