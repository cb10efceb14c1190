"""What is kept, as it is shown."""

from dataclasses import asdict

from job_service.files.info import FileInfo, Listing
from job_service.http import models, offered
from job_service.record import JobRecord
from job_service.running.running import Running
from job_service.store.values import Event, Group, Page
from languages import together

V1 = "/api/v1"
"""Where the API lies in the service."""


class Views:
    """Shows jobs; `root` is the path of the service as whoever asks has it."""

    def __init__(self, running: Running, root: str) -> None:
        self._running, self._api = running, f"{root}{V1}"

    def etag(self, record: JobRecord) -> str:
        """Return the entity tag of a job as it is shown: another one with each change of what it says."""
        marks = ("s" if self._running.is_stale(record) else "") + ("o" if self._running.owes(record) else "")
        return f'"{record.version}{marks}"'

    def place(self, record: JobRecord) -> str:
        """Return the path of a job."""
        return f"{self._api}/jobs/{record.job_id}"

    def _links(self, record: JobRecord) -> models.Links:
        place = self.place(record)
        return models.Links(
            self=place,
            events=f"{place}/events",
            files=f"{place}/files",
            log=f"{place}/log",
            script=f"{place}/script",
            archive=f"{place}/archive.tar",
        )

    def job(self, record: JobRecord) -> models.Job:
        """Return a job."""
        return models.Job(
            job_id=record.job_id,
            id=record.id,
            title=record.title,
            owner=record.owner,
            system=record.system,
            project=record.project,
            type=record.type,
            kind=record.kind,
            parent=record.parent,
            task=record.task,
            group=record.group,
            stage=record.stage,
            reason=together((record.reason, self._running.owes(record))),
            failed=record.failed,
            exit_code=record.exit_code,
            signal=record.signal,
            created=record.created,
            queued=record.queued,
            started=record.started,
            ended=record.ended,
            elapsed_s=record.elapsed_s,
            limit_s=record.limit_s,
            nodes=record.nodes,
            cores=record.cores,
            memory_mib=record.memory_mib,
            gpus=record.gpus,
            native_id=record.native_id,
            native_state=record.native_state,
            observed=record.observed,
            stale=self._running.is_stale(record),
            folder=record.folder,
            datasets=list(record.spec.datasets),
            links=self._links(record),
        )

    def group(self, group: Group) -> models.JobGroup:
        """Return what became of several datasets."""
        return models.JobGroup(
            group=group.id,
            jobs=[self.job(each) for each in group.jobs],
            errors=[offered.NotAccepted(**asdict(each)) for each in group.errors],
        )

    def page(self, page: Page[JobRecord]) -> models.JobPage:
        """Return some jobs."""
        return models.JobPage(items=[self.job(each) for each in page.items], next=page.next_cursor)

    def file(self, record: JobRecord, info: FileInfo) -> models.File:
        """Return a file of a job."""
        return models.File(
            path=info.name,
            kind=info.kind,
            size=info.size,
            modified=info.modified,
            etag=info.etag,
            href=f"{self.place(record)}/files/{info.quoted}",
        )

    def files(self, record: JobRecord, listing: Listing) -> models.Files:
        """Return what lies in a job's folder."""
        return models.Files(items=[self.file(record, each) for each in listing.items], is_cut=listing.is_cut)


def event(kept: Event) -> models.Event:
    """Return what happened to a job."""
    return models.Event(id=kept.id, job_id=kept.job_id, at=kept.at, stage=kept.stage, text=kept.text)
