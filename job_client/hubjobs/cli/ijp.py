"""The command `ijp`: the verbs of the ICAT Job Portal's own command, and their lines, over the jobs of a hub."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer

from hubjobs import calls, models, passwords, sentences, session
from hubjobs.cli import account, asking, entry, files, following, guard, output, portal, views, words
from hubjobs.client import Jobs
from hubjobs.errors import HubJobsError, NotLoggedIn

app = typer.Typer(
    name="ijp",
    help="Interact with the jobs of a JupyterHub as with the ICAT Job Portal. Log in first.",
    no_args_is_help=True,
    add_completion=False,
    # What would be printed of a mistake of ours could hold a token.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JobId = Annotated[str, typer.Argument(metavar="JOBID", help="Such as 2 or 2.HOST.", show_default=False)]
Array = Annotated[bool, typer.Option("--array", help="Send one array with a task for each dataset.")]


@contextmanager
def _client() -> Iterator[Jobs]:
    """Give a client for whoever is logged in; who is not reads how it is done here."""
    try:
        with guard.client() as jobs:
            yield jobs
    except NotLoggedIn as error:
        raise NotLoggedIn(error.message, sentences.IJP_LOG_IN) from None


def _host() -> str:
    return portal.host_of(session.kept().url)


@contextmanager
def _job(typed: str) -> Iterator[tuple[Jobs, models.Job]]:
    """Give a client, and the job that somebody means."""
    with _client() as jobs:
        host = _host()
        number = portal.number_of(typed, host)
        yield jobs, jobs.job(typed) if number is None else _numbered(jobs, number, host)


def _numbered(jobs: Jobs, number: int, host: str) -> models.Job:
    """Return a job by its number; the list of them has the highest first."""
    for job in jobs.every_job():
        if job.id == number:
            return job
        if (job.id or 0) < number:
            break
    raise HubJobsError(sentences.IJP_NO_JOB.format(number=number, host=host))


def login(
    credentials: Annotated[
        list[str],
        typer.Argument(
            metavar="AUTHENTICATOR [NAME VALUE]...",
            help="Such as: db username fred password -   What is written as - is asked for.",
            show_default=False,
        ),
    ],
    hub: Annotated[str | None, typer.Option("--hub", metavar="URL", help="Address of the hub, once.")] = None,
) -> None:
    """Log in: get a token, print what it is called on the hub's page of tokens, and keep it."""
    user, password = portal.credentials(credentials)
    url = _hub(hub)
    name = _typed("username", user)
    given = passwords.login(url, name, _typed("password", password), servers=True)
    session.keep(session.Session(url, name, given.token, given.expires_at))
    output.out().line(given.id)


def _typed(name: str, value: str) -> str:
    return account.secret(f"{name}: ") if value == portal.ASKED_FOR else value


def _hub(url: str | None) -> str:
    """Return the hub's address: as given, as last time, or as typed now."""
    try:
        return account.which_hub(url)[0]
    except HubJobsError as error:
        if not sys.stdin.isatty():
            raise HubJobsError(error.message, sentences.IJP_WHICH_HUB_HINT) from None
    typed: str = typer.prompt(sentences.IJP_HUB_PROMPT, err=True)
    return passwords.hub_of(typed)


def show_session() -> None:
    """Show who is logged in where, and for how long."""
    with _client() as jobs:
        kept = session.kept()
        said = {"user": jobs.me().name, "version": jobs.do(calls.hub()).version, "url": kept.url}
    if kept.expires_at is None:
        output.out().line(sentences.IJP_SESSION_FOR_EVER.format(**said))
        return
    minutes = max(0, int((kept.expires_at - datetime.now(UTC)).total_seconds()) // 60)
    output.out().line(sentences.IJP_SESSION.format(minutes=minutes, **said))


def refresh() -> None:
    """Look whether the session still holds; a token cannot be prolonged, and a ticket is renewed by the hub."""
    with _client() as jobs:
        jobs.me()
    until = words.moment(session.kept().expires_at) or sentences.FOR_EVER
    output.err().sentence(sentences.IJP_REFRESHED.format(until=until))


def jobtype(
    name: Annotated[str | None, typer.Argument(help="Of this one all that is known.", show_default=False)] = None,
) -> None:
    """List the job types, or show all of one, as JSON."""
    with _client() as jobs:
        if name is not None:
            output.as_json(jobs.said(calls.job_type(name)))
            return
        found = jobs.job_types()
    screen = output.out()
    screen.line(sentences.IJP_TYPES)
    for each in found:
        kind = sentences.IJP_BATCH if each.runs in portal.BATCH else sentences.IJP_INTERACTIVE
        screen.line(sentences.IJP_TYPE.format(key=each.key, kind=kind))


def submit(
    job_type: Annotated[
        str,
        typer.Argument(metavar="JOBTYPE", help="See: ijp jobtype; options stand before it.", show_default=False),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARAMETER]...", help="Options and words of the job.", show_default=False),
    ] = None,
    datasets: asking.Dataset = None,
    each: asking.Each = False,
    array: Array = False,
    on: asking.On = None,
    project: asking.Project = None,
) -> None:
    """Submit a job, and print its id, or the address of an interactive one.

    All that stands behind the job type is for the job.
    """
    if each and array:
        raise ValueError(sentences.EACH_OR_ARRAY)
    with _client() as jobs:
        host, found = _host(), jobs.job_type(job_type)
        spec = portal.spec(found, parameters or [], on, project, datasets or [])
        chosen = "each" if each else "array" if array else None
        with asking.hinted(spec.datasets, sentences.IJP_CHOOSE_DATASETS.format(type=job_type)):
            if found.runs not in portal.BATCH:
                asking.start(jobs, replace(spec, mode=chosen))
                return
            chosen = chosen or portal.mode(found, len(spec.datasets))
            if chosen is None:
                output.out().line(portal.job_id(jobs.submit(spec), host))
                return
            group = jobs.submit_each(replace(spec, mode=chosen))
    for job in group.jobs:
        output.out().line(portal.job_id(job, host))
    for error in group.errors:
        output.err().sentence(sentences.NOT_ACCEPTED.format(dataset=error.dataset, reason=error.detail))
    if group.errors:
        raise typer.Exit(guard.OTHER)


def status(
    typed: Annotated[
        str | None, typer.Argument(metavar="[JOBID]", help="Of this one all that is known.", show_default=False)
    ] = None,
) -> None:
    """Show your jobs, the newest first, with the letter for where each is; or all of one."""
    screen = output.out()
    if typed is not None:
        with _job(typed) as (_, job):
            screen.line(_line(job, _host()))
            views.job(screen, job)
        return
    with _client() as jobs:
        host = _host()
        for job in jobs.every_job():
            screen.line(_line(job, host))


def _line(job: models.Job, host: str) -> str:
    return sentences.IJP_JOB.format(job_id=portal.job_id(job, host), state=portal.state(job))


def print_output(
    typed: JobId,
    error: Annotated[
        bool, typer.Option("--error", "-e", help="What it wrote to standard error, not to standard output.")
    ] = False,
) -> None:
    """Print what a job has printed so far; of an array what each of its tasks has, in their order."""
    with _job(typed) as (jobs, job):
        printed = following.tasks_of(jobs, job.job_id) if job.kind == "array" else [job]
    for each in printed:
        files.log(each.job_id, errors=error, follow=False, tail=None)


def cancel(typed: JobId) -> None:
    """Remove a job from the queue, or end it; what it printed stays."""
    with _job(typed) as (jobs, job):
        jobs.cancel(job.job_id)


def delete(typed: JobId) -> None:
    """Remove a job that is over, with its folder."""
    with _job(typed) as (jobs, job):
        jobs.delete(job.job_id)


_COMMANDS: dict[str, Callable[..., None]] = {
    "login": login,
    "session": show_session,
    "refresh": refresh,
    "logout": account.log_out,
    "jobtype": jobtype,
    "submit": submit,
    "status": status,
    "output": print_output,
    "cancel": cancel,
    "delete": delete,
}
_OF_THE_JOB = {"login", "submit"}
"""Behind their first word all are credentials, or words of the job, whatever they look like."""

for _name, _command in _COMMANDS.items():
    app.command(_name, context_settings={"allow_interspersed_args": _name not in _OF_THE_JOB})(
        guard.guarded(_command)
    )


def main() -> NoReturn:
    """Run the command line."""
    sys.exit(entry.ended(app))
