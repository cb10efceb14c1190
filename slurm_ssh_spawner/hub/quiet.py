"""What the hub's log says of a start that came to nothing: one line, with the launch if there is one.

JupyterHub writes up to five more, some with a traceback, of the same error.  Where the core has not said it,
`failures.as_launch_failure` does.
"""

import logging
import re

from slurm_ssh_spawner.hub.failures import LaunchFailed

# Not any line with the name: whoever types that somewhere would hide what is said of them.
_OF_JUPYTERHUB = re.compile(
    rf"(?:Not starting|Error starting|Previous spawn for) [^\n]{{0,300}}: \d{{3}} {LaunchFailed.__name__}\("
)
# JupyterHub's own is that of the application; tornado and asyncio speak of an error that nobody took.
_OTHERS = ("tornado.application", "tornado.general", "asyncio")


class _SaidAlready(logging.Filter):
    """Lets nothing pass that tells of a LaunchFailed once more."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, LaunchFailed) and not _OF_JUPYTERHUB.match(record.getMessage())


_SAID_ALREADY = _SaidAlready()


def install(log: logging.Logger) -> None:
    """Have a hub's log say it once; a second call changes nothing."""
    for each in (log, *map(logging.getLogger, _OTHERS)):
        each.addFilter(_SAID_ALREADY)
