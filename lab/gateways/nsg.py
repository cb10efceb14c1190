"""A stand-in for NSG, the Neuroscience Gateway: as much of the CIPRES REST API as jobs need.

Jobs are kept in memory: those of a stand-in that ends are killed and forgotten.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from lab.gateways import access, folders, nsg_answers, nsg_xml
from lab.gateways.nsg_jobs import Form, Job
from lab.gateways.nsg_xml import Node
from lab.gateways.programs import Runner
from lab.gateways.settings import Application, NsgSettings

_LONGEST_HEADER = 200
_FORM_BYTES = 1 << 20

AUTHORIZATION, AUTHENTICATION, NOT_FOUND, FORM_VALIDATION, USER_MISMATCH, BAD_REQUEST = 1, 2, 4, 5, 6, 7
USAGE_LIMIT = 103


class RefusedError(Exception):
    """Why a request is refused: the HTTP status, NSG's own code, and parameters that are wrong."""

    def __init__(self, status: int, code: int, message: str, params: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.params = status, code, params or []


@dataclass(frozen=True)
class Asker:
    """For whom a request is: the name in the addresses, and the application's key."""

    user: str
    key: str
    application: Application


Handler = Callable[[Request, Asker], Awaitable[Response]]


@dataclass
class Nsg:
    """The gateway: its jobs by their handles."""

    settings: NsgSettings
    jobs: dict[str, Job] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._runner = Runner(self.settings.slots)

    def app(self) -> Starlette:
        """Return it as an ASGI application."""
        of_user, of_job = "/job/{user}", "/job/{user}/{handle}"
        routes = [
            *self._routes("/job", "GET", self._statuses),
            *self._routes(of_user, "GET", self._list),
            *self._routes(of_user, "POST", self._submit),
            *self._routes(f"{of_user}/validate", "POST", self._validate),
            *self._routes(of_job, "GET", self._status),
            *self._routes(of_job, "DELETE", self._delete),
            *self._routes(f"{of_job}/output", "GET", self._results),
            *self._routes(f"{of_job}/output/{{document:int}}", "GET", self._result),
            *self._routes(f"{of_job}/workingdir", "GET", self._working_files),
            *self._routes(f"{of_job}/workingdir/{{name}}", "GET", self._working_file),
        ]
        handlers = {RefusedError: _refusal}
        return Starlette(routes=routes, exception_handlers=handlers, lifespan=self._until_all_are_killed)

    @staticmethod
    def is_submission(scope: Scope) -> bool:
        """Whether a request makes a job."""
        path = scope["path"].rstrip("/").removeprefix(f"{nsg_answers.ROOT}/job/")
        return scope["method"] == "POST" and "/" not in path

    @asynccontextmanager
    async def _until_all_are_killed(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        for job in self.jobs.values():
            await job.cancel()

    def _routes(self, path: str, method: str, handler: Handler) -> list[Route]:
        async def endpoint(request: Request) -> Response:
            return await handler(request, self._asker(request))

        # Clients ask with and without a slash at the end.
        return [Route(nsg_answers.ROOT + path + end, endpoint, methods=[method]) for end in ("", "/")]

    def _asker(self, request: Request) -> Asker:
        account = access.account(request, self.settings.accounts)
        if account is None:
            raise _unknown("Invalid username or password")
        key = _header(request, "cipres-appkey")
        application = self.settings.applications.get(key)
        if application is None:
            raise _unknown("Application key not found." if key else "Custom cipres request headers are required.")
        user = account
        if application.is_umbrella:
            user = self._end_user(request, account, application)
        if request.path_params.get("user", user) != user:
            raise RefusedError(403, AUTHORIZATION, "The user in the URL is not the one who asks.")
        return Asker(user, key, application)

    @staticmethod
    def _end_user(request: Request, account: str, application: Application) -> str:
        if account != application.owner:
            raise _unknown("Wrong basic auth credentials for specified application.")
        # All jobs of an application are asked about at once without saying for whom.
        if "user" not in request.path_params:
            return account
        end_user, mail = _header(request, "cipres-eu"), _header(request, "cipres-eu-email")
        if not end_user or not mail:
            raise _unknown("Missing end user request header(s).")
        return f"{application.name}.{end_user}"

    def _job(self, request: Request, asker: Asker) -> Job:
        return self._owned(request.path_params["handle"], asker)

    def _owned(self, handle: str, asker: Asker, *, of_any_user: bool = False) -> Job:
        job = self.jobs.get(handle)
        if job is None:
            raise RefusedError(404, NOT_FOUND, "Job not found.")
        if job.application != asker.key or not (of_any_user or job.user == asker.user):
            raise RefusedError(
                404, USER_MISMATCH, "The authenticated user, or the application, does not own the job."
            )
        return job

    def _shown(self, request: Request, job: Job) -> Node:
        return nsg_answers.status(request, job, self.settings.poll_seconds)

    async def _statuses(self, request: Request, asker: Asker) -> Response:
        of_any = asker.application.is_umbrella
        jobs = [self._owned(handle, asker, of_any_user=of_any) for handle in request.query_params.getlist("jh")]
        return _xml(nsg_answers.listed("Status", [self._shown(request, job) for job in jobs]))

    async def _list(self, request: Request, asker: Asker) -> Response:
        own = [job for job in self.jobs.values() if (job.user, job.application) == (asker.user, asker.key)]
        is_full = request.query_params.get("expand") == "true"
        shown = [
            self._shown(request, job) if is_full else ("jobstatus", [nsg_answers.uri(request, job)]) for job in own
        ]
        return _xml(nsg_answers.listed("Submitted Jobs", shown))

    async def _validate(self, request: Request, _asker: Asker) -> Response:
        async with self._sent(request) as sent:
            form = self._checked(sent)
        return _xml(("jobstatus", [("commandline", " ".join(form.command(self.settings)))]))

    async def _submit(self, request: Request, asker: Asker) -> Response:
        own = [job for job in self.jobs.values() if job.user == asker.user and not job.is_over]
        if len(own) >= self.settings.jobs_at_once:
            raise RefusedError(429, USAGE_LIMIT, "Too many active jobs.")
        async with self._sent(request) as sent:
            form = self._checked(sent)
            handle = f"NGBW-JOB-{form.tool}-{uuid.uuid4().hex.upper()}"
            job = Job(handle, asker.user, asker.key, form, self.settings.folder / handle)
            job.work.mkdir(parents=True, mode=0o700)
            await _save(sent, job.folder / "infile_", self.settings.file_bytes)
        self.jobs[handle] = job
        job.start(self._runner, self.settings)
        return _xml(self._shown(request, job))

    def _sent(self, request: Request) -> AbstractAsyncContextManager[FormData]:
        """Return the form that comes with a request."""
        bounded = Request(request.scope, _bounded(request, self.settings.file_bytes + _FORM_BYTES))
        return bounded.form(max_part_size=_FORM_BYTES)

    def _checked(self, sent: FormData) -> Form:
        texts = {name: value for name, value in sent.items() if isinstance(value, str)}
        params = {name[len("vparam.") :]: value for name, value in texts.items() if name.startswith("vparam.")}
        about = {name[len("metadata.") :]: value for name, value in texts.items() if name.startswith("metadata.")}
        form = Form(texts.get("tool", ""), params, about, has_file="input.infile_" in sent)
        stray = [name for name in sent if name not in {"tool", "input.infile_"} and "." not in name]
        wrong = [(name, "Unknown parameter.") for name in stray] + form.mistakes(self.settings)
        if wrong:
            raise RefusedError(400, FORM_VALIDATION, "Form validation error.", wrong)
        return form

    async def _status(self, request: Request, asker: Asker) -> Response:
        return _xml(self._shown(request, self._job(request, asker)))

    async def _delete(self, request: Request, asker: Asker) -> Response:
        job = self._job(request, asker)
        await job.cancel()
        self.jobs.pop(job.handle, None)
        folders.remove(job.folder)
        return Response(status_code=204)

    async def _results(self, request: Request, asker: Asker) -> Response:
        job = self._job(request, asker)
        files = [nsg_answers.file(request, job, path, "output", number) for number, path in job.results().items()]
        return _xml(("results", [("jobfiles", files)]))

    async def _result(self, request: Request, asker: Asker) -> Response:
        path = self._job(request, asker).results().get(request.path_params["document"])
        if path is None:
            raise RefusedError(404, NOT_FOUND, "Document Not Found Error.")
        return FileResponse(path, media_type="text/plain", filename=path.name)

    async def _working_files(self, request: Request, asker: Asker) -> Response:
        job = self._job(request, asker)
        files = [nsg_answers.file(request, job, path, "workingdir", 0) for path in _in_work(job)]
        return _xml(("workingdir", [("jobfiles", files)]))

    async def _working_file(self, request: Request, asker: Asker) -> Response:
        job = self._job(request, asker)
        found = {path.name: path for path in _in_work(job)}
        path = found.get(request.path_params["name"])
        if path is None:
            raise RefusedError(404, NOT_FOUND, "File not found in job's working directory.")
        return FileResponse(path, media_type="text/plain", filename=path.name)


def _header(request: Request, name: str) -> str:
    value = request.headers.get(name, "").strip()
    if len(value) > _LONGEST_HEADER:
        raise _unknown(f"Header too long. Maximum length is {_LONGEST_HEADER}")
    return value


def _unknown(message: str) -> RefusedError:
    return RefusedError(401, AUTHENTICATION, message)


def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101
    headers = {"WWW-Authenticate": 'Basic realm="Cipres Authentication"'} if error.status == 401 else {}
    body = nsg_xml.error(str(error), error.code, error.params)
    return Response(body, error.status, headers, media_type="application/xml")


def _xml(node: Node) -> Response:
    return Response(nsg_xml.document(node), media_type="application/xml")


def _bounded(request: Request, most_bytes: int) -> Callable[[], Awaitable[Message]]:
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise RefusedError(413, BAD_REQUEST, "Too long.")
        return message

    return receive


async def _save(sent: FormData, target: Path, most_bytes: int) -> None:
    """Write the file of a form, which may also be a plain field, into the folder of a job to be."""
    infile = sent["input.infile_"]

    async def chunks() -> AsyncIterator[bytes]:
        if isinstance(infile, UploadFile):
            while chunk := await infile.read(1 << 16):
                yield chunk
        else:
            yield infile.encode()

    try:
        await folders.receive(target, chunks(), most_bytes)
    except folders.TooMuchError as error:
        folders.remove(target.parent)
        raise RefusedError(413, BAD_REQUEST, "Too long.") from error


def _in_work(job: Job) -> list[Path]:
    """Return the files that can be had: none by a link, and none whose name is not fit to be read."""
    files = [path for path in sorted(job.work.glob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in files if path.name.isprintable()]
