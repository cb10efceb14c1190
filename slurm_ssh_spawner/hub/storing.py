"""Writes to JupyterHub's own database."""

from typing import Any

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError


def commit(row: Any) -> None:
    """Store what has changed in a row's session, now.

    Raises SQLAlchemyError if that cannot be done; the session, which all of JupyterHub uses, can be used again.
    """
    session = sqlalchemy.inspect(row).session
    try:
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        raise
