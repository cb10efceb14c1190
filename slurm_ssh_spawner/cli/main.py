"""`jupyterhub-sites`: what an admin asks about a catalogue, and a hub's tunnels.  A driver without JupyterHub."""

import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from slurm_ssh.command import ended
from slurm_ssh_spawner.cli import add_site as adding
from slurm_ssh_spawner.cli import check as checking
from slurm_ssh_spawner.cli import pages
from slurm_ssh_spawner.cli import show as showing
from slurm_ssh_spawner.cli import tunnels as carrying
from slurm_ssh_spawner.cli.failed import ending_in_a_sentence
from slurm_ssh_spawner.cli.importing.command import import_
from slurm_ssh_spawner.cli.init.command import init
from slurm_ssh_spawner.cli.show import Asked
from slurm_ssh_spawner.sentences import command_line as sentences

_PROGRAM = "jupyterhub-sites"
_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_CONFIG = Path("/etc/jupyterhub/jupyterhub_config.py")
_RECORDS = "sqlite:////var/lib/jupyterhub/launches.sqlite"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Set up a hub, look into catalogues of sites and profiles and into launches, carry tunnels, read pages.",
)

_File = Annotated[str, typer.Argument(metavar="[FILE]", help="The catalogue.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_Groups = Annotated[
    list[str] | None, typer.Option("--group", help="A group of theirs on the hub; may be repeated.")
]
_Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project", help="What they may charge where Slurm's accounting says it; may be repeated, '' is none."
    ),
]


app.command()(init)
app.command("import")(import_)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"{_PROGRAM} {version(_PROGRAM)}")
        raise typer.Exit


@app.callback()
def _first(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version, and end.")
    ] = False,
) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # What matters of a connection, our own log says.
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


@app.command()
def check(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help=f"Default: {_CATALOGUE}.")] = None,
    facts: Annotated[
        bool, typer.Option("--facts", help="Compare with what each site's Slurm says, asked as you.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Find everything that is wrong with catalogues."""
    with ending_in_a_sentence():
        is_right = checking.check(files or [_CATALOGUE], with_facts=facts, as_json=as_json)
    raise typer.Exit(0 if is_right else 1)


@app.command()
def doctor(
    config: Annotated[
        Path, typer.Option("-f", "--config", metavar="CONFIG", help="The hub's configuration, which is run.")
    ] = _CONFIG,
    site: Annotated[list[str] | None, typer.Option(metavar="KEY", help="Only this site; may be repeated.")] = None,
    person: Annotated[
        str,
        typer.Option(
            "--as", metavar="NAME", help="Log in as this person; their password is asked for on the terminal."
        ),
    ] = "",
    job: Annotated[bool, typer.Option("--job", help="Also submit one small job at each site.")] = False,
    partition: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --job: in this partition. Default: the first offered.")
    ] = None,
    only: Annotated[str, typer.Option(metavar="A,B", help="Only these groups of checks, of A to G.")] = "",
    as_json: _Json = False,
) -> None:
    """Find what is wrong with a hub: its machine, Kerberos, addresses, catalogue and sites.

    Run it on the hub's machine as the hub's account; the hub may run. It exits with 0 if all is well, with 1 if
    something failed, with 2 if something could not be looked at.
    """
    # JupyterHub is loaded for this verb alone.
    from slurm_ssh_spawner.cli import doctor as examining  # noqa: PLC0415

    with ending_in_a_sentence():
        asked = examining.asked(config, site or [], person, with_job=job, partition=partition, only=only)
        status = examining.doctor(asked, as_json=as_json)
    raise typer.Exit(status)


@app.command()
def schema(
    reference: Annotated[
        bool, typer.Option("--reference", help="Print the reference page instead, in Markdown.")
    ] = False,
) -> None:
    """Print the JSON Schema of catalogues, for editors."""
    showing.schema(reference=reference)


@app.command()
def show(
    user: Annotated[str, typer.Option(metavar="NAME", help="The person's name on the hub.")],
    file: _File = _CATALOGUE,
    group: _Groups = None,
    project: _Projects = None,
) -> None:
    """Print what a person is offered, and why not the rest."""
    with ending_in_a_sentence():
        showing.show(Asked.of(file, user, group, project))


@app.command()
def script(
    file: _File = _CATALOGUE,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The person's name on the hub; default: yours.")
    ] = None,
    group: _Groups = None,
    project: _Projects = None,
    profile: Annotated[str | None, typer.Option(metavar="KEY", help="Default: the first one offered.")] = None,
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Default: the profile's first one.")] = None,
    choice: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A choice, such as time=2h; may be repeated.")
    ] = None,
) -> None:
    """Print the job script that would be sent."""
    places = {"profile": profile, "site": site}
    with ending_in_a_sentence():
        chosen = [*(choice or ()), *(f"{name}={key}" for name, key in places.items() if key)]
        showing.script(Asked.of(file, user, group, project), chosen)


@app.command()
def add_site(
    hosts: Annotated[
        list[str], typer.Argument(metavar="HOST...", help="Full names of the cluster's login hosts.")
    ],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of their sshd.")] = 22,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Key of the entry; default: from the first host's name.")
    ] = "",
    title: Annotated[str, typer.Option(help="What people read; default: the key.")] = "",
    hub_url: Annotated[str, typer.Option(metavar="URL", help="The hub's API as the nodes reach it.")] = "",
    tunnel: Annotated[
        bool, typer.Option("--tunnel/--direct", help="Whether the hub cannot connect to its nodes.")
    ] = False,
    job_folder: Annotated[
        str, typer.Option(metavar="PATH", help=f"Folder of jobs there; default: {adding.JOB_FOLDER}.")
    ] = "",
    jupyter: Annotated[
        str, typer.Option(metavar="WORDS", help="Modules with jupyterhub-singleuser, or a folder.")
    ] = "",
    ca_key: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="People come by certificate: the key of their authority, on the hub's machine."
        ),
    ] = "",
    slurm: Annotated[
        bool | None,
        typer.Option(
            "--slurm/--no-slurm",
            help="Also ask its Slurm, as you, over a connection with these host keys: compare them first. "
            "Default: you are asked whether you have.",
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put it below `sites` of this catalogue.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Print an entry for a cluster, to be reviewed: its host keys, and what its Slurm says."""
    asked = adding.Asked(key, title, hub_url, job_folder, jupyter, tunnel, ca_key)
    with ending_in_a_sentence():
        adding.check(asked)
        found = [adding.front_end(host, port, needs_ticket=not ca_key) for host in dict.fromkeys(hosts)]
        if into or (slurm is None and sys.stdin.isatty()):
            adding.show_keys(found)
        if slurm is None and sys.stdin.isatty():
            slurm = typer.confirm(sentences.ARE_THEY, err=True)
        adding.add_site(asked, found, with_slurm=bool(slurm), as_json=as_json, file=into)


@app.command()
def launches(
    words: Annotated[
        str,
        typer.Argument(
            metavar="[WORDS]",
            help="Part of a name (person, server, profile, node) or of the reason; the number of a job or launch.",
        ),
    ] = "",
    user: Annotated[str, typer.Option(metavar="NAME", help="Whose, by their name on the hub.")] = "",
    site: Annotated[str, typer.Option(metavar="KEY", help="At this site.")] = "",
    profile: Annotated[str, typer.Option(metavar="KEY", help="Of this profile.")] = "",
    state: Annotated[str, typer.Option(metavar="STATE", help="on-its-way, up, stop-owed, failed or ended.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Going on after this: a date, or 7d, 12h ago.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Begun before this.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    records: Annotated[
        str, typer.Option(metavar="URL", help="The hub's records_url; nothing is changed there.")
    ] = _RECORDS,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: _Json = False,
) -> None:
    """Print who started what, where and when, and why it ended."""
    # A database's libraries are loaded for this verb alone: the daemon of tunnels is smaller without.
    from slurm_ssh_spawner.cli import launches as listing  # noqa: PLC0415

    if as_csv and as_json:
        raise typer.BadParameter(sentences.ONE_FORMAT)
    asked = listing.Asked(words, user, site, profile, state, since, until)
    with ending_in_a_sentence():
        listing.launches(records, listing.sought(asked), limit, as_json=as_json, as_csv=as_csv)


@app.command()
def tunnels(
    socket: Annotated[Path, typer.Option(metavar="PATH", help="Where the hub finds it.")] = carrying.SOCKET,
    show_list: Annotated[
        bool, typer.Option("--list", help="Print the tunnels that one carries, and end.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Carry a hub's tunnels, in a process of their own."""
    with ending_in_a_sentence():
        carrying.tunnels(socket, listing=show_list, as_json=as_json)


@app.command()
def docs(
    page: Annotated[
        str, typer.Argument(metavar="[PAGE]", help="Such as first-hub, or hub#tunnels for a part of it.")
    ] = "",
) -> None:
    """Print a page of the documentation of this version; without one, which there are."""
    with ending_in_a_sentence():
        pages.docs(page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 for problems found or a refusal, or 2 for a wrong command line."""
    return ended(lambda: app(arguments, prog_name=_PROGRAM))
