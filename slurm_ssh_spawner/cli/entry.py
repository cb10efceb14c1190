"""Where `jupyterhub-sites` begins: light, so that Ctrl-C counts from the first moment."""

from typing import NoReturn

from slurm_ssh import command


def main() -> NoReturn:
    """Carry out the command."""
    command.run("slurm_ssh_spawner.cli.main")
