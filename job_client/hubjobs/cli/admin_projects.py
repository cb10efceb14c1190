"""What admins do with projects: hubjobs admin projects, project, add-project, change-project, remove-project."""

from typing import Annotated, Any

import typer

from hubjobs import admin, models, sentences
from hubjobs.cli import output, views, words
from hubjobs.cli.guard import client, guarded, shown
from hubjobs.cli.options import Json

app = typer.Typer()

Of = Annotated[str, typer.Argument(metavar="SYSTEM/PROJECT", show_default=False)]
"""A project, as people name it."""

_Title = Annotated[str | None, typer.Option("--title", "-t", help="What people read.")]
_Time = Annotated[str | None, typer.Option("--time", help="What it has in all, such as 1000h.")]
_Each = Annotated[str | None, typer.Option("--each", help="What each member begins with, such as 100h.")]
_Charge = Annotated[
    str | None,
    typer.Option("--charge", help="What of a job counts: wall (its time), or that of each node or core."),
]
_Account = Annotated[
    str | None, typer.Option("--account", help="The account that Slurm charges; an empty one is none.")
]
_Open = Annotated[bool | None, typer.Option("--open/--closed", help="Whether everybody is a member.")]
_Default = Annotated[
    bool | None, typer.Option("--default/--no-default", help="Whether jobs count against it that name no project.")
]
_Identity = Annotated[
    str | None,
    typer.Option(
        "--identity",
        help="service: for jobs that run as the account of the system; person: for all others.",
    ),
]
_Most = Annotated[
    list[str] | None,
    typer.Option(
        "--most",
        metavar="NAME=VALUE",
        help="Most nodes, cores of a node, or time of one job, or active jobs of a person; may be repeated. "
        "none: no limits.",
    ),
]


def parts(named: str) -> tuple[str, str]:
    """Return the system and the name of a project.  Raises ValueError."""
    system, _, name = named.partition("/")
    if not system or not name:
        raise ValueError(sentences.NO_PROJECT.format(text=named))
    return system, name


@app.command("projects")
@guarded
def projects(
    system: Annotated[str | None, typer.Option("--system", "-s", help="Only those at this system.")] = None,
    json: Json = False,
) -> None:
    """Show all projects of the service."""
    with client() as there:
        shown(there, admin.projects(system), lambda found: views.all_projects(output.out(), found), json=json)


@app.command("project")
@guarded
def project(project: Of, json: Json = False) -> None:
    """Show one project."""
    with client() as there:
        shown(there, admin.project(*parts(project)), _see, json=json)


def _see(found: models.ServiceProject) -> None:
    views.service_project(output.out(), found)


@app.command("add-project")
@guarded
def add(
    project: Of,
    title: _Title = None,
    time: _Time = None,
    each: _Each = None,
    charge: _Charge = None,
    account: _Account = None,
    everybody: _Open = None,
    default: _Default = None,
    identity: _Identity = None,
    most: _Most = None,
    json: Json = False,
) -> None:
    """Make a project.  Without --time and --each nobody can send a job to it."""
    fields = _fields(title, time, each, charge, account, everybody, default, identity, most)
    with client() as there:
        shown(there, admin.add_project(*parts(project), fields), _see, json=json)


@app.command("change-project")
@guarded
def change(
    project: Of,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    title: _Title = None,
    time: _Time = None,
    each: _Each = None,
    charge: _Charge = None,
    account: _Account = None,
    everybody: _Open = None,
    default: _Default = None,
    identity: _Identity = None,
    most: _Most = None,
    json: Json = False,
) -> None:
    """Change what is named of a project; --most replaces all of its limits, `--most none` ends them."""
    fields = _fields(title, time, each, charge, account, everybody, default, identity, most)
    if name is not None:
        fields["name"] = name
    with client() as there:
        shown(there, admin.change_project(*parts(project), fields), _see, json=json)


@app.command("remove-project")
@guarded
def remove(project: Of) -> None:
    """Take a project away whose jobs are all over; what was counted stays."""
    with client() as there:
        there.do(admin.remove_project(*parts(project)))
    output.err().sentence(sentences.REMOVED_PROJECT.format(project=project))


def _fields(
    title: str | None,
    time: str | None,
    each: str | None,
    charge: str | None,
    account: str | None,
    everybody: bool | None,
    default: bool | None,
    identity: str | None,
    most: list[str] | None,
) -> dict[str, Any]:
    given = {
        "title": title,
        "init_time": None if time is None else words.seconds(time),
        "user_time": None if each is None else words.seconds(each),
        "charge": charge,
        "account": account or None,
        "is_open": everybody,
        "is_default": default,
        "identity": identity,
        "limits": None if most is None else _limits(most),
    }
    # Without an account is something that may be said.
    return {
        name: value for name, value in given.items() if value is not None or (name, account) == ("account", "")
    }


def _limits(typed: list[str]) -> dict[str, int]:
    """Return all limits; the one word `none` is that there are none.  Raises ValueError."""
    return {} if typed == ["none"] else dict(map(_limit, typed))


def _limit(typed: str) -> tuple[str, int]:
    name, _, value = typed.partition("=")
    if name == "time":
        return name, words.seconds(value)
    if not (name and value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError(sentences.NO_LIMIT.format(text=typed))
    return name, int(value)
