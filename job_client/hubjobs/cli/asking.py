"""Asking for jobs: preview, submit, resubmit."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from json import loads
from pathlib import Path
from typing import Annotated, Any

import typer

from hubjobs import calls, models, sentences, session
from hubjobs.cli import output, views
from hubjobs.cli.guard import client, shown
from hubjobs.cli.options import JobId, Json
from hubjobs.client import Jobs
from hubjobs.errors import HubJobsError, Problem

Type = Annotated[str, typer.Argument(metavar="TYPE", help="What to run, see: hubjobs types", show_default=False)]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORDS", help="Behind --: a line of your own, or words for the program.", show_default=False
    ),
]
On = Annotated[str | None, typer.Option("--on", "-s", metavar="SYSTEM", help="Where; without: the default.")]
Project = Annotated[
    str | None, typer.Option("--project", "-p", help="What it counts against; without: your default.")
]
Title = Annotated[str, typer.Option("--title", "-t", help="One line that you will know it by.")]
Time = Annotated[
    str | None, typer.Option("--time", help="How long it may run, such as 2h; same as --set time=2h.")
]
Cores = Annotated[str | None, typer.Option("--cores", help="Same as --set cores=N.")]
Nodes = Annotated[str | None, typer.Option("--nodes", help="Same as --set nodes=N.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A choice of the type; may be repeated.")
]
Input = Annotated[
    list[Path] | None,
    typer.Option("--input", "-i", metavar="FILE", help="A file for its folder; may be repeated."),
]
Dataset = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset", "-d", metavar="ID", help="What it works on, see: hubjobs datasets; may be repeated."
    ),
]
Each = Annotated[bool, typer.Option("--each", help="Send a job for each dataset, and print all their ids.")]
Array = Annotated[
    bool, typer.Option("--array", help="Send one array with a task for each dataset, and print its id.")
]
Unpack = Annotated[bool, typer.Option("--unpack", help="The job unpacks the zips among its inputs first.")]
Later = Annotated[bool, typer.Option("--later", help="Begin only by: hubjobs start ID")]


@contextmanager
def hinted(datasets: Sequence[str], hint: str) -> Iterator[None]:
    """Say what to do if the service wants datasets, and none was named."""
    try:
        yield
    except Problem as error:
        if not datasets and "datasets" in error.fields:
            error.hint = error.hint or hint
        raise


def preview(
    type: Type,  # noqa: A002 - the service's word
    words: Words = None,
    on: On = None,
    project: Project = None,
    title: Title = "",
    time: Time = None,
    cores: Cores = None,
    nodes: Nodes = None,
    settings: Set = None,
    datasets: Dataset = None,
    each: Each = False,
    array: Array = False,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", help="File that would be sent with it; may be repeated.", show_default=False
        ),
    ] = None,
    unpack: Unpack = False,
    script: Annotated[bool, typer.Option("--script", help="Print the script that Slurm would get.")] = False,
    json: Json = False,
) -> None:
    """Show what a job would cost and when it would begin, and send nothing."""
    with client() as jobs:
        choices = _choices(settings, time=time, cores=cores, nodes=nodes)
        chosen, mode = tuple(datasets or ()), _mode(each=each, array=array)
        spec = models.Spec(
            type,
            on,
            project,
            title,
            choices,
            inputs=tuple(file.name for file in inputs or ()),
            unpack=unpack,
            datasets=chosen,
            mode=mode,
            **_what(jobs, type, words),
        )

        def see(found: models.Preview) -> None:
            if script:
                output.out().block(found.script)
            else:
                views.preview(output.out(), found)

        with hinted(chosen, sentences.CHOOSE_DATASETS):
            shown(jobs, calls.preview(spec), see, json=json)


def submit(
    type: Type,  # noqa: A002 - the service's word
    words: Words = None,
    on: On = None,
    project: Project = None,
    title: Title = "",
    time: Time = None,
    cores: Cores = None,
    nodes: Nodes = None,
    settings: Set = None,
    inputs: Input = None,
    datasets: Dataset = None,
    each: Each = False,
    array: Array = False,
    unpack: Unpack = False,
    later: Later = False,
    json: Json = False,
) -> None:
    """Send a job, and print its id alone; of an interactive type, start its server and print where it is."""
    files = inputs or []
    for file in files:
        if not file.is_file():
            raise HubJobsError(sentences.NO_FILE.format(path=file))
    with client() as jobs:
        spec = models.Spec(
            type,
            on,
            project,
            title,
            _choices(settings, time=time, cores=cores, nodes=nodes),
            inputs=tuple(file.name for file in files),
            start="later" if later else None,
            unpack=unpack,
            datasets=tuple(datasets or ()),
            mode=_mode(each=each, array=array),
            **_what(jobs, type, words),
        )
        with hinted(spec.datasets, sentences.CHOOSE_DATASETS):
            try:
                _submit(jobs, spec, files, json=json)
            except Problem as error:
                if error.code != "interactive":
                    raise
                start(jobs, spec, json=json)


def _submit(jobs: Jobs, spec: models.Spec, files: list[Path], *, json: bool) -> None:
    if spec.mode in {"each", "array"}:
        _send_each(jobs, spec, files, json=json)
        return
    if not (json and files):
        _put(jobs, _send(jobs, calls.submit(spec), json=json), files)
        return
    job_id = jobs.do(calls.submit(spec)).job_id
    _put(jobs, job_id, files)
    output.as_json(jobs.said(calls.job(job_id)))


def start(jobs: Jobs, spec: models.Spec, *, json: bool = False) -> None:
    """Start the server of an interactive type, and print where somebody finds it.

    Raises ValueError for what only jobs have.
    """
    of_jobs = (spec.title, spec.command, spec.arguments, spec.inputs, spec.start, spec.unpack, spec.mode)
    if any(each and each != "single" for each in of_jobs):
        raise ValueError(sentences.STARTS_A_SERVER.format(type=spec.type))
    call = calls.start_server(spec)
    if json:
        output.as_json(jobs.said(call))
    else:
        output.out().line(jobs.do(call).address(session.kept().url))


def resubmit(job_id: JobId, json: Json = False) -> None:
    """Send a job again, with the same inputs, and print the new one's id."""
    with client() as jobs:
        _send(jobs, calls.resubmit(job_id), json=json)


def _send(jobs: Jobs, call: calls.Call[models.Job], *, json: bool) -> str:
    """Ask for a job and print its id, or all that the service says of it; return the id."""
    if json:
        output.as_json(jobs.said(call))
        return ""
    job_id = jobs.do(call).job_id
    output.out().line(job_id)
    return job_id


def _mode(*, each: bool, array: bool) -> str | None:
    if each and array:
        raise ValueError(sentences.EACH_OR_ARRAY)
    return "each" if each else "array" if array else None


def _send_each(jobs: Jobs, spec: models.Spec, files: list[Path], *, json: bool) -> None:
    """Send a job for each dataset, and print their ids; say for which there is none, and end with 1 then."""
    call = calls.submit_each(spec)
    said = jobs.said(call)
    group = call.parse(loads(said))
    if json:
        output.as_json(said)
    for job in group.jobs:
        if not json:
            output.out().line(job.job_id)
        _put(jobs, job.job_id, files)
    for error in group.errors:
        output.err().sentence(sentences.NOT_ACCEPTED.format(dataset=error.dataset, reason=error.detail))
    if group.errors:
        raise typer.Exit(1)


def _put(jobs: Jobs, job_id: str, files: list[Path]) -> None:
    for file in files:
        try:
            with output.progress(file.name) as told:
                jobs.put(job_id, file, progress=told)
        except BaseException:
            output.err().sentence(sentences.WAITS_FOR_INPUT.format(job_id=job_id))
            raise


def _choices(settings: list[str] | None, **named: str | None) -> dict[str, str]:
    choices = {name: value for name, value in named.items() if value is not None}
    for each in settings or []:
        name, is_set, value = each.partition("=")
        if not name or not is_set:
            raise ValueError(sentences.NO_SETTING.format(text=each))
        choices[name] = value
    return choices


def _what(jobs: Jobs, type_key: str, words: list[str] | None) -> dict[str, Any]:
    """Return words as the command of a type that runs a line, one word as it is; else as a program's arguments."""
    if not words:
        return {}
    if jobs.job_type(type_key).runs == "line":
        return {"command": words[0] if len(words) == 1 else shlex.join(words)}
    return {"arguments": tuple(words)}
