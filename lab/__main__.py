"""The command line of the lab: `python -m lab --help`."""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from lab.errors import LabError
from lab.hosts import UMASK
from lab.lab import DEFAULT_STATE, FAULTS, Lab
from lab.plan import HOSTS, HUB_PORT


def main() -> None:
    """Carry out one verb; exit with 1 and a sentence when it does not work."""
    arguments = _parser().parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    # As with Ctrl-C: a lab that is half up is taken down again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        arguments.verb(arguments)
    except LabError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Two Slurm sites, a KDC and a hub.")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder of the lab (%(default)s)")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    up = verbs.add_parser("up", help="start the lab")
    up.add_argument("--port", type=int, default=HUB_PORT, help="of the hub's URL; 0: any free one (%(default)s)")
    up.add_argument("--no-hub", dest="hub", action="store_false", help="no hub, no proxy, no URL")
    up.add_argument("--zurich", action="store_true", help="with a third site, where nobody knows Kerberos")
    up.set_defaults(verb=_up)

    verbs.add_parser("status", help="what runs where").set_defaults(verb=_status)
    verbs.add_parser("down", help="end the lab").set_defaults(verb=_down)

    run = verbs.add_parser("exec", help="run a command on a host")
    run.add_argument("host", choices=HOSTS, metavar="HOST")
    run.add_argument("-u", dest="user", help="as this account instead of root")
    run.add_argument("command", nargs="+", metavar="CMD", help="after --")
    run.set_defaults(verb=_exec)

    logs = verbs.add_parser("logs", help="print the logs of a host's daemons")
    logs.add_argument("host", choices=HOSTS, metavar="HOST")
    logs.set_defaults(verb=_logs)

    fault = verbs.add_parser("fault", help="break or mend something")
    fault.add_argument("fault", choices=FAULTS, metavar="FAULT", help=", ".join(FAULTS))
    fault.add_argument("host", choices=HOSTS, metavar="HOST")
    fault.add_argument("daemon", nargs="?", default="", metavar="DAEMON", help="not for cut and join")
    fault.set_defaults(verb=_fault)
    return parser


def _up(arguments: argparse.Namespace) -> None:
    Lab(arguments.state, arguments.port, arguments.hub, arguments.zurich).up()


def _down(arguments: argparse.Namespace) -> None:
    Lab(arguments.state).down()


def _status(arguments: argparse.Namespace) -> None:
    lab = Lab(arguments.state)
    for host, daemons in lab.status().items():
        for daemon in daemons:
            print(f"{host:14} {HOSTS[host].address:14} {daemon.name:24} {daemon.condition:12} {daemon.pid or ''}")
    if lab.has_hub:
        print(f"hub: {lab.url}")


def _exec(arguments: argparse.Namespace) -> NoReturn:
    command = Lab(arguments.state).command(arguments.host, arguments.command, arguments.user)
    os.umask(UMASK)
    os.execvp(command[0], command)  # noqa: S606 - the command takes over input, outputs and exit code


def _logs(arguments: argparse.Namespace) -> None:
    folder = Lab(arguments.state).log(arguments.host, "any").parent
    for log in sorted(folder.glob("*.log")):
        print(f"==> {log} <==")
        print(log.read_text(errors="replace"))


def _fault(arguments: argparse.Namespace) -> None:
    Lab(arguments.state).fault(arguments.fault, arguments.host, arguments.daemon)


if __name__ == "__main__":
    main()
