"""`/hub/api/passage`: shows from outside what gets through to the hub: websockets, and events when they happen.

`jupyterhub-sites doctor` asks it at the address of browsers.  It needs no login: it says nothing of anybody.
"""

import asyncio
import time
from typing import Any, ClassVar

from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

HOLD_SECONDS = 2.0
"""How long a stream stays open after its first event: what holds back events shows it no earlier."""

_MOST = 20
"""Streams at once: one is enough for whoever looks."""

_LONGEST_MESSAGE = 1024


class Passage(WebSocketHandler):
    """Opens a websocket for whoever asks for one, and ends it; everybody else gets a stream of two events.

    The first says when it was sent, in seconds since the epoch.
    """

    _streams: ClassVar[int] = 0

    def initialize(self) -> None:
        """Be ready for somebody who leaves at once."""
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002 - nothing here is anybody's
        """Let everybody in."""
        return True

    @property
    def max_message_size(self) -> int:
        """Nobody has to say anything: who says much is cut off."""
        return _LONGEST_MESSAGE

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: ARG002
        """End a websocket that was opened."""
        self.close()

    def on_message(self, message: str | bytes) -> None:
        """Hear what somebody says before they have read that it is over."""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Answer 101 to a websocket, else with the stream; 429 while there are many of these."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)
            return
        if Passage._streams >= _MOST:
            raise web.HTTPError(429)
        Passage._streams += 1
        try:
            await self._stream()
        except StreamClosedError:
            return
        finally:
            Passage._streams -= 1

    def on_connection_close(self) -> None:
        """End the stream."""
        super().on_connection_close()
        if not self._gone.done():
            self._gone.set_result(None)

    async def _stream(self) -> None:
        # As JupyterHub's own stream of a start: without X-Accel-Buffering, with which nginx would let it through.
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.write(f"data: {time.time():.3f}\n\n")
        await self.flush()
        await asyncio.wait((self._gone,), timeout=HOLD_SECONDS)
        if not self._gone.done():
            self.write("data: end\n\n")
