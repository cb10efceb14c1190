"""Looks at servers that there are not yet: JupyterHub makes one of every such name, and each counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def nothing_made(db: Any, user: Any, server: str) -> Iterator[None]:
    """Let a block look at a user's server; forget it after that if it was not there and does not run.

    `user` is JupyterHub's, None if there is none; `server` is "" for the default one, which is always there.
    """
    is_new = bool(server) and user is not None and server not in user.orm_spawners
    try:
        yield
    finally:
        if is_new and (row := user.orm_spawners.get(server)) and not user.spawners[server].active:
            user.spawners.pop(server)
            db.delete(row)
            db.commit()
