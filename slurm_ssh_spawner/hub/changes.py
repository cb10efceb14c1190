"""`/hub/home/changes`: tells a page that is open when Home says something else, so that it need not ask for it."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from tornado import web
from tornado.iostream import StreamClosedError

from slurm_ssh_spawner.hub.home import ServersPart
from slurm_ssh_spawner.hub.overview import Overview, overview

_EVERY_SECONDS = 15.0
_HOUR = 60
# After that the browser connects anew, so that a session that is over, or narrowed, hears nothing more.
_LOOKS = 40
_MOST = 20
"""Streams of one person at once: as many pages as somebody has open."""

_CHANGED = "event: changed\ndata:\n\n"
# A comment: what stands between would end a silent connection.
_UNCHANGED = ":\n\n"
_SAME_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class Changes(ServersPart):
    """A stream of server-sent events: `changed` each time that Home's parts are others than before.

    To look costs the hub a tenth of what it costs to answer a page that asks: nobody is authenticated, and nothing
    is rendered.
    """

    _open: ClassVar[Counter[str]] = Counter()

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Be ready for a browser that leaves at once."""
        super().initialize(*args, **kwargs)
        self._gone = asyncio.Event()

    async def get(self) -> None:
        """Answer for ten minutes.  403 for who is not logged in, 429 for who has too many pages open."""
        if self.current_user is None:
            raise web.HTTPError(403)
        name = self.current_user.name
        if self._open[name] >= _MOST:
            raise web.HTTPError(429)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        # nginx keeps back what comes in small pieces, unless it is told not to.
        self.set_header("X-Accel-Buffering", "no")
        self._open[name] += 1
        try:
            await self._tell()
        except StreamClosedError:
            return
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    def on_connection_close(self) -> None:
        """Look no more."""
        super().on_connection_close()
        self._gone.set()

    async def _tell(self) -> None:
        self.write(_UNCHANGED)
        await self.flush()
        before = _said(await overview(self.shared, self.current_user))
        for _ in range(_LOOKS):
            if await self._is_gone():
                return
            now = _said(await overview(self.shared, self.current_user))
            self.write(_UNCHANGED if now == before else _CHANGED)
            await self.flush()
            before = now

    async def _is_gone(self) -> bool:
        """Wait until the next look; return whether there is nobody to look for."""
        try:
            async with asyncio.timeout(_EVERY_SECONDS):
                await self._gone.wait()
        except TimeoutError:
            return self.find_user(self.current_user.name) is None
        return True


def _said(told: Overview) -> tuple[object, ...]:
    """Return what of it is shown: of a server also the minutes that are left, or have gone by since its end."""
    servers = (replace(view, now=_SAME_MOMENT, last_used=None) for view in told.servers)
    minutes = ((_about(view.minutes_left or 0), _about(view.minutes_since)) for view in told.servers)
    # That the same was heard again is no news.
    clusters = (replace(each, asked_at=each.asked_at and _SAME_MOMENT) for each in told.clusters)
    return replace(told, servers=tuple(servers), clusters=tuple(clusters)), tuple(minutes)


def _about(minutes: int) -> int:
    """Return minutes as exactly as people want them: within an hour each counts."""
    return minutes if minutes < _HOUR else minutes // 5
