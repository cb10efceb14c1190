"""Writes to JupyterHub's own database."""

import logging
from typing import Any

import sqlalchemy
from jupyterhub import orm
from sqlalchemy.exc import SQLAlchemyError

_log = logging.getLogger(__name__)


def commit(row: Any) -> None:
    """Store what has changed in a row's session, now; raises as `store`."""
    store(sqlalchemy.inspect(row).session)


def store(session: Any) -> None:
    """Store what has changed in a session of JupyterHub's, now.

    Raises SQLAlchemyError if that cannot be done; the session, which all of JupyterHub uses, can be used again.
    """
    try:
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        raise


def forget_token(session: Any, token: str) -> None:
    """Remove a token that the hub made for itself; one that cannot be removed now ends by itself soon."""
    try:
        if row := orm.APIToken.find(session, token):
            session.delete(row)
            store(session)
    except SQLAlchemyError as error:
        session.rollback()
        _log.warning("a token that is of no use any more stays until its end: %s", error)
