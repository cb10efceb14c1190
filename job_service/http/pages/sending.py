"""A form is sent: one job, or what becomes of its datasets; its files go to their system as they come."""

import contextlib
from dataclasses import replace

from fastapi import Request, Response

from job_service.accepting import asked
from job_service.errors import Invalid, JobError, StoreAway, TicketNeeded
from job_service.http.caller import Caller, Submitting
from job_service.http.given import A_JOB, Kept, TheKept
from job_service.http.pages import filling, multipart, rendering, server, written
from job_service.http.pages.filling import REFUSED, Refusal
from job_service.http.pages.forms import FormWithFiles
from job_service.http.pages.multipart import Sent
from job_service.http.pages.route import one, router, seen
from job_service.http.v1.jobs import begun
from job_service.record import JobRecord
from job_service.sentences.pages import new as say
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.values import Group

pages = router(FormWithFiles)


@pages.post("/new", dependencies=[A_JOB])
async def send(request: Request, caller: Submitting, kept: TheKept) -> Response:
    """Send a job, or several; whatever is wrong is said in the form, with all that was typed."""
    sent: Sent = request.state.sent
    spec, key = written.spec(sent.fields, sent.file_name), one(sent.fields, "key") or None
    try:
        if server.is_one(kept, spec.type):
            return await server.started(request, kept, caller, spec, key)
        group = await _sent(kept, caller, sent, spec, key)
    except REFUSED as error:
        await multipart.passed_over(sent)
        refusal = Refusal.of(error)
        if sent.file_name:
            refusal.fields.setdefault("file", say.PICK_AGAIN)
        status = 409 if isinstance(error, TicketNeeded) else 422
        # What is sent next is another request, unless nobody knows what became of this one.
        fields = sent.fields if isinstance(error, StoreAway) else {**sent.fields, "key": []}
        return await filling.form(request, kept, caller, fields, refusal, status=status)
    return _told(request, group, sent)


def see_files(spec: JobSpec) -> None:
    """Raise Invalid if a form has files that it cannot send."""
    if spec.inputs and spec.mode == "each":
        raise Invalid(say.FILES_OF_EACH, {"inputs": say.FILES_OF_EACH})


def _told(request: Request, group: Group, sent: Sent) -> Response:
    """Lead to the job, or to those of one request; of which datasets there is none is said first."""
    first = group.jobs[0]
    path = f"/?group={group.id}" if first.group else f"/jobs/{first.job_id}"
    if not group.errors:
        return seen(request, path)
    typed = {name: value for name, value in written.typed(sent.fields).items() if value and name != "key"}
    count = len(first.spec.datasets) if first.kind == "array" else len(group.jobs)
    return rendering.page(request, "sent.html", path=path, count=count, errors=group.errors, typed=typed)


async def _sent(kept: Kept, caller: Caller, sent: Sent, spec: JobSpec, key: str | None) -> Group:
    """Return what was accepted, whose files are at its system then; if they do not come whole it is cancelled."""
    accepting = kept.service.accepting
    see_files(spec)
    with kept.uploads.one(caller.name):
        if spec.mode == "single":
            record, is_new = await accepting.accept(caller.person, spec, key)
            group = Group(record.job_id, (record,))
        else:
            group, is_new = await accepting.accept_each(caller.person, spec, key)
        if is_new:
            begun(kept, *group.jobs)
        if sent.file_name and group.jobs[0].stage in {Stage.NEW, Stage.STAGINGIN}:
            await _put(kept, group.jobs[0], sent)
        return group


async def _put(kept: Kept, record: JobRecord, sent: Sent) -> None:
    """Put the files of a form into a job's folder; what is lacking is sent by nobody any more."""
    running = kept.service.running
    try:
        await running.prepare(record)
        names: list[str] = []
        async for name, chunks in sent.files:
            _see_name(record, (*names, name))
            await kept.service.files.put(record, name, chunks)
            names.append(name)
        if tuple(names) != record.spec.inputs and record.stage is Stage.NEW:
            record = await kept.service.store.jobs.declare(record, names)
        await running.arrived(record)
    except Exception:
        with contextlib.suppress(JobError):
            await running.cancel(record)
        raise


def _see_name(record: JobRecord, names: tuple[str, ...]) -> None:
    """Raise Invalid for a file that cannot be an input beside those before it."""
    wrong = dict(asked.problems(replace(record.spec, inputs=names)))
    if "inputs" in wrong:
        raise Invalid(wrong["inputs"], {"inputs": wrong["inputs"]})
