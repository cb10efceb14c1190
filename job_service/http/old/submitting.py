"""The old path that sends a job: what is asked for in a header, the file as the body."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from job_service.errors import Invalid, JobError
from job_service.http.caller import Caller, Submitting
from job_service.http.given import A_JOB, Kept, TheKept
from job_service.http.old import disposition, named, payload
from job_service.http.old.listing import shown
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldJob
from job_service.http.old.upload import Upload, looked_into, opened
from job_service.http.route import UploadRoute
from job_service.http.route import router as made
from job_service.http.v1.files import digest_of
from job_service.http.v1.jobs import IdempotencyKey, Wait, Word, until
from job_service.record import JobRecord
from job_service.stages import Stage
from profiles.errors import ChoiceRefused

router = made(TAG, UploadRoute)

_MISSPELT = "Content-Dispostion"
"""How the old documentation spells the header in one of its examples."""

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_BEFORE_SLURM = {Stage.NEW, Stage.STAGINGIN, Stage.READY}
_BEFORE_FILE = {Stage.NEW, Stage.STAGINGIN}

ThePayload = Annotated[
    str | None,
    Header(alias="Payload", description=f"What to run, as JSON: `{payload.EXAMPLE}`. Numbers may be texts."),
]
TheDisposition = Annotated[
    str | None,
    Header(alias=disposition.HEADER, description="The name of the file: `attachment; filename=job.zip`."),
]


_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "application/octet-stream": {"schema": _FILE},
    "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _FILE}}},
}
_SENDS: dict[str, Any] = {
    "status_code": 201,
    "dependencies": [A_JOB],
    "responses": {200: {"model": OldJob, "description": "The job that came with this key before"}},
    "openapi_extra": {"requestBody": {"content": _BODY}},
}


@dataclass(frozen=True)
class Asked:
    """One request for a job: who wants it, its headers as text, and for how long they wait."""

    request: Request
    caller: Caller
    payload: str | None
    disposition: str | None
    key: str | None
    wait: int


async def _asked(
    request: Request,
    caller: Submitting,
    payload_header: ThePayload = None,
    disposition_header: TheDisposition = None,
    idempotency_key: IdempotencyKey = None,
    wait: Wait = 20,
) -> Asked:
    misspelt = request.headers.get(_MISSPELT)
    return Asked(
        request, caller, _text(payload_header), _text(disposition_header or misspelt), idempotency_key, wait
    )


TheAsked = Annotated[Asked, Depends(_asked)]


@router.post("/jobs/{hpc}/", summary="Send a job, of your default project", **_SENDS)
async def submit(asked: TheAsked, kept: TheKept, response: Response, hpc: Word) -> OldJob:
    """Send a job to a system, counted against your default project there.

    The body is its file, as it is or as the one part of a form; a job without a file has no body.  The answer
    comes when the file is at the system and Slurm has the job.

    An `Idempotency-Key` is for one header Payload and one file: of up to 1 MiB all bytes are compared, of a larger
    one its name, length and `Content-Digest`, as far as they were sent.  With another one it is refused (422).
    """
    return await _submitted(asked, kept, response, hpc, None)


@router.post("/jobs/{hpc}/{project}/", summary="Send a job, of a project", **_SENDS)
async def submit_to(asked: TheAsked, kept: TheKept, response: Response, hpc: Word, project: Word) -> OldJob:
    """Send a job to a system, counted against one of your projects there."""
    return await _submitted(asked, kept, response, hpc, project)


async def _submitted(asked: Asked, kept: Kept, response: Response, hpc: str, project: str | None) -> OldJob:
    service, root = kept.service, asked.request.scope.get("root_path", "")
    system = named.known_system(service, hpc)
    wanted = payload.read(asked.payload, hpc, with_tool=named.has_tools(service, system))
    with kept.uploads.one(asked.caller.name):
        record, is_new = await _accepted(asked, kept, wanted, system, project)
    with kept.waiting.one(record.owner):
        record = await until(kept, record, asked.wait, lambda each: each.stage not in _BEFORE_SLURM)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"{root}/api/jobs/{record.system}/{record.project}/{record.job_id}/"
    return (await shown(service, [record]))[0]


async def _accepted(
    asked: Asked, kept: Kept, wanted: payload.Payload, system: str, project: str | None
) -> tuple[JobRecord, bool]:
    """Return the job, whose file is at its site then, and whether it is new."""
    service, upload = kept.service, await _upload(asked)
    spec, sent = wanted.spec(system, project, upload.name if upload else None), ""
    if upload and asked.key is not None:
        upload, sent = await looked_into(upload)
    with _named_as_here():
        record, is_new = await service.accepting.accept(asked.caller.person, spec, asked.key, sent)
    if is_new:
        service.running.wake(record)
        kept.news.tell(record)
    if upload and record.stage in _BEFORE_FILE:
        record = await _sent_in(kept, record, upload, withdraw=asked.key is None)
    return record, is_new


async def _upload(asked: Asked) -> Upload | None:
    headers = asked.request.headers
    length = headers.get("Content-Length", "")
    return await opened(
        asked.request.stream(),
        asked.disposition,
        headers.get("Content-Type", ""),
        int(length) if _NUMBER.fullmatch(length) else None,
        digest_of(headers.get("Content-Digest")),
    )


def _text(header: str | None) -> str | None:
    # Headers are Latin-1 here, whatever was sent.
    return None if header is None else disposition.decoded(header.encode("latin-1"))


async def _sent_in(kept: Kept, record: JobRecord, upload: Upload, *, withdraw: bool) -> JobRecord:
    """Bring a job's file to its site, and have it sent then.

    If that does not come to an end, who has no key cannot send the file again: the job is cancelled at once, so
    that it holds nothing.
    """
    running = kept.service.running
    try:
        await running.prepare(record)
        await kept.service.files.put(record, upload.name, upload.chunks, upload.length, upload.digest)
    except Exception:
        if withdraw:
            with contextlib.suppress(JobError):
                await running.cancel(record)
        raise
    return await running.arrived(record)


@contextlib.contextmanager
def _named_as_here() -> Iterator[None]:
    """Have the fields of what is refused called as they are in the header."""
    try:
        yield
    except Invalid as error:
        fields = {_here(name): said for name, said in error.fields.items()}
        raise Invalid(error.message, fields, error.hint) from error
    except ChoiceRefused as error:
        raise Invalid(error.message, {_here(each.field): each.said for each in error.all}) from error


def _here(field: str) -> str:
    name = field.removeprefix("choices.")
    return payload.FIELDS.get(name, name)
