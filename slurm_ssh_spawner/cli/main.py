"""`jupyterhub-sites`: what an admin asks about a catalogue, and a hub's tunnels.  A driver without JupyterHub."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from kerberos_auth.errors import AuthFailed
from profiles.errors import ChoiceRefused
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh.errors import LaunchError
from slurm_ssh_spawner.cli import check, show, tunnels


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
    except (show.Failed, LaunchError, ValueError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyterhub-sites", description="Look into catalogues of sites and profiles; carry tunnels."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Command)

    checking = commands.add_parser("check", help="find everything that is wrong with catalogues")
    checking.add_argument("files", nargs="+", metavar="FILE")
    checking.add_argument(
        "--facts", action="store_true", help="compare with what each site's Slurm says, asked as you"
    )
    checking.set_defaults(command=check.check)

    schema = commands.add_parser("schema", help="print the JSON Schema of catalogues, for editors")
    schema.add_argument("--reference", action="store_true", help="print the reference page instead, in Markdown")
    schema.set_defaults(command=show.schema)

    showing = commands.add_parser("show", help="print what a person is offered, and why not the rest")
    _of_a_person(showing, required=True)
    showing.set_defaults(command=show.show)

    job = commands.add_parser("script", help="print the job script that would be sent")
    _of_a_person(job, required=False)
    job.add_argument("--profile", metavar="KEY", help="default: the first one offered")
    job.add_argument("--site", metavar="KEY", help="default: the profile's first one")
    job.add_argument("--choice", action="append", default=[], metavar="NAME=VALUE", help="such as time=2h")
    job.set_defaults(command=show.script)

    carrying = commands.add_parser("tunnels", help="carry a hub's tunnels, in a process of their own")
    carrying.add_argument(
        "--socket", default=tunnels.SOCKET, metavar="PATH", help="where the hub finds it (%(default)s)"
    )
    carrying.add_argument("--list", action="store_true", help="print the tunnels that one carries, and end")
    carrying.set_defaults(command=tunnels.tunnels)
    return parser


def _of_a_person(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--user", required=required, metavar="NAME", help="the person's name on the hub")
    parser.add_argument("--groups", nargs="*", default=[], metavar="NAME", help="the person's groups on the hub")
    parser.add_argument(
        "--projects", nargs="*", metavar="NAME", help="what the person may charge where Slurm's accounting says it"
    )
