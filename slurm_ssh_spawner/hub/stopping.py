"""How pages of ours stop servers, or take back their starts: soon, and whether or not the page waits for it."""

import asyncio
from typing import Any

# Long enough to see a job of a quick cluster end; what takes longer is seen on the page.
_STOP_SECONDS = 2.0


class StopsServers:
    """Of a handler that stops servers."""

    async def stop_server(self, owner: Any, name: str, why: str = "") -> None:
        """Stop a server, or take back its start; return once it is stopped, or soon: it is stopped all the same.

        `why` is the sentence that its owner is told, "" if they have asked.
        """
        stopping = asyncio.ensure_future(self._stopped(owner, name, why))
        # What became of it stands on Home, and in the log.
        stopping.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait((stopping,), timeout=_STOP_SECONDS)

    async def _stopped(self, owner: Any, name: str, why: str) -> None:
        handler: Any = self
        spawner = owner.spawners[name]
        # Of an earlier stop that came to nothing, somebody else's maybe.
        spawner.stop_reason = why
        if spawner.pending == "spawn" and spawner._spawn_future:
            spawner._spawn_future.cancel()
            await asyncio.wait((spawner._spawn_future,))
        if spawner.active and not spawner.pending:
            await handler.stop_single_user(owner, name)
