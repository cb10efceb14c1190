"""`jupyterhub-sites`: what an admin asks about a catalogue.  A driver that knows no JupyterHub."""

import argparse
import asyncio
import getpass
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kerberos_auth.errors import AuthFailed
from kerberos_auth.own import own_ticket
from kerberos_auth.tickets import Ticket
from profiles import feasible, launch, load, reference, written
from profiles.choices import Choices
from profiles.errors import CatalogueInvalid, ChoiceRefused
from profiles.facts import Facts, SiteFacts
from profiles.load import Loaded
from profiles.offer import Asker, Offer
from profiles.schema import Catalogue
from profiles.summary import summary
from slurm_ssh_spawner import script
from slurm_ssh_spawner.job import LaunchId, mark
from slurm_ssh_spawner.pool import ConnectionPool
from slurm_ssh_spawner.questions import snapshot
from slurm_ssh_spawner.remote import Remote
from slurm_ssh_spawner.script import ServerProcess
from slurm_ssh_spawner.ssh import Login

_IDLE_SECONDS = 60
_LAUNCH_ID = LaunchId("0" * 12)


class _Failed(Exception):  # noqa: N818
    """What was asked cannot be done; the text says why."""


class _Command(argparse.ArgumentParser):
    """The options of one command.  An abbreviation would come to mean something else with the next option."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 for problems found or a refusal, or exit with 2 for a wrong command line."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # What matters of a connection, our own log says.
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    command: Callable[[argparse.Namespace], int] = asked.command
    try:
        return command(asked)
    except CatalogueInvalid as error:
        # `check` prints problems as what was asked for, to stdout; here they are why not.
        print(error, file=sys.stderr)
    except (AuthFailed, ChoiceRefused) as error:
        print(error.message, file=sys.stderr)
    except (_Failed, ValueError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyterhub-sites", description="Look into catalogues of sites and profiles."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Command)

    check = commands.add_parser("check", help="find everything that is wrong with catalogues")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument(
        "--facts", action="store_true", help="compare with what each site's Slurm says, asked as you"
    )
    check.set_defaults(command=_check)

    schema = commands.add_parser("schema", help="print the JSON Schema of catalogues, for editors")
    schema.add_argument("--reference", action="store_true", help="print the reference page instead, in Markdown")
    schema.set_defaults(command=_schema)

    show = commands.add_parser("show", help="print what a person is offered, and why not the rest")
    _of_a_person(show, required=True)
    show.set_defaults(command=_show)

    job = commands.add_parser("script", help="print the job script that would be sent")
    _of_a_person(job, required=False)
    job.add_argument("--profile", metavar="KEY", help="its first one, if left out")
    job.add_argument("--site", metavar="KEY", help="the profile's first one, if left out")
    job.add_argument("--choice", action="append", default=[], metavar="NAME=VALUE", help="such as time=2h")
    job.set_defaults(command=_script)
    return parser


def _of_a_person(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--user", required=required, metavar="NAME", help="the person's name on the hub")
    parser.add_argument("--groups", nargs="*", default=[], metavar="NAME", help="her groups on the hub")
    parser.add_argument(
        "--projects", nargs="*", metavar="NAME", help="what she may charge where Slurm's accounting says it"
    )


def _check(asked: argparse.Namespace) -> int:
    results = [_check_one(file, asked.facts) for file in asked.files]
    return 0 if all(results) else 1


def _check_one(file: str, with_facts: bool) -> bool:
    """Print the problems of one catalogue, or that there are none."""
    try:
        read = load.loaded(file)
    except CatalogueInvalid as error:
        print(error)
        return False
    sites, profiles = read.catalogue.sites, read.catalogue.profiles
    print(f"{file}: {_count(sites, 'site')}, {_count(profiles, 'profile')}, no problem found", end="")
    if not with_facts:
        print(".")
        return True
    print(" in what is written.")
    return _check_facts(file, read)


def _check_facts(file: str, read: Loaded) -> bool:
    sites = read.catalogue.sites
    answers = asyncio.run(_ask(read.catalogue, own_ticket()))
    facts = {key: said for key, said in answers.items() if said is not None and said.partitions is not None}
    problems = [read.problem(each.path, str(each)) for each in feasible.misfits(read.catalogue, facts)]
    problems += [
        read.problem(("sites", key), f"{site.title} could not be asked, so nothing is proven about it; see above")
        for key, site in sites.items()
        if key not in facts
    ]
    for problem in dict.fromkeys(sorted(problems, key=lambda each: (each.file, each.line, each.column))):
        print(problem)
    if not problems:
        print(f"{file}: Slurm at {', '.join(sites)} has all of it.")
    return not problems


async def _ask(catalogue: Catalogue, ticket: Ticket) -> Mapping[str, SiteFacts | None]:
    """Ask every site at once, as the ticket's owner."""
    pool = ConnectionPool(lambda _: ticket, _IDLE_SECONDS)

    def remote(key: str) -> Remote:
        site = catalogue.sites[key]
        return Remote(pool, Login(ticket.user, site.login_name.get(ticket.user, ticket.user), key), site)

    try:
        answers = await asyncio.gather(*(snapshot(remote(key)) for key in catalogue.sites))
    finally:
        await pool.close()
    return dict(zip(catalogue.sites, answers, strict=True))


def _schema(asked: argparse.Namespace) -> int:
    if asked.reference:
        print(reference.page(), end="")
    else:
        print(json.dumps(written.json_schema(), indent=2))
    return 0


def _offer(asked: argparse.Namespace) -> Offer:
    catalogue = load.read(asked.file)
    facts: Facts = {}
    if asked.projects is not None:
        facts = {key: SiteFacts(projects=tuple(asked.projects)) for key in catalogue.sites}
    asker = Asker(asked.user or getpass.getuser(), frozenset(asked.groups))
    return Offer(catalogue, facts, asker, datetime.now().astimezone())


def _show(asked: argparse.Namespace) -> int:
    print(summary(_offer(asked)))
    return 0


def _script(asked: argparse.Namespace) -> int:
    pairs = [_pair(text) for text in asked.choice]
    pairs += [(name, key) for name in ("profile", "site") if (key := getattr(asked, name))]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise _Failed("A choice is given more than once; give each once.")
    offer = _offer(asked)
    decided = launch.resolve(offer, Choices.of(given))
    process = ServerProcess(
        arguments=(),
        environ={"JUPYTERHUB_USER": offer.asker.name},
        secrets={},
        report_url=f"{decided.site.hub_url or 'http://HUB'}/hub/api/launches/{_LAUNCH_ID}",
    )
    print(script.build(decided, _LAUNCH_ID, mark("HUB", _LAUNCH_ID), process, ()).text, end="")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _Failed(f"The choice {text} is not NAME=VALUE; write one such as time=2h.")
    return name, value


def _count(things: Mapping[str, object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
