"""The style sheet and the scripts of the pages: the same for everybody."""

from importlib.resources import files
from typing import Literal

from fastapi import Response
from fastapi.routing import APIRoute

from job_service.http.pages.route import router as made

router = made(APIRoute)

_FOLDER = files("job_service.http.pages").joinpath("static")
_HEADERS = {"Cache-Control": "public, max-age=600", "Content-Security-Policy": "default-src 'none'"}


@router.get("/static/jobs.css")
async def style() -> Response:
    """Return what our pages look like, on top of the hub's."""
    return Response(_FOLDER.joinpath("jobs.css").read_bytes(), 200, _HEADERS, "text/css")


@router.get("/static/{name}.js")
async def script(name: Literal["jobs", "new"]) -> Response:
    """Return what makes pages live, or has a form follow the picked cluster."""
    return Response(_FOLDER.joinpath(f"{name}.js").read_bytes(), 200, _HEADERS, "text/javascript")
