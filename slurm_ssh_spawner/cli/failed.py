"""Why a command comes to nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from kerberos_auth.errors import AuthFailed
from profiles.errors import ChoiceRefused
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh.errors import LaunchError
from slurm_ssh.text import lines

_LONGEST = 100_000


class Failed(Exception):  # noqa: N818
    """What was asked cannot be done; the text says why."""


@contextmanager
def ending_in_a_sentence() -> Iterator[None]:
    """Exit with 1 and the sentence of what is raised in the block because something is not as it has to be."""
    try:
        yield
    except (AuthFailed, ChoiceRefused) as error:
        reason = error.message
    except (CatalogueInvalid, Failed, LaunchError, ValueError) as error:
        # `check` prints problems as what was asked for, to stdout; here they are why not.
        reason = str(error)
    else:
        return
    # Other programs, and hosts, may be quoted in it.
    sys.stderr.write(f"{lines(reason, _LONGEST)}\n")
    raise typer.Exit(1)
