"""How pages of ours stop servers, or take back their starts: soon, and whether or not the page waits for it."""

import asyncio
from typing import Any

from slurm_ssh_spawner.launch.records.stops import BY_OWNER, by_admin, by_service

# Long enough to see a job of a quick cluster end; what takes longer is seen on the page.
_STOP_SECONDS = 2.0


class StopsServers:
    """Of a handler that stops servers: each keeps who has asked for its end."""

    async def stop_single_user(self, user: Any, server_name: str = "") -> Any:
        """Stop a server as JupyterHub does."""
        handler: Any = super()
        user.spawners[server_name].stop_reason = who_asks(self, user.name)
        return await handler.stop_single_user(user, server_name)

    async def stop_server(self, owner: Any, name: str) -> None:
        """Stop a server, or take back its start; return once it is done, or soon: it is done all the same."""
        stopping = asyncio.ensure_future(self.stopped(owner, name))
        # What became of it stands on Home, and in the log.
        stopping.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait((stopping,), timeout=_STOP_SECONDS)

    async def stopped(self, owner: Any, name: str) -> None:
        """Stop a server, or take back its start; return once JupyterHub knows more, or waits no longer."""
        spawner = owner.spawners[name]
        if spawner.pending == "spawn" and spawner._spawn_future:
            spawner._spawn_future.cancel()
            await asyncio.wait((spawner._spawn_future,))
        if spawner.active and not spawner.pending:
            await self.stop_single_user(owner, name)


def who_asks(handler: Any, owner: str) -> str:
    """Return the reason of a stop of somebody's server that a handler was asked for."""
    asker = handler.current_user
    if (asker.kind, asker.name) == ("user", owner):
        return BY_OWNER
    return by_admin(asker.name) if asker.kind == "user" else by_service(asker.name)
