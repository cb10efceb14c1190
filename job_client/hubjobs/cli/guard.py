"""What is around every command: a client for who is logged in, and what becomes of errors."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from hubjobs import calls, sentences
from hubjobs.calls import Call
from hubjobs.cli import entry, output
from hubjobs.client import Jobs
from hubjobs.errors import Away, HubJobsError

OTHER, USAGE, AWAY = 1, 2, 75
"""What a command ends with that did not do what it should."""

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])


def guarded(command: Command) -> Command:
    """Return a command whose errors are sentences, and end it with their status."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except Away as error:
            output.error(error)
            raise typer.Exit(AWAY) from None
        except HubJobsError as error:
            output.error(error)
            raise typer.Exit(OTHER) from None
        except ValueError as error:
            output.error(error)
            raise typer.Exit(USAGE) from None
        except OSError as error:
            if error.filename is None and entry.is_lost():
                # Told where the command line ends.
                raise
            place = error.filename or sentences.A_FILE
            output.error(HubJobsError(f"{place}: {error.strerror or type(error).__name__}"))
            raise typer.Exit(OTHER) from None
        except KeyboardInterrupt:
            raise typer.Exit(entry.INTERRUPTED) from None

    return run  # type: ignore[return-value]


@contextmanager
def client(patience_s: float = 30) -> Iterator[Jobs]:
    """Give a client for whoever is logged in."""
    with Jobs.logged_in(patience_s=patience_s) as jobs:
        yield jobs


def shown(jobs: Jobs, call: Call[T], view: Callable[[T], None], *, json: bool) -> None:
    """Write what a call gives: as the service's JSON, or as a view of it."""
    if json:
        output.as_json(jobs.said(call))
    else:
        view(jobs.do(call))


def are_ids(job_ids: list[str]) -> list[str]:
    """Return what may be ids of jobs, before anything is done with one of them.  Raises ValueError."""
    for each in job_ids:
        calls.job_path(each)
    return job_ids
