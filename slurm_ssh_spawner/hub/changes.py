"""`/hub/home/changes`: tells a page that is open when Home says something else, so that it need not ask for it."""

import asyncio
from typing import Any, ClassVar

from tornado import web
from tornado.iostream import StreamClosedError

from slurm_ssh_spawner.hub.home import ServersPart
from slurm_ssh_spawner.hub.looks import Looks, Said

# After that the browser connects anew, so that a session that is over, or narrowed, hears nothing more.
_LOOKS = 40
_MOST = 20
"""Streams of one person at once: as many pages as somebody has open."""

_CHANGED = "event: changed\ndata:\n\n"
# A comment: what stands between would end a silent connection.
_UNCHANGED = ":\n\n"


class Changes(ServersPart):
    """A stream of server-sent events: `changed` each time that Home's parts are others than before.

    To look costs the hub little of what it costs to answer a page that asks: nobody is authenticated, nothing is
    rendered, the database is read only after a write, and one look is enough for all pages of a person.
    """

    _open: ClassVar[dict[Any, Looks]] = {}

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Be ready for a browser that leaves at once."""
        super().initialize(*args, **kwargs)
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def get(self) -> None:
        """Answer for ten minutes.  403 for who is not logged in, 429 for who has too many pages open."""
        user = self.current_user
        if user is None:
            raise web.HTTPError(403)
        looks = self._open.setdefault(user, Looks(self.shared, user))
        if looks.pages >= _MOST:
            raise web.HTTPError(429)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        # nginx keeps back what comes in small pieces, unless it is told not to.
        self.set_header("X-Accel-Buffering", "no")
        looks.pages += 1
        try:
            await self._tell(looks)
        except StreamClosedError:
            return
        finally:
            looks.pages -= 1
            if not looks.pages:
                looks.close()
                del self._open[user]

    def on_connection_close(self) -> None:
        """Look no more."""
        super().on_connection_close()
        if not self._gone.done():
            self._gone.set_result(None)

    async def _tell(self, looks: Looks) -> None:
        self.write(_UNCHANGED)
        await self.flush()
        before = await looks.now()
        # Whoever is removed from JupyterHub is no more among its users.
        user_id = self.current_user.id
        for _ in range(_LOOKS):
            now = await self._looked(looks)
            if now is None or user_id not in self.users:
                return
            self.write(_UNCHANGED if now == before else _CHANGED)
            await self.flush()
            before = now

    async def _looked(self, looks: Looks) -> Said | None:
        """Return what the next look says; None if there is nobody to tell any more."""
        look = looks.next()
        await asyncio.wait((look, self._gone), return_when=asyncio.FIRST_COMPLETED)
        return None if self._gone.done() else look.result()
