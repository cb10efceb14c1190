"""The one translation of errors of the core into what JupyterHub shows."""

import html
from collections.abc import Iterator
from contextlib import contextmanager

from jupyterhub.spawner import SpawnException

from profiles.errors import ChoiceRefused
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable

_FAMILIES = {Refused: (400, "refused"), Unavailable: (503, "unavailable"), Broken: (500, "broken")}


class LaunchFailed(SpawnException):  # type: ignore[misc]
    """A LaunchError as JupyterHub shows it, on pages and to API callers."""

    def __init__(self, error: LaunchError) -> None:
        status, reason = next(said for family, said in _FAMILIES.items() if isinstance(error, family))
        message = f"{error.message}\n{error.quoted}".strip()
        quoted = f"<pre>{html.escape(error.quoted)}</pre>" if error.quoted else ""
        markup = html.escape(error.message) + quoted
        super().__init__(message, reason=reason, log_message=str(error), message_html=markup, status_code=status)
        self.jupyterhub_message = message
        self.jupyterhub_html_message = markup


@contextmanager
def as_launch_failure() -> Iterator[None]:
    """Turn errors of the gate and of the core into LaunchFailed."""
    try:
        yield
    except LaunchError as error:
        raise LaunchFailed(error) from error
    except ChoiceRefused as error:
        raise LaunchFailed(Refused(error.message)) from error
