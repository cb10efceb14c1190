"""`jupyterhub-jobs`: a driver without JupyterHub but for whose a token is."""

import asyncio
import getpass
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from job_service.accepting import shown
from job_service.cli.conditions import CannotStart, check_environment, run_folder, token
from job_service.errors import JobError
from job_service.sentences import serving as sentences
from job_service.service import INPUT_FOLDER, JOBS_A_MINUTE, Settings
from job_service.store.errors import DatabaseRefused
from job_service.store.upgrading import upgrade
from kerberos_auth.errors import AuthFailed
from kerberos_auth.names import is_user
from kernels.units import Unreadable, mebibytes
from profiles.errors import ChoiceRefused
from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from profiles.offer.offer import Person
from slurm_ssh.command import ended
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import is_hub_name

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The job service of a hub: batch jobs by REST, on the sites of its catalogue.",
)


class LogLevel(StrEnum):
    """From which weight on something is written into the log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_Catalogue = Annotated[Path, typer.Option(help="The hub's catalogue: sites and job types.")]
_Database = Annotated[str, typer.Option(help="SQLAlchemy URL of the service's own database.")]
_HubName = Annotated[str, typer.Option(help="Name of the hub in the names of jobs, `job-<hub name>-...`.")]

_CATALOGUE = Path("/etc/jupyterhub/catalogue.yaml")
_DATABASE = "sqlite:////var/lib/jupyterhub-jobs/jobs.sqlite"
_HUB_NAME = "hub"


@app.command()
def serve(
    catalogue: _Catalogue = _CATALOGUE,
    ticket_folder: Annotated[Path, typer.Option(help="Where the hub keeps people's tickets.")] = Path(
        "/run/jupyterhub/krb5"
    ),
    run_folder_: Annotated[
        Path, typer.Option("--run-folder", help="A folder of mode 0700 for this process alone.")
    ] = Path("/run/jupyterhub-jobs"),
    database: _Database = _DATABASE,
    hub_name: _HubName = _HUB_NAME,
    listen: Annotated[str, typer.Option(help="Address and port of the service, as the proxy reaches it.")] = (
        "127.0.0.1:8082"
    ),
    upload_max: Annotated[str, typer.Option(help="Largest file that may be sent; a site may take less.")] = "100G",
    jobs_a_minute: Annotated[
        int, typer.Option(min=1, help="How many jobs one person may send in a minute.")
    ] = JOBS_A_MINUTE,
    input_folder: Annotated[
        Path, typer.Option(help="Where files of jobs for NSG lie until they are sent; it is made when needed.")
    ] = INPUT_FOLDER,
    token_file: Annotated[
        Path,
        typer.Option(
            help="Its API token, in a file of mode 0600; JUPYTERHUB_API_TOKEN is used instead, if it is set."
        ),
    ] = Path("/etc/jupyterhub/jobs-token"),
    log_level: Annotated[LogLevel, typer.Option(help="What is written into the log.")] = LogLevel.INFO,
) -> None:
    """Run the service until SIGTERM comes."""
    _log_from(log_level)
    with _sentences(), run_folder(run_folder_):
        check_environment()
        if not is_hub_name(hub_name):
            raise CannotStart(sentences.NAME_UNUSABLE.format(name=repr(hub_name)))
        settings = Settings(
            catalogue=str(catalogue),
            ticket_folder=ticket_folder,
            run_folder=run_folder_,
            database=database,
            name=hub_name,
            upload_max_mib=_mebibytes(upload_max),
            jobs_a_minute=jobs_a_minute,
            input_folder=input_folder,
        )
        # What answers requests, JupyterHub with it, takes seconds to import; no other verb needs it.
        from job_service.cli import serving  # noqa: PLC0415

        asyncio.run(serving.serve(settings, listen, token(token_file)))


@app.command()
def upgrade_database(database: _Database = _DATABASE) -> None:
    """Make the service's database, or bring it to this version; stop the service first."""
    with _sentences():
        try:
            upgrade(database)
        except OSError as error:
            said = sentences.NOT_MADE.format(path=error.filename, reason=error.strerror, uid=os.geteuid())
            raise CannotStart(said) from error
    typer.echo(sentences.UPGRADED)


@app.command()
def script(
    type_: Annotated[
        str | None, typer.Option("--type", help="Key of the job type; default: the first one.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Key of the site; default: the type's first one.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose job, by their name on the hub; default: yours.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group of theirs on the hub; may be repeated.")] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A choice, such as param.method=fast; may be repeated."),
    ] = None,
    catalogue: _Catalogue = _CATALOGUE,
    hub_name: _HubName = _HUB_NAME,
) -> None:
    """Print the script of a job of this type, with its defaults for what is not chosen."""
    name = user or getpass.getuser()
    with _sentences():
        if not is_user(name):
            raise CannotStart(sentences.NO_PERSON.format(text=repr(name)))
        read = load.read(str(catalogue))
        person = Person(name, frozenset(group or ()))
        now, chosen = datetime.now().astimezone(), dict(_pair(text) for text in choice or ())
        text = shown.of_type(read, hub_name, type_, site, person, now, chosen)
    typer.echo(text, nl=False)


def main() -> int:
    """Carry out a command; return 0, 1 after a sentence, or 2 for a wrong command line."""
    return ended(lambda: app(prog_name="jupyterhub-jobs"))


@contextmanager
def _sentences() -> Iterator[None]:
    """Exit with 1 and the sentence of what is raised in the block because something is not as it has to be."""
    try:
        yield
    except (CannotStart, DatabaseRefused, CatalogueInvalid) as error:
        reason = str(error)
    except (AuthFailed, JobError, LaunchError, ChoiceRefused) as error:
        reason = error.message
    else:
        return
    sys.stderr.write(f"{reason}\n")
    raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CannotStart(sentences.NOT_A_CHOICE.format(text=repr(text)))
    return name, value


def _mebibytes(size: str) -> int:
    try:
        return mebibytes(size)
    except Unreadable as error:
        raise typer.BadParameter(str(error), param_hint="--upload-max") from error


def _log_from(level: LogLevel) -> None:
    # systemd's journal has the time.
    logging.basicConfig(
        level=level.upper(), format="[%(levelname)1.1s %(asctime)s %(name)s] %(message)s", stream=sys.stderr
    )
    # What matters of a connection, our own log says.
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    # httpcore would write what gateways answer, sessions among it.
    for noisy in ("uvicorn", "alembic", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    os.umask(0o077)
