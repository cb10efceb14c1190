"""What lies in the folder of a job: put there, listed, had, removed."""

import asyncio
import base64
import binascii
import re
from email.utils import format_datetime
from typing import Annotated, Literal
from urllib.parse import quote, unquote_to_bytes

from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from job_service.errors import IsArray, NotFound
from job_service.files.info import FileInfo
from job_service.gateways.files import FilesAnywhere
from job_service.http import answers, models, problems, ranges
from job_service.http.given import A_LIST, OwnJob, OwnJobToChange, TheKept, TheService, TheViews, WhileAnswering
from job_service.http.problems import Problem
from job_service.http.route import UploadRoute
from job_service.http.route import router as made
from job_service.record import JobRecord
from job_service.sentences import http as sentences
from job_service.stages import Stage

router = made("files")
uploads = made("files", UploadRoute)

OFFSET = "Log-Offset"
"""The header that says with which byte of a log an answer begins."""

_BYTES = "application/octet-stream"
_ANY_BYTES = {"schema": {"type": "string", "format": "binary"}}
_DIGEST = re.compile(r"(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_IN_A_NAME = re.compile(r"[^A-Za-z0-9._ -]", re.ASCII)


async def _path(
    request: Request,
    job_id: str,
    path: Annotated[str, Path(description="Its path in the job's folder.", examples=["results/slice-001.txt"])],
) -> str:
    """Return the path of a file, byte by byte as it was sent: not all names are UTF-8."""
    raw: bytes = request.scope.get("raw_path") or b""
    _, found, rest = raw.partition(f"/jobs/{job_id}/files/".encode())
    return unquote_to_bytes(rest).decode(errors="surrogateescape") if found else path


FilePath = Annotated[str, Depends(_path)]


@router.get("/jobs/{job_id}/files", response_model=models.Files, summary="List files", dependencies=[A_LIST])
async def listed(
    request: Request,
    record: OwnJob,
    service: TheService,
    views: TheViews,
    under: Annotated[str, Query(max_length=1000, description="Only what lies in this folder of the job.")] = "",
) -> Response:
    """What lies in the job's folder and in the folders there, but for the service's own `.job`."""
    listing = await service.files.list(with_folder(record), under)
    # Tens of thousands of files take a second, in which others are answered.
    return await asyncio.to_thread(lambda: answers.tagged(request, views.files(record, listing)))


@uploads.put(
    "/jobs/{job_id}/files/{path:path}",
    response_model=models.File,
    status_code=201,
    summary="Put a file",
    openapi_extra={"requestBody": {"required": True, "content": {_BYTES: _ANY_BYTES}}},
)
async def put(
    request: Request,
    record: OwnJobToChange,
    path: FilePath,
    kept: TheKept,
    views: TheViews,
    content_digest: Annotated[
        str | None, Header(description="`sha-256=:BASE64:` of the bytes: what comes is compared with it.")
    ] = None,
) -> Response:
    """The body is the file, streamed to the system as it comes: whole, or not at all. It replaces an older one.

    A job that waits for its inputs is sent once the last one has come. Limits: what the system takes (413), the
    space there (507), ten uploads of a person at once (429), a minute without a byte (408).
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise Problem(415, "unsupported", sentences.NOT_ENCODED.format(encoding=_IN_A_NAME.sub("?", encoding)))
    digest = digest_of(content_digest)
    length = request.headers.get("Content-Length", "")
    with kept.uploads.one(record.owner):
        await kept.service.running.prepare(with_folder(record))
        info = await kept.service.files.put(
            record,
            path,
            request.stream(),
            int(length) if _NUMBER.fullmatch(length) else None,
            digest,
        )
    await kept.service.running.arrived(record)
    file = views.file(record, info)
    return answers.of(file, 201, ETag=file.etag, Location=file.href)


@router.get(
    "/jobs/{job_id}/files/{path:path}",
    response_class=StreamingResponse,
    summary="Get a file",
    responses={
        200: {"content": {_BYTES: _ANY_BYTES}, "description": "The file"},
        206: {"content": {_BYTES: _ANY_BYTES}, "description": "The bytes that `Range` asks for"},
        304: {"description": "It has not changed"},
    },
)
async def get(
    request: Request,
    record: OwnJob,
    path: FilePath,
    kept: TheKept,
    stack: WhileAnswering,
    range: Annotated[str | None, Header(description="One range of bytes, such as `bytes=0-999`.")] = None,  # noqa: A002
) -> Response:
    """Its bytes, as an attachment. `Range`, `If-Range`, `ETag`, `If-None-Match` mean what they do everywhere."""
    stack.enter_context(kept.transfers.one(record.owner))
    files, there = kept.service.files, with_folder(record)
    wanted = ranges.asked(range)
    if wanted and not await _is_the_same(files, there, path, request.headers.get("If-Range")):
        wanted = None
    of = wanted or ranges.Range()
    info, chunks = await stack.enter_async_context(files.get(there, path, of.start, of.length))
    headers = _headers(info)
    if answers.is_known(request, info.etag):
        return Response(status_code=304, headers=headers)
    if wanted is None:
        headers["Content-Length"] = str(info.size)
        return StreamingResponse(chunks, 200, headers, _BYTES)
    if (part := wanted.within(info.size)) is None:
        detail = sentences.NOT_IN_RANGE.format(size=info.size)
        raise Problem(416, "out_of_range", detail, headers={"Content-Range": f"bytes */{info.size}"})
    first, length = part
    headers["Content-Length"] = str(length)
    headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{info.size}"
    return StreamingResponse(chunks, 206, headers, _BYTES)


@router.delete("/jobs/{job_id}/files/{path:path}", status_code=204, summary="Remove a file")
async def delete(record: OwnJobToChange, path: FilePath, service: TheService) -> Response:
    """A file, a link, or a folder with all that is in it."""
    await service.files.delete(with_folder(record), path)
    return Response(status_code=204)


@router.get(
    "/jobs/{job_id}/log",
    response_class=StreamingResponse,
    summary="What a job printed",
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "The text",
            "headers": {OFFSET: {"schema": {"type": "integer"}, "description": "Of which byte on it is the text"}},
        }
    },
)
async def log(
    record: OwnJob,
    kept: TheKept,
    stack: WhileAnswering,
    stream: Annotated[Literal["stdout", "stderr"], Query(description="Which of the two.")] = "stdout",
    tail: Annotated[int | None, Query(ge=0, le=1_000_000, description="Only so many last lines.")] = None,
    follow: Annotated[bool, Query(description="Whether to go on with what it prints, until it is over.")] = False,
    offset: Annotated[
        int | None,
        Query(ge=0, le=1 << 62, description="Only what is behind so many bytes; then `tail` is nothing."),
    ] = None,
    wait: Annotated[
        int | None, Query(ge=1, le=3600, description="With `follow`: for how many seconds at most.")
    ] = None,
) -> Response:
    """Empty if it has printed nothing; of an array only the tasks have logs (409). `Log-Offset` is how many bytes
    are before the first one of the answer.

    Whoever lost an answer that they followed asks on with `offset`: the sum of that number and the bytes that
    came. If the log is shorter, the job has begun it anew, and it comes from its begin. An answer that is followed
    may end before the job does, as when the service is restarted; what was asked for when the job was over is all.
    """
    stack.enter_context(kept.transfers.one(record.owner))
    there = with_folder(record)
    if record.kind == "array":
        raise IsArray(
            sentences.is_array(len(record.spec.datasets)), sentences.IS_ARRAY_HINT.format(job_id=record.job_id)
        )
    over = None
    if follow and not record.stage.is_over:
        jobs = kept.service.store.jobs
        watched = kept.news.over(record.job_id, lambda: jobs.get(record.job_id, record.owner), wait)
        over = await stack.enter_async_context(watched)
    printed = kept.service.files.log(there, stream, tail, over, offset)
    begins, chunks = await stack.enter_async_context(printed)
    return StreamingResponse(chunks, 200, {OFFSET: str(begins)}, "text/plain; charset=utf-8")


@router.get(
    "/jobs/{job_id}/archive.tar",
    response_class=StreamingResponse,
    summary="Get all files",
    responses={200: {"content": {"application/x-tar": _ANY_BYTES}, "description": "The job's folder"}},
)
async def archive(record: OwnJob, kept: TheKept, stack: WhileAnswering) -> Response:
    """The job's folder as a tar file, made while it is sent. One that breaks off is not whole."""
    stack.enter_context(kept.transfers.one(record.owner))
    chunks = await stack.enter_async_context(kept.service.files.archive(with_folder(record)))
    return StreamingResponse(chunks, 200, _attached(f"{record.job_id}.tar"), "application/x-tar")


def with_folder(record: JobRecord) -> JobRecord:
    """Return a job whose folder has not been removed.  Raises NotFound."""
    if record.stage is Stage.DELETED or record.removed:
        raise NotFound(sentences.REMOVED)
    return record


def digest_of(header: str | None) -> bytes | None:
    """Return the SHA-256 that a Content-Digest says, None for no header.  Raises a Problem for one without it."""
    if header is None:
        return None
    if not (found := _DIGEST.search(header)):
        raise problems.malformed(sentences.NO_DIGEST)
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise problems.malformed(sentences.NO_DIGEST) from error


async def _is_the_same(files: FilesAnywhere, record: JobRecord, path: str, etag: str | None) -> bool:
    """Return whether a file still is what a part of it is wanted of; dates do not tell."""
    if etag is None:
        return True
    async with files.get(record, path) as (info, _):
        return info.etag == etag.strip()


def _headers(info: FileInfo) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "ETag": info.etag,
        "Last-Modified": format_datetime(info.modified, usegmt=True),
        **_attached(info.name.rpartition("/")[2]),
    }


def _attached(name: str) -> dict[str, str]:
    """Return the header by which nothing that somebody's program wrote is shown as a page."""
    plain, whole = _IN_A_NAME.sub("_", name), quote(name, safe="")
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"}
