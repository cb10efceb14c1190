"""What becomes of jobs: status, show, wait, and what is done with them."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from hubjobs import calls, models, sentences
from hubjobs.cli import output, views
from hubjobs.cli.guard import are_ids, client, shown
from hubjobs.cli.options import JobId, JobIds, Json, Limit, Stages
from hubjobs.client import Jobs
from hubjobs.errors import HubJobsError, Problem

WATCH_S = 3.0
_TASKS_AT_ONCE = 200


def status(
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these.", show_default=False)
    ] = None,
    stage: Stages = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="Only jobs at this system.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Only jobs with this in their title.")] = None,
    tasks: Annotated[
        str | None, typer.Option("--tasks", metavar="ID", help="The tasks of this array, instead of jobs.")
    ] = None,
    limit: Limit = 20,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until all of them are over.")] = False,
    json: Json = False,
) -> None:
    """Show your jobs, the newest first, and why they wait."""
    ids = are_ids(job_ids or [])
    of_stages = [each.upper() for each in stage or []]
    parent = are_ids([tasks])[0] if tasks else None
    wanted = calls.jobs(stage=of_stages, system=system, q=search, parent=parent, limit=limit)
    with client() as jobs:
        if json:
            asked: list[calls.Call[Any]] = [calls.job(each) for each in ids]
            for call in asked or [wanted]:
                output.as_json(jobs.said(call))
        elif watch:
            _watch(lambda: _page(jobs, ids, wanted))
        else:
            _show(_page(jobs, ids, wanted))


def _page(jobs: Jobs, ids: list[str], wanted: calls.Call[models.Page]) -> models.Page:
    return models.Page(tuple(jobs.job(each) for each in ids)) if ids else jobs.do(wanted)


def _show(page: models.Page) -> None:
    if not page.items:
        output.err().sentence(sentences.NO_JOBS)
        return
    views.jobs(output.out(), page.items)
    if page.next and sys.stdout.isatty():
        output.err().sentence(sentences.MORE_JOBS)


def _watch(look: Callable[[], models.Page]) -> None:
    """Show jobs again whenever they have changed, on a terminal in the same place, until all are over."""
    screen, before = output.out(), None
    with Live(auto_refresh=False, transient=False) if screen.is_terminal else _NoLive() as live:
        while True:
            page = look()
            if screen.is_terminal:
                live.update(Text.from_ansi(_drawn(screen, page)), refresh=True)
            elif page != before:
                _show(page)
                sys.stdout.flush()
            if all(job.is_over for job in page.items):
                return
            before = page
            time.sleep(WATCH_S)


def _drawn(screen: output.Screen, page: models.Page) -> str:
    return output.drawn(screen, lambda inner: views.jobs(inner, page.items))


class _NoLive:
    """Stands for a live display where there is no terminal."""

    def __enter__(self) -> "_NoLive":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what was written."""

    def update(self, _what: object, *, refresh: bool) -> None:
        """Show nothing."""


def show(
    job_id: JobId,
    events: Annotated[bool, typer.Option("--events", help="Show what happened to it.")] = False,
    script: Annotated[bool, typer.Option("--script", help="Print what Slurm was sent.")] = False,
    json: Json = False,
) -> None:
    """Show all that is known of a job."""
    with client() as jobs:
        if script:
            output.out().block(jobs.script(job_id))
        elif events:
            shown(jobs, calls.events(job_id), lambda found: views.events(output.out(), found), json=json)
        else:
            shown(jobs, calls.job(job_id), lambda found: _whole(jobs, found), json=json)


def _whole(jobs: Jobs, found: models.Job) -> None:
    """Write all that is known of a job, and of the tasks of an array."""
    screen = output.out()
    views.job(screen, found)
    if found.kind == "array":
        screen.line("")
        views.tasks(screen, tasks_of(jobs, found.job_id))


def tasks_of(jobs: Jobs, array: str) -> list[models.Job]:
    """Return the tasks of an array, in their order."""
    found: list[models.Job] = []
    cursor: str | None = None
    while True:
        page = jobs.jobs(parent=array, limit=_TASKS_AT_ONCE, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return sorted(found, key=lambda task: task.task or 0)


def task_of(jobs: Jobs, array: str, number: int) -> str:
    """Return the job id of a task.  Raises HubJobsError if there is no such task, or that is no array."""
    found = next((each for each in tasks_of(jobs, array) if each.task == number), None)
    if found is None:
        raise HubJobsError(sentences.NO_TASK.format(job_id=array, number=number))
    return found.job_id


def wait(
    job_ids: JobIds,
    patience: Annotated[
        int, typer.Option("--patience", min=0, help="Seconds to go on while the service does not answer.")
    ] = 600,
) -> None:
    """Wait until jobs are over, and end with the status of the first that did not succeed."""
    ended: list[int] = []
    with client(patience) as jobs:
        for each in are_ids(job_ids):
            job = jobs.wait(each)
            line = " ".join((sentences.ENDED.format(job_id=job.job_id, stage=job.stage), job.reason)).strip()
            output.err().sentence(line)
            ended.append(job.exit_status)
    raise typer.Exit(next((status for status in ended if status), 0))


def on_each(job_ids: list[str], call: Callable[[str], calls.Call[models.Job]], *, json: bool) -> None:
    """Do the same with each job, also after one with which it could not be done."""
    failed: Exception | None = None
    with client() as jobs:
        for each in are_ids(job_ids):
            try:
                shown(jobs, call(each), _acted, json=json)
            except Problem as error:
                if failed is not None:
                    output.error(failed)
                failed = error
    if failed is not None:
        raise failed


def _acted(job: models.Job) -> None:
    said = " ".join((sentences.ENDED.format(job_id=job.job_id, stage=job.stage), job.reason)).strip()
    output.err().sentence(said)


def start(job_ids: JobIds, json: Json = False) -> None:
    """Start jobs that were sent with --later."""
    on_each(job_ids, lambda each: calls.act(each, "start"), json=json)


def cancel(job_ids: JobIds, json: Json = False) -> None:
    """Cancel jobs."""
    on_each(job_ids, lambda each: calls.act(each, "cancel"), json=json)


def hold(job_ids: JobIds, json: Json = False) -> None:
    """Keep waiting jobs from running."""
    on_each(job_ids, lambda each: calls.act(each, "hold"), json=json)


def release(job_ids: JobIds, json: Json = False) -> None:
    """Let held jobs run."""
    on_each(job_ids, lambda each: calls.act(each, "release"), json=json)


def delete(job_ids: JobIds, json: Json = False) -> None:
    """Remove jobs that are over, with their folders."""
    on_each(job_ids, calls.delete, json=json)
