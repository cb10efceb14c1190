"""The pages on which somebody sends a job: what there is, then one form."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response

from job_service.errors import Invalid, JobError, TicketNeeded
from job_service.http import cookies
from job_service.http.caller import Caller, Reading, Submitting
from job_service.http.given import A_JOB, A_LIST, Kept, TheKept
from job_service.http.pages import multipart, rendering, written
from job_service.http.pages.multipart import Sent
from job_service.http.pages.route import Fields, Page, one, router, seen
from job_service.http.route import bounded
from job_service.http.v1.jobs import Word
from job_service.record import JobRecord
from job_service.sentences import accepting as refusals
from job_service.sentences import pages as say
from job_service.stages import Stage
from kerberos_auth.errors import AuthFailed
from profiles.errors import ChoiceRefused
from profiles.form import page
from profiles.offer.offer import Offer, runs_as
from slurm_ssh.errors import LaunchError

_OURS = ("title", "command", "project", "file", "arguments")
"""Fields of a job that the catalogue's form does not have."""

_REST_MOST = 16 * 1024 * 1024
_REFUSED = (JobError, ChoiceRefused, LaunchError, AuthFailed)


class FormWithFile(Page):
    """A page that takes a form whose last field may be a file, of any length."""

    async def sent(self, request: Request, token: str) -> Request:
        """Return a request whose fields have been read, if the form is one of ours; the file is still to come."""
        request = bounded(request, None)
        sent = await multipart.opened(request.stream(), request.headers.get("Content-Type", ""))
        cookies.check(request, token, sent.fields.get(cookies.XSRF_FIELD, [""])[0])
        request.state.fields, request.state.sent = sent.fields, sent
        return request


pages, sending = router(), router(FormWithFile)


@dataclass(frozen=True)
class Refusal:
    """Why a form is shown again: `fields` are sentences by the names of fields, `message` is of no field."""

    fields: dict[str, str]
    message: str = ""
    hint: str = ""

    @classmethod
    def of(cls, error: Exception) -> "Refusal":
        """Return what an error says of a form."""
        if isinstance(error, Invalid):
            return cls({_named(name): said for name, said in error.fields.items()})
        if isinstance(error, ChoiceRefused):
            return cls({each.field: each.said for each in error.all})
        message = getattr(error, "message", "") or str(error)
        return cls({}, message, getattr(error, "hint", ""))


def _named(field: str) -> str:
    name = field.removeprefix("choices.")
    return {"system": "site", "inputs": "file"}.get(name, name)


@pages.get("/new", dependencies=[A_LIST])
async def new(
    request: Request,
    caller: Submitting,
    kept: TheKept,
    kind: Annotated[Word, Query(alias="type")] = "",
    q: Word = "",
    again: Word = "",
) -> Response:
    """Show what there is to send, or the form of one type; `again` fills it as that job of theirs was."""
    if again:
        record = await kept.service.store.jobs.get(again, caller.name)
        return await _form(request, kept, caller, record.type, written.of(record))
    if kind:
        typed = {name: value for name, value in request.query_params.items() if name != cookies.XSRF_FIELD}
        return await _form(request, kept, caller, kind, {**typed, "key": ""})
    return await _types(request, kept, caller, q)


async def _types(request: Request, kept: Kept, caller: Caller, q: str) -> Response:
    offered = await kept.service.accepting.offered.types(caller.person)
    words = q.lower().split()
    found = [
        each
        for each in offered
        if all(word in f"{each['key']} {each['name']} {each['description']}".lower() for word in words)
    ]
    return rendering.page(request, "types.html", types=found, q=q, count=len(offered))


@pages.post("/new/preview", dependencies=[A_LIST])
async def preview(request: Request, caller: Reading, kept: TheKept, fields: Fields) -> Response:
    """Show the same form with what would become of the job: its cost, its start, its script."""
    spec = written.spec(fields)
    typed = written.typed(fields)
    try:
        found = await kept.service.accepting.preview(caller.person, spec)
    except _REFUSED as error:
        return await _form(request, kept, caller, spec.type, typed, Refusal.of(error), status=422)
    told = {"found": found, "lines": written.lines(request, spec)}
    return await _form(request, kept, caller, spec.type, typed, told=told)


@sending.post("/new", dependencies=[A_JOB])
async def send(request: Request, caller: Submitting, kept: TheKept) -> Response:
    """Send a job; whatever is wrong with it is said in its form, with all that was typed."""
    sent: Sent = request.state.sent
    spec = written.spec(sent.fields, sent.file_name)
    key = one(sent.fields, "key") or None
    try:
        record = await _sent(kept, caller, sent, spec, key)
    except _REFUSED as error:
        async for _ in _rest(sent.chunks):
            pass
        refusal = Refusal.of(error)
        if sent.file_name:
            refusal.fields.setdefault("file", say.PICK_AGAIN)
        status = 409 if isinstance(error, TicketNeeded) else 422
        return await _form(request, kept, caller, spec.type, written.typed(sent.fields), refusal, status=status)
    return seen(request, f"/jobs/{record.job_id}")


async def _sent(kept: Kept, caller: Caller, sent: Sent, spec: Any, key: str | None) -> JobRecord:
    """Return the job, whose file is at its system then; one whose file does not come whole is cancelled."""
    running = kept.service.running
    with kept.uploads.one(caller.name):
        record, is_new = await kept.service.accepting.accept(caller.person, spec, key)
        if is_new:
            running.wake(record)
            kept.news.tell(record)
        if not sent.file_name or record.stage not in {Stage.NEW, Stage.STAGINGIN}:
            return record
        try:
            await running.prepare(record)
            await kept.service.files.put(record, sent.file_name, sent.chunks)
        except Exception:
            with contextlib.suppress(JobError):
                await running.cancel(record)
            raise
        return await running.arrived(record)


async def _rest(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Take what still comes, within limits: browsers look at an answer when they have sent everything."""
    size = 0
    with contextlib.suppress(Exception):
        async for chunk in chunks:
            size += len(chunk)
            if size > _REST_MOST:
                return
            yield chunk


def _is_for(offer: Offer, kind: str, project: dict[str, Any]) -> bool:
    """Return whether jobs of a type can count against a project."""
    site = project["system"]
    return site in offer.sites(kind) and runs_as(offer.menu.offering(kind, site)) == project["identity"]


async def _form(
    request: Request,
    kept: Kept,
    caller: Caller,
    kind: str,
    typed: dict[str, str],
    refusal: Refusal | None = None,
    *,
    told: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    accepting = kept.service.accepting
    offer = await accepting.offered.offer(caller.person)
    if kind not in offer.entries():
        raise Invalid(refusals.NO_JOB_TYPE.format(type=written.harmless(kind)), {})
    entry = kept.service.catalogue.current.jobs.entries[kind]
    values = {**typed, "site": typed.get("site") or typed.get("system", "")}
    wrong = dict(refusal.fields) if refusal else {}
    refused = [ChoiceRefused(name, said) for name, said in wrong.items()]
    first = ChoiceRefused(refused[0].field, refused[0].said, refused[1:]) if refused else None
    fields = page.of_entry(offer, kind, values, first, _OURS)
    projects = await accepting.offered.projects(caller.person)
    titles = {key: site.title for key, site in offer.menu.sites.items()}
    return rendering.page(
        request,
        "new.html",
        status,
        type=kind,
        name=entry.name,
        description=entry.description,
        takes_line=entry.command is not None,
        fields=fields,
        closed=page.closed(offer, kind),
        projects=[each for each in projects if _is_for(offer, kind, each)],
        served=[titles[key] for key in offer.sites(kind) if runs_as(offer.menu.offering(kind, key)) == "service"],
        titles=titles,
        typed=values,
        wrong=wrong,
        refusal=refusal,
        told=told,
        key=values.get("key") or secrets.token_urlsafe(16),
    )
