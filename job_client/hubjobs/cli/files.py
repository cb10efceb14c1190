"""What jobs print, and what lies in their folders: log, files, get, put."""

import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from hubjobs import calls, sentences, text
from hubjobs.cli import following, output, views, words
from hubjobs.cli.guard import client, shown
from hubjobs.cli.options import JobId, Json
from hubjobs.client import Jobs


def log(
    job_id: JobId,
    errors: Annotated[bool, typer.Option("--stderr", "-e", help="What it wrote to standard error.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what it prints, until it is over.")
    ] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", min=0, help="Only so many last lines.")] = None,
    task: Annotated[
        int | None, typer.Option("--task", min=0, help="What this task of an array has printed; from 0 on.")
    ] = None,
) -> None:
    """Print what a job has printed: for a terminal made harmless, else byte by byte."""
    with client(patience_s=600 if follow else 30) as jobs:
        read = jobs.follow if follow else jobs.log
        of = job_id if task is None else following.task_of(jobs, job_id, task)
        _write(read(of, "stderr" if errors else "stdout", tail))


def _write(chunks: Iterable[bytes]) -> None:
    if not sys.stdout.isatty():
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        return
    plain = text.Plain()
    for chunk in chunks:
        sys.stdout.write(plain.feed(chunk))
        sys.stdout.flush()
    sys.stdout.write(plain.end())


def files(job_id: JobId, json: Json = False) -> None:
    """List what lies in a job's folder."""
    with client() as jobs:
        shown(jobs, calls.files(job_id), lambda found: views.files(output.out(), found), json=json)


def get(
    job_id: JobId,
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files of its folder.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of its folder.")] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="File or folder; without: here, with --all a folder named by the id."),
    ] = None,
) -> None:
    """Fetch files of a job; one that is here already is replaced once the new one is whole."""
    if bool(paths) == everything:
        raise ValueError(sentences.GET_WHAT.format(job_id=job_id))
    with client() as jobs:
        if everything:
            _get_all(jobs, job_id, to or Path(job_id))
        for path, target in _targets(paths or [], to):
            with output.progress(path) as told:
                jobs.get(job_id, path, target, progress=told)
            output.err().sentence(str(target))


def _targets(paths: list[str], to: Path | None) -> list[tuple[str, Path]]:
    """Return where each file goes: into a folder by the last part of its path, or to the file that is named."""
    folder = to if to is not None and to.is_dir() else None
    if to is not None and folder is None:
        if len(paths) > 1:
            raise ValueError(sentences.ONE_TARGET)
        return [(path, to) for path in paths]
    return [(path, (folder or Path()) / _name(path)) for path in paths]


def _name(path: str) -> str:
    name = PurePosixPath(path).name
    if name in {"", ".."} or Path(name).name != name:
        raise ValueError(sentences.NO_NAME.format(text=path))
    return name


def _get_all(jobs: Jobs, job_id: str, folder: Path) -> None:
    calls.job_path(job_id)
    with output.progress(job_id) as told:
        done = jobs.get_all(job_id, folder, progress=told)
    screen = output.err()
    for name in done.left_out:
        screen.sentence(sentences.LEFT_OUT.format(name=name))
    screen.sentence(sentences.UNPACKED.format(files=done.files, size=words.size(done.bytes), folder=folder))


def put(
    job_id: JobId,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    name: Annotated[
        str | None, typer.Option("--as", help="Its path in the job's folder; without: its name.")
    ] = None,
) -> None:
    """Put a file into a job's folder."""
    with client() as jobs, output.progress(file.name) as told:
        jobs.put(job_id, file, name, progress=told)
