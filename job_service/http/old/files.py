"""The old paths to the files of a job."""

import asyncio
from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from job_service.files.info import Listing
from job_service.http.caller import Reading
from job_service.http.given import A_LIST, TheKept, TheService, WhileAnswering
from job_service.http.old import named
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldFile
from job_service.http.route import router as made
from job_service.http.v1 import files as v1
from job_service.http.v1.jobs import Word
from job_service.record import JobRecord

router = made(TAG)

_FILES = TypeAdapter(list[OldFile])
_BEFORE = b"/api/files/"
_PLACE = "/files/{hpc}/{project}/{job_id}/"


async def _job(caller: Reading, service: TheService, hpc: Word, project: Word, job_id: Word) -> JobRecord:
    return await named.job(service, hpc, project, job_id, caller.name)


OwnJob = Annotated[JobRecord, Depends(_job)]


async def _path(
    request: Request,
    fileid: Annotated[str, Path(description="`fileid` of a list, as it is.", examples=["stdout"])],
) -> str:
    """Return the path of a file, byte by byte as it was sent: not all names are UTF-8."""
    raw: bytes = request.scope.get("raw_path") or b""
    # System, project and job come before it; the slash at the end is not its own.
    parts = raw.partition(_BEFORE)[2].split(b"/", 3)
    if len(parts) < 4:
        return fileid
    return unquote_to_bytes(parts[3].removesuffix(b"/")).decode(errors="surrogateescape")


FilePath = Annotated[str, Depends(_path)]


@router.get(_PLACE, response_model=list[OldFile], summary="Files of a job", dependencies=[A_LIST])
async def listed(record: OwnJob, service: TheService) -> Response:
    """List the files of one of your jobs.  `X-Truncated: true` says that there are more than can be listed."""
    listing = await service.files.list(v1.with_folder(record))
    headers = {"X-Truncated": "true"} if listing.is_cut else {}
    # Tens of thousands of files take a second, in which others are answered.
    body = await asyncio.to_thread(_shown, listing)
    return Response(body, 200, headers, "application/json")


def _shown(listing: Listing) -> bytes:
    return _FILES.dump_json([OldFile.of(each) for each in listing.items if each.kind == "file"])


@router.get(_PLACE + "{fileid:path}/", response_class=StreamingResponse, summary="A file of a job")
async def get(
    request: Request,
    record: OwnJob,
    fileid: FilePath,
    kept: TheKept,
    stack: WhileAnswering,
    range: Annotated[str | None, Header(description="One range of bytes, such as `bytes=0-999`.")] = None,  # noqa: A002
) -> Response:
    """Give the bytes of a file of one of your jobs, as an attachment."""
    return await v1.get(request, record, fileid, kept, stack, range)
