"""`jupyterhub-sites init`: what is asked on a terminal, what is made, and what is told of it."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from slurm_ssh_spawner.cli import add_site, output
from slurm_ssh_spawner.cli.add_site import Asked
from slurm_ssh_spawner.cli.failed import Failed, ending_in_a_sentence
from slurm_ssh_spawner.cli.init import by_hand, first_cluster
from slurm_ssh_spawner.cli.init.answers import Answers, Pam, own_environment, own_hub_url
from slurm_ssh_spawner.cli.init.files import files
from slurm_ssh_spawner.cli.init.first_cluster import Cluster
from slurm_ssh_spawner.cli.init.making import Made, make
from slurm_ssh_spawner.cli.init.there import there
from slurm_ssh_spawner.sentences import command_line as sentences

Answer = TypeVar("Answer", str, bool)


def init(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HOST]...", help="Full names of the first cluster's login hosts."),
    ] = None,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Make all below this folder: a dry run, as anybody.")
    ] = (Path("/")),
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: the default for what is not said here.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of their sshd.")] = 22,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Key of the cluster; default: from its host's name.")
    ] = "",
    title: Annotated[str | None, typer.Option(help="Its title; default: its key.")] = None,
    hub_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The hub's API as its nodes reach it; default: this machine.")
    ] = None,
    tunnel: Annotated[
        bool | None, typer.Option("--tunnel/--direct", help="Whether the hub cannot connect to its nodes.")
    ] = None,
    job_folder: Annotated[
        str | None,
        typer.Option(metavar="PATH", help=f"Folder of jobs there; default: {add_site.JOB_FOLDER}."),
    ] = None,
    jupyter: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help=f"Modules with jupyterhub-singleuser, or a folder; default: {first_cluster.JUPYTER}.",
        ),
    ] = None,
    hub_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="In the names of jobs; default: hub.")
    ] = None,
    pam: Annotated[Pam | None, typer.Option(help="Who decides about logins; default: what is installed.")] = None,
    admin: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An administrator of the hub; may be repeated.")
    ] = None,
    jobs: Annotated[
        bool | None, typer.Option("--jobs/--no-jobs", help="Whether it takes batch jobs, too.")
    ] = None,
    account: Annotated[str, typer.Option(metavar="NAME", help="The account of the hub.")] = "jupyterhub",
    environment: Annotated[
        str, typer.Option(metavar="DIR", help="Where the hub is installed.", show_default=False)
    ] = own_environment(),
    bind_url: Annotated[str, typer.Option(metavar="URL", help="Where its proxy listens.")] = "http://0.0.0.0:8000",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Make what a hub needs here, and say what is left to do by hand; nothing that is there is changed.

    Asked on a terminal is what is not said by options. Where there is a catalogue, no login host has to be named.
    """
    asks, found = sys.stdin.isatty() and not yes, there(root.absolute() / "etc/jupyterhub")
    with ending_in_a_sentence():
        # Questions are about files that are to be made.
        asks_of_cluster, asks_of_hub = asks and not found.has_catalogue, asks and not found.has_configuration
        named = tuple(hosts or _asked(None, sentences.ASK_HOSTS, "", asks_of_cluster).split())
        if not named and not found.has_catalogue:
            raise Failed(sentences.NO_HOSTS)
        cluster = Cluster(
            named,
            port,
            Asked(
                key,
                _asked(title, sentences.ASK_TITLE, "", asks_of_cluster),
                _asked(hub_url, sentences.ASK_HUB_URL, own_hub_url(), asks_of_cluster),
                with_tunnel=_asked(tunnel, sentences.ASK_TUNNEL, found.has_tunnels, asks_of_cluster),
                job_folder=_asked(job_folder, sentences.ASK_JOB_FOLDER, add_site.JOB_FOLDER, asks_of_cluster),
                jupyter=_asked(jupyter, sentences.ASK_JUPYTER, first_cluster.JUPYTER, asks_of_cluster),
            ),
        )
        answers = Answers(
            hub_name=_asked(hub_name, sentences.ASK_HUB_NAME, "hub", asks_of_hub),
            account=account,
            environment=environment,
            bind_url=bind_url,
            pam=pam or (by_hand.module_here() if found.has_kerberos else Pam.NONE),
            admins=tuple(admin or _asked(None, sentences.ASK_ADMINS, "", asks_of_hub).split()),
            jobs=_asked(jobs, sentences.ASK_JOBS, False, asks),
            tunnels=cluster.asked.with_tunnel,
            kerberos=found.has_kerberos,
        )
        _set_up(answers, cluster, root.absolute(), as_json=as_json)


def _asked(given: Answer | None, question: str, default: Answer, asks: bool) -> Answer:
    if given is not None or not asks:
        return default if given is None else given
    ask: Callable[..., Answer] = typer.confirm if isinstance(default, bool) else typer.prompt
    return ask(question, default=default, show_default=default != "", err=True)


def _set_up(answers: Answers, cluster: Cluster, root: Path, *, as_json: bool) -> None:
    answers.check()
    add_site.check(cluster.asked)
    front_ends, notes = first_cluster.looked_at(cluster)
    catalogue = first_cluster.catalogue(cluster, front_ends) if front_ends else ""
    made = make(files(answers, catalogue), root, answers.account)
    steps = by_hand.steps(answers, made, notes)
    if as_json:
        paths = {word: [str(each.path) for each in made if each.is_new is new] for word, new in _WORDS.items()}
        print(json.dumps({**paths, "by_hand": list(steps)}, indent=2, ensure_ascii=False))
    else:
        _tell(made, steps)


_WORDS = {"made": True, "kept": False}


def _tell(made: Sequence[Made], steps: Sequence[str]) -> None:
    words = {True: sentences.MADE, False: sentences.KEPT}
    output.table(
        (sentences.WHAT_BECAME, sentences.MODE, sentences.PATH),
        [(words[each.is_new], f"{each.path.stat().st_mode & 0o777:04o}", str(each.path)) for each in made],
    )
    print(f"\n{sentences.BY_HAND}")
    for number, step in enumerate(steps, 1):
        first, *more = step.split("\n")
        print(f"{number:2}. {first}")
        for line in more:
            print(f"    {line}")
