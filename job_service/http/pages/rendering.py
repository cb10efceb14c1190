"""Pages made of templates: what is alike in all of them, and the headers by which they stay ours alone."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

import languages
from job_service.accepting.preview import Preview
from job_service.http import cookies
from job_service.http.models import Job
from job_service.http.problems import Problem
from job_service.sentences import accepting as of_accepting
from job_service.sentences import files as of_files
from job_service.sentences import http as of_requests
from job_service.sentences import running as of_running
from job_service.sentences import store as of_store
from job_service.sentences.pages import admin, datasets, frame, job, jobs, login, new, projects
from languages.again import Again
from profiles.form import markdown
from profiles.sentences import labels, refusals
from slurm_ssh import sentences as of_slurm
from slurm_ssh.sentences import waiting as of_waiting

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("job_service.http.pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SENTENCES = (frame, login, datasets, new, jobs, job, projects, admin)


class _Said:
    """The sentences of all pages, by their names, each in the language of the moment in which it is named."""

    def __init__(self) -> None:
        self._of = {name: module for module in _SENTENCES for name in vars(module)}

    def __getattr__(self, name: str) -> Any:
        if name not in self._of:
            raise AttributeError(name)
        return getattr(self._of[name], name)


_SAY = _Said()
# What is kept of jobs, and of what sites said of them.
_AGAIN = Again((of_running, of_store, of_accepting, of_files, of_slurm, of_waiting))
_HEADERS = {
    # The icons of Bootstrap's lists and boxes are data.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    # No window of somebody else's page that has opened this one can look into it.
    "Cross-Origin-Opener-Policy": "noopener-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Vary": "Cookie, Sec-Fetch-Mode, Sec-Fetch-Dest, Accept-Language",
}


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page made of a template of ours."""
    return HTMLResponse(rendered(request, template, **values), status, _HEADERS)


def rendered(request: Request, template: str, **values: Any) -> str:
    """Return the text of a template."""
    root, caller = cookies.root(request), getattr(request.state, "caller", None)
    return _TEMPLATES.get_template(template).render(
        say=_SAY,
        labels=labels,
        language=languages.current(),
        root=root,
        hub=request.app.state.logins.hub,
        # Only who is let in gets the word by which forms are known to be ours.
        xsrf=cookies.xsrf(request) if caller else "",
        caller=caller,
        moment=moment,
        lasting=lasting,
        resources=resources,
        size=size,
        markdown=markdown.to_html,
        again=_AGAIN.said,
        **values,
    )


def problem(request: Request, problem: Problem) -> Response:
    """Return the page that says what went wrong."""
    status, hint = problem.status_code, problem.hint
    if status == 500:
        hint = of_requests.TELL_REQUEST.format(request_id=request.state.request_id)
    answer = page(request, "problem.html", status, title=_title(status), detail=problem.detail, hint=hint)
    if status in {429, 503}:
        answer.headers["Retry-After"] = "10"
    return answer


def _title(status: int) -> str:
    return frame.PROBLEMS.get(status, "") or HTTPStatus(status).phrase


def moment(when: datetime) -> str:
    """Return a moment, which a script may show in the reader's zone."""
    when = when.astimezone(UTC)
    return languages.timed(f"{when:%Y-%m-%d %H:%M} UTC", when)


def lasting(seconds: float) -> str:
    """Return how long something lasts, in words."""
    whole = round(seconds)
    return frame.SECONDS.format(count=whole) if abs(whole) < 60 else labels.duration(whole // 60)


def resources(of: Job | Preview) -> str:
    """Return what a job asks for, in the words of the options form."""
    parts = [refusals.cores(of.cores), labels.memory(of.memory_mib)]
    parts += [refusals.gpus(of.gpus, None)] if of.gpus else []
    parts += [labels.nodes(of.nodes)] if of.nodes > 1 else []
    return ", ".join([*parts, lasting(of.limit_s)])


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count = count / 1000  # type: ignore[assignment]
    raise AssertionError
