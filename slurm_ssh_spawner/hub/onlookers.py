"""Who looks at what is offered to somebody else: they see what is known, and no site is asked as that person.

A person's ticket goes to a site when they choose something themselves, or when a server of theirs is started.
"""

from contextvars import ContextVar
from typing import Any

_LOOKS_ON: ContextVar[bool] = ContextVar("looks_on", default=False)


def note(asker: Any, owner: Any) -> None:
    """Note who asks in the request under way, and about whose servers: users of JupyterHub's, or a service."""
    _LOOKS_ON.set((asker.kind, asker.name) != ("user", owner.name))


def lift() -> None:
    """Let the request under way ask as the owner from now on: it starts a server of theirs."""
    _LOOKS_ON.set(False)


def looks_on() -> bool:
    """Return whether the request under way is of somebody who looks at what is another's."""
    return _LOOKS_ON.get()
