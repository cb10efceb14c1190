"""The command line as a whole."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, NoReturn

import typer

from hubjobs import sentences
from hubjobs.cli import account, admin, asking, entry, files, following, offers
from hubjobs.cli.guard import guarded

app = typer.Typer(
    name="hubjobs",
    help="Batch jobs of a JupyterHub with several Slurm sites.",
    no_args_is_help=True,
    add_completion=False,
    # What would be printed of a mistake of ours could hold a token.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "login": account.log_in,
    "session": account.show_session,
    "logout": account.log_out,
    "systems": offers.systems,
    "projects": offers.projects,
    "quotas": offers.quotas,
    "types": offers.types,
    "type": offers.job_type,
    "datasets": offers.datasets,
    "preview": asking.preview,
    "submit": asking.submit,
    "status": following.status,
    "show": following.show,
    "wait": following.wait,
    "log": files.log,
    "files": files.files,
    "get": files.get,
    "put": files.put,
    "start": following.start,
    "cancel": following.cancel,
    "hold": following.hold,
    "release": following.release,
    "delete": following.delete,
    "resubmit": asking.resubmit,
}

for _name, _command in _COMMANDS.items():
    app.command(_name)(guarded(_command))
app.add_typer(admin.app, name="admin")


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"hubjobs {version('hubjobs')}")
        except PackageNotFoundError:
            typer.echo(sentences.NOT_INSTALLED)
        raise typer.Exit


@app.callback()
def _root(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Batch jobs of a JupyterHub with several Slurm sites."""


def main() -> NoReturn:
    """Run the command line."""
    sys.exit(entry.ended(app))
