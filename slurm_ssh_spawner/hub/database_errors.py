"""What people read while JupyterHub's own database is locked, full or gone.

JupyterHub takes a person whom it cannot look up for one who is not logged in, and says "Missing or invalid
credentials"; other errors of the database are an "Internal Server Error".
"""

from typing import Any

from jupyterhub.handlers.base import BaseHandler
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

from slurm_ssh_spawner import sentences

_prepare = BaseHandler.prepare
_get_current_user = BaseHandler.get_current_user
_send_error = BaseHandler.send_error


def install() -> None:
    """Change what every handler of a JupyterHub in this process does then; a second call changes nothing."""
    BaseHandler.prepare = _prepared
    BaseHandler.get_current_user = _current_user
    BaseHandler.send_error = _error_sent


async def _current_user(handler: Any) -> Any:
    try:
        return await _get_current_user(handler)
    except SQLAlchemyError as error:
        handler.database_error = error
        raise


async def _prepared(handler: Any) -> None:
    try:
        await _prepare(handler)
    except web.HTTPError:
        if not hasattr(handler, "database_error"):
            raise
    if error := getattr(handler, "database_error", None):
        raise error


def _error_sent(handler: Any, status_code: int = 500, **kwargs: Any) -> None:
    if isinstance(kwargs.get("exc_info", (None, None))[1], SQLAlchemyError):
        handler.db.rollback()
        away = web.HTTPError(503, sentences.SERVERS_GO_ON.format(problem=sentences.HUB_DATABASE_AWAY))
        status_code, kwargs["exc_info"] = 503, (web.HTTPError, away, None)
    _send_error(handler, status_code, **kwargs)
