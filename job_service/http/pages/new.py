"""The pages on which somebody says what they want to send: job types, then datasets, then one form."""

from typing import Annotated

from fastapi import Query, Request, Response

from job_service.http.caller import Caller, Reading, Submitting
from job_service.http.given import A_LIST, Kept, TheKept
from job_service.http.pages import choosing, filling, rendering, sending, written
from job_service.http.pages.filling import REFUSED, Refusal
from job_service.http.pages.forms import FilledPage, FormPage
from job_service.http.pages.route import Fields, router
from job_service.http.v1.jobs import Word
from job_service.sentences.pages import new as say

pages, forms, filled = router(), router(FormPage), router(FilledPage)


@pages.get("/new", dependencies=[A_LIST])
async def new(
    request: Request,
    caller: Submitting,
    kept: TheKept,
    kind: Annotated[Word, Query(alias="type")] = "",
    q: Word = "",
    again: Word = "",
) -> Response:
    """Show what there is to send, or the form of one type; `again` fills it as that job of theirs was.

    Of a type that needs datasets they are chosen first.
    """
    if again:
        record = await kept.service.store.jobs.get(again, caller.name)
        return await filling.form(request, kept, caller, written.fields_of(record))
    if not kind:
        return await _types(request, kept, caller, q)
    query = request.query_params
    fields = {name: query.getlist(name) for name in query if name != "key"}
    if not written.chosen(fields) and await choosing.why_not(kept, caller, fields):
        return await choosing.chooser(request, kept, caller, fields)
    return await filling.form(request, kept, caller, fields)


async def _types(request: Request, kept: Kept, caller: Caller, q: str) -> Response:
    offered = await kept.service.accepting.offered.types(caller.person)
    words = q.lower().split()
    found = [
        each
        for each in offered
        if all(word in f"{each['key']} {each['name']} {each['description']}".lower() for word in words)
    ]
    return rendering.page(request, "types.html", types=found, q=q, count=len(offered))


@forms.post("/new/datasets", dependencies=[A_LIST])
async def datasets(request: Request, caller: Submitting, kept: TheKept, fields: Fields) -> Response:
    """Show which datasets there are, and those that are chosen."""
    return await choosing.chooser(request, kept, caller, fields)


@forms.post("/new/form", dependencies=[A_LIST])
async def with_datasets(request: Request, caller: Submitting, kept: TheKept, fields: Fields) -> Response:
    """Show the form for the datasets that are chosen, if they are as many as the type takes."""
    if message := await choosing.why_not(kept, caller, fields):
        return await choosing.chooser(request, kept, caller, fields, message)
    return await filling.form(request, kept, caller, fields)


@filled.post("/new/filled", dependencies=[A_LIST])
async def again(request: Request, caller: Submitting, kept: TheKept, fields: Fields) -> Response:
    """Show a form that was kept, filled in."""
    return await filling.form(request, kept, caller, fields)


@forms.post("/new/preview", dependencies=[A_LIST])
async def preview(request: Request, caller: Reading, kept: TheKept, fields: Fields) -> Response:
    """Show the same form with what would become of the job: its cost, its start, its script.

    Of its files only the names are sent.
    """
    spec = written.spec(fields, *fields.get(written.FILES, ()))
    try:
        sending.see_files(spec)
        found = await kept.service.accepting.preview(caller.person, spec)
    except REFUSED as error:
        refusal = Refusal.of(error)
        if spec.inputs:
            refusal.fields.setdefault(written.FILES, say.PICK_AGAIN)
        return await filling.form(request, kept, caller, fields, refusal, status=422)
    told = {"found": found, "lines": written.lines(request, spec), "files": spec.inputs}
    return await filling.form(request, kept, caller, fields, told=told)
