"""JupyterHub's API of shares: it shows and ends them as ever, and makes none.

A share that it would make would have no end, no warning, and no look at the profile.
"""

import logging
from typing import Any

from jupyterhub.apihandlers.shares import (
    GroupShareAPIHandler,
    ServerShareAPIHandler,
    ServerShareCodeAPIHandler,
    UserShareAPIHandler,
)
from tornado import web

from slurm_ssh_spawner.sentences import guests as sentences

_log = logging.getLogger(__name__)


class _Audited:
    """Of a handler: what it has ended is a line of the log."""

    def on_finish(self) -> None:
        """Finish as JupyterHub does."""
        super().on_finish()  # type: ignore[misc]
        handler: Any = self
        if handler.request.method in ("PATCH", "DELETE") and handler.get_status() < 400:
            _log.info(
                "sharing: %s ended by the API: revoked by %s", handler.request.path, handler.current_user.name
            )


class ServerShares(_Audited, ServerShareAPIHandler):  # type: ignore[misc]
    """`/hub/api/shares/<user>/<server>`."""

    async def post(self, *_path: str) -> None:
        """Refuse."""
        raise web.HTTPError(403, sentences.NOT_BY_API)


class ServerShareCodes(_Audited, ServerShareCodeAPIHandler):  # type: ignore[misc]
    """`/hub/api/share-codes/<user>/<server>`."""

    async def post(self, *_path: str) -> None:
        """Refuse."""
        raise web.HTTPError(403, sentences.NOT_BY_API)


class UserShares(_Audited, UserShareAPIHandler):  # type: ignore[misc]
    """`/hub/api/users/<user>/shared/<owner>/<server>`."""


class GroupShares(_Audited, GroupShareAPIHandler):  # type: ignore[misc]
    """`/hub/api/groups/<group>/shared/<owner>/<server>`."""
