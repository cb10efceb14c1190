"""What is another on the page of a new job if its type is interactive: no job comes of it, but a server."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from job_service.http import starting
from job_service.http.caller import Caller
from job_service.http.given import Kept
from job_service.spec import JobSpec


def is_one(kept: Kept, job_type: str) -> bool:
    """Return whether a job type of the catalogue is interactive."""
    entry = kept.service.catalogue.current.jobs.entries.get(job_type)
    return entry is not None and entry.is_interactive


async def started(request: Request, kept: Kept, caller: Caller, spec: JobSpec, key: str | None) -> Response:
    """Start the server, and return what leads a browser to the hub's page that follows it.

    Raises what `starting.start` does.
    """
    found = await starting.start(request, kept, caller, spec, key)
    return RedirectResponse(found.path, 303)
