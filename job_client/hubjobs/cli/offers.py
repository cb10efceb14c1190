"""What there is: systems, projects, quotas, types."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from hubjobs import calls, models, sentences
from hubjobs.calls import Call
from hubjobs.cli import output, views
from hubjobs.cli.guard import client, shown
from hubjobs.cli.options import Json
from hubjobs.cli.output import Screen

T = TypeVar("T")

System = Annotated[str | None, typer.Argument(help="Only those at this system.", show_default=False)]


def _all(call: Call[tuple[T, ...]], view: Callable[[Screen, tuple[T, ...]], None], *, json: bool) -> None:
    def see(found: tuple[T, ...]) -> None:
        if found:
            view(output.out(), found)
        else:
            output.err().sentence(sentences.NOTHING)

    with client() as jobs:
        shown(jobs, call, see, json=json)


def systems(json: Json = False) -> None:
    """Show where jobs can run."""
    _all(calls.systems(), views.systems, json=json)


def projects(system: System = None, json: Json = False) -> None:
    """Show what your jobs may count against, and what is left of it."""
    _all(calls.projects(system), views.projects, json=json)


def quotas(json: Json = False) -> None:
    """Show what you have left of the projects that have a quota."""
    _all(calls.quotas(), views.projects, json=json)


def types(json: Json = False) -> None:
    """Show what can be run."""
    _all(calls.types(), views.types, json=json)


def datasets(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="A part of the name or the id.", show_default=False)
    ] = None,
    type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,  # noqa: A002
    json: Json = False,
) -> None:
    """Show what jobs can work on."""

    def see(found: models.Datasets) -> None:
        if found.items:
            views.datasets(output.out(), found.items)
        else:
            output.err().sentence(sentences.NOTHING)
        for problem in found.problems:
            output.err().sentence(problem)
        if found.next:
            output.err().sentence(sentences.MORE_DATASETS)

    with client() as jobs:
        shown(jobs, calls.datasets(text, type), see, json=json)


def job_type(
    key: Annotated[str, typer.Argument(metavar="TYPE", show_default=False)],
    datasets: Annotated[
        list[str] | None,
        typer.Option("--dataset", "-d", metavar="ID", help="Show what can be chosen for it; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what can be chosen in a job type; some of it is for some datasets only."""
    with client() as jobs:
        shown(
            jobs, calls.job_type(key, datasets or ()), lambda found: views.job_type(output.out(), found), json=json
        )
