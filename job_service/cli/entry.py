"""Where `jupyterhub-jobs` begins: light, so that Ctrl-C counts from the first moment."""

from typing import NoReturn

from slurm_ssh import command


def main() -> NoReturn:
    """Carry out the command."""
    command.run("job_service.cli.main")
