"""A stand-in for a UNICORE server: as much of its REST API "core" as sending, following and ending jobs needs.

Jobs are kept in memory: those of a stand-in that ends are killed and forgotten.
"""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from lab.gateways import access, faults, folders
from lab.gateways.programs import Runner
from lab.gateways.settings import UnicoreSettings
from lab.gateways.unicore_jobs import Description, Job, Status, moment
from lab.gateways.unicore_storage import Storage

Handler = Callable[[Request, str], Awaitable[Response]]

SESSION = "X-UNICORE-SecuritySession"
_SESSION_OVER = 432
_LONGEST_DESCRIPTION_BYTES = 1 << 20
_PAGE = 200


@dataclass
class Unicore:
    """The server: its jobs, and who has a session with it."""

    settings: UnicoreSettings
    jobs: dict[str, Job] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Accounts by session."""

    def __post_init__(self) -> None:
        self._runner = Runner(self.settings.slots)
        self._storage = Storage(self.settings, self._job)
        self._root = f"/{self.settings.site}/rest/core"

    def app(self) -> Starlette:
        """Return it as an ASGI application."""
        routes = [
            self._route("", ["GET"], self._base),
            self._route("/jobs", ["GET"], self._list),
            self._route("/jobs", ["POST"], self._submit),
            self._route("/jobs/{id}", ["GET"], self._show),
            self._route("/jobs/{id}", ["DELETE"], self._destroy),
            self._route("/jobs/{id}/details", ["GET"], self._details),
            self._route("/jobs/{id}/actions/{action}", ["POST"], self._act),
            self._route("/storages/{id}", ["GET"], self._storage.show),
            self._route("/storages/{id}/actions/rename", ["POST"], self._storage.rename),
            self._route("/storages/{id}/files", ["GET"], self._storage.get),
            self._route("/storages/{id}/files/{path:path}", ["GET"], self._storage.get),
            self._route("/storages/{id}/files/{path:path}", ["PUT"], self._storage.put),
            self._route("/storages/{id}/files/{path:path}", ["POST"], self._storage.make_folder),
            self._route("/storages/{id}/files/{path:path}", ["DELETE"], self._storage.delete),
        ]
        handlers = {HTTPException: _problem}
        return Starlette(routes=routes, exception_handlers=handlers, lifespan=self._until_all_are_killed)

    def is_submission(self, scope: Scope) -> bool:
        """Whether a request makes a job, or has one begin."""
        path = scope["path"].rstrip("/")
        is_one = path == f"{self._root}/jobs" or path.endswith("/actions/start")
        return bool(scope["method"] == "POST" and is_one)

    @asynccontextmanager
    async def _until_all_are_killed(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        for job in self.jobs.values():
            await job.abort()

    def _route(self, path: str, methods: list[str], handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            account = self._account(request)
            response = await handler(request, account)
            response.headers.update(self._session_of(request, account))
            return response

        return Route(self._root + path, endpoint, methods=methods)

    def _account(self, request: Request) -> str:
        session = request.headers.get(SESSION)
        if session is not None:
            is_over = faults.read(self.settings.folder).is_session_over
            if is_over or session not in self.sessions:
                raise HTTPException(_SESSION_OVER, "Security session not found or expired.")
            return self.sessions[session]
        account = access.account(request, self.settings.accounts)
        if account is None:
            raise HTTPException(401, "Authentication failed.")
        return account

    def _session_of(self, request: Request, account: str) -> dict[str, str]:
        session = request.headers.get(SESSION)
        if session is None:
            session = secrets.token_hex(16)
            self.sessions[session] = account
        return {SESSION: session, f"{SESSION}-Lifetime": "300000"}

    def _url(self, request: Request, path: str) -> str:
        return str(request.base_url).rstrip("/") + self._root + path

    def _job(self, request: Request, account: str, suffix: str = "") -> Job:
        job = self.jobs.get(request.path_params["id"].removesuffix(suffix))
        if job is None or not request.path_params["id"].endswith(suffix):
            raise HTTPException(404, "No such resource.")
        if job.owner != account:
            raise HTTPException(403, "Access denied.")
        return job

    async def _base(self, request: Request, account: str) -> Response:
        role = {"selected": "user", "availableRoles": ["user"]}
        client = {"dn": f"CN={account}", "role": role, "xlogin": {"UID": account, "availableUIDs": [account]}}
        links = {"self": {"href": self._url(request, "")}, "jobs": {"href": self._url(request, "/jobs")}}
        return JSONResponse({"client": client, "server": {"version": "10.1.0"}, "_links": links})

    async def _list(self, request: Request, account: str) -> Response:
        asked = request.query_params
        offset, most = _number(asked.get("offset", "0")), _number(asked.get("num", str(_PAGE)))
        tags = {tag for tag in asked.get("tags", "").strip('"').split(",") if tag}
        own = [job for job in self.jobs.values() if job.owner == account and tags <= set(job.tags)]
        own.sort(key=lambda job: job.submitted, reverse=True)
        links = {"self": {"href": str(request.url)}}
        if len(own) > offset + most:
            following = request.url.include_query_params(offset=offset + most, num=most)
            links["next"] = {"href": str(following)}
        urls = [self._url(request, f"/jobs/{job.id}") for job in own[offset : offset + most]]
        return JSONResponse({"jobs": urls, "_links": links})

    async def _submit(self, request: Request, account: str) -> Response:
        body = await _read(request, _LONGEST_DESCRIPTION_BYTES)
        try:
            description = Description.model_validate_json(body)
        except ValidationError as error:
            raise _not_submitted(error.errors()[0]["msg"]) from error
        job_id = str(uuid.uuid4())
        folder = self.settings.folder / job_id
        for name in (description.stdin, description.stdout, description.stderr):
            _within(folder, name)
        folder.mkdir(mode=0o700)
        job = Job(job_id, account, description, folder, tags=list(description.tags))
        self.jobs[job_id] = job
        if not description.waits_for_files:
            job.start(self._runner, self.settings)
        return Response(status_code=201, headers={"Location": self._url(request, f"/jobs/{job_id}")})

    async def _show(self, request: Request, account: str) -> Response:
        job = self._job(request, account)
        url = self._url(request, f"/jobs/{job.id}")
        links = {
            "self": url,
            "workingDirectory": self._url(request, f"/storages/{job.id}-uspace"),
            "details": f"{url}/details",
            **{f"action:{action}": f"{url}/actions/{action}" for action in ("start", "abort", "restart")},
        }
        shown = {
            "status": job.status,
            "statusMessage": job.message,
            "name": job.description.name,
            "queue": job.description.resources.queue,
            "batchSystemID": job.id[:8] if job.status is not Status.READY else "N/A",
            "submissionTime": moment(job.submitted),
            "owner": f"CN={account}",
            "tags": job.tags,
            "log": job.log,
            **({} if job.exit_code is None else {"exitCode": str(job.exit_code)}),
            "_links": {name: {"href": href} for name, href in links.items()},
        }
        fields = [name for name in request.query_params.get("fields", "").split(",") if name]
        return JSONResponse({name: shown[name] for name in fields or shown if name in shown})

    async def _details(self, request: Request, account: str) -> Response:
        return JSONResponse({"JobId": self._job(request, account).id[:8]})

    async def _act(self, request: Request, account: str) -> Response:
        job = self._job(request, account)
        action = request.path_params["action"]
        if action == "start":
            job.start(self._runner, self.settings)
        elif action == "abort":
            await job.abort()
        else:
            raise HTTPException(404, "No such action here.")
        return JSONResponse({})

    async def _destroy(self, request: Request, account: str) -> Response:
        job = self._job(request, account)
        await job.abort()
        del self.jobs[job.id]
        folders.remove(job.folder)
        return Response(status_code=204)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise HTTPException(400, "Not a number.")
    return int(text)


def _within(folder: Path, name: str) -> None:
    try:
        folders.within(folder, name)
    except folders.NotWithinError as error:
        raise _not_submitted("Not a name in the working directory.") from error


def _not_submitted(why: str) -> HTTPException:
    """Return the refusal of a job: the published server has one status for this and for its own mistakes."""
    return HTTPException(500, f"Could not submit job: {why}")


async def _read(request: Request, most_bytes: int) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, "Too long.")
    return body


def _problem(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Server error."
    headers = {"WWW-Authenticate": 'Basic realm="UNICORE"'} if status == 401 else {}
    return JSONResponse({"status": status, "errorMessage": detail}, status, headers)
