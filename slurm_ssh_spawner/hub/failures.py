"""The one translation of errors of the core into what JupyterHub shows."""

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jupyterhub.spawner import SpawnException
from sqlalchemy.exc import SQLAlchemyError

from languages import for_log
from profiles.errors import ChoiceRefused
from slurm_ssh.errors import Broken, LaunchError, NoSuchHost, Refused, Unavailable
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.faults import HubDatabaseAway
from slurm_ssh_spawner.launch.records import DatabaseAway

_FAMILIES = {Refused: (400, "refused"), Unavailable: (503, "unavailable"), Broken: (500, "broken")}


class LaunchFailed(SpawnException):  # type: ignore[misc]
    """A LaunchError as JupyterHub shows it, on pages and to API callers.

    `said` is shown in place of the error's own message, unless it is "".  `sentence` is what is shown of `error`.
    """

    def __init__(self, error: LaunchError, said: str = "") -> None:
        status, reason = next(known for family, known in _FAMILIES.items() if isinstance(error, family))
        sentence = said or error.message
        self.error = error
        self.sentence = sentence
        message = f"{sentence}\n{error.quoted}".strip()
        quoted = f"<pre>{html.escape(error.quoted)}</pre>" if error.quoted else ""
        markup = html.escape(sentence) + quoted
        super().__init__(message, reason=reason, log_message=str(error), message_html=markup, status_code=status)
        self.jupyterhub_message = message
        self.jupyterhub_html_message = markup

    def get_message(self) -> str:
        """Return what tornado writes to the log: nothing, it is there."""
        return ""


@contextmanager
def nothing_started() -> Iterator[None]:
    """Turn errors of a database into HubDatabaseAway, before there is a job."""
    try:
        yield
    except DatabaseAway as error:
        raise HubDatabaseAway(sentences.NOTHING_STARTED.format(problem=error.message), error.detail) from error
    except SQLAlchemyError as error:
        said = sentences.NOTHING_STARTED.format(problem=sentences.HUB_DATABASE_AWAY)
        raise HubDatabaseAway(said, str(error)) from error


@contextmanager
def as_launch_failure(unavailable: str = "{problem}", log: Callable[[str], None] | None = None) -> Iterator[None]:
    """Turn errors of the gate and of the core into LaunchFailed.

    `unavailable` is the sentence about what may work later; the error's own takes the place of `{problem}` in it.
    `log` is called with what a line of the log says of the error, if nobody has told it there yet.
    """
    try:
        yield
    except (LaunchError, ChoiceRefused) as error:
        if log:
            log(_in_a_line(error))
        raise _translated(error, unavailable) from error


def _in_a_line(error: LaunchError | ChoiceRefused) -> str:
    """Return what admins need, without the lines that are quoted for the person."""
    detail = error.detail if isinstance(error, LaunchError) else ""
    said = for_log(error.message)
    return f"{said} [{detail}]" if detail else said


def _translated(error: LaunchError | ChoiceRefused, unavailable: str) -> LaunchFailed:
    if isinstance(error, ChoiceRefused):
        return LaunchFailed(Refused(error.message))
    may_work = isinstance(error, Unavailable) and not isinstance(error, NoSuchHost)
    said = unavailable.format(problem=error.message) if may_work else ""
    return LaunchFailed(error, said)
