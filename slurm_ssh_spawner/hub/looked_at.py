"""Looks at servers that there are not yet: JupyterHub makes one of every such name, and each counts."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slurm_ssh_spawner.hub.storing import store

# Person and server: made by a look alone, and how many look at it now.
_made: set[tuple[str, str]] = set()
_lookers: Counter[tuple[str, str]] = Counter()


@contextmanager
def nothing_made(db: Any, user: Any, server: str) -> Iterator[None]:
    """Let a block look at a user's server; the last of those who look forgets it if nobody has asked for it.

    `user` is JupyterHub's, None if there is none; `server` is "" for the default one, which is always there.
    """
    if not server or user is None:
        yield
        return
    key = (user.name, server)
    if server not in user.orm_spawners:
        _made.add(key)
    _lookers[key] += 1
    try:
        yield
    finally:
        _lookers[key] -= 1
        if not _lookers[key]:
            del _lookers[key]
            if key in _made:
                _made.discard(key)
                _forget(db, user, server)


def wanted(user: Any, server: str) -> None:
    """Keep a user's server that somebody looks at: it is about to be started."""
    _made.discard((user.name, server))


def _forget(db: Any, user: Any, server: str) -> None:
    row = user.orm_spawners.get(server)
    if row is not None and not user.spawners[server].active:
        user.spawners.pop(server)
        db.delete(row)
        store(db)
