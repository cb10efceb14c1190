"""What belongs to a person whom an admin removes from JupyterHub: ended and forgotten before they are removed.

Nobody is renamed: JupyterHub would give their sessions, tokens and servers to whoever logs in by the new name, and
theirs that person's ticket.

JupyterHub itself stops their default server alone, and then cannot remove somebody with another one.  What is
theirs is found by their name, so whoever gets that name later must find nothing but what could not be settled: the
jobs at a site that does not answer are stopped later, with that name.
"""

import asyncio
from typing import Any

from jupyterhub.apihandlers.users import UserAPIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from slurm_ssh.deadline import Deadline
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import guests
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.hub.stopping import StopsServers, who_asks
from slurm_ssh_spawner.launch.records import DatabaseAway

# Their ticket goes with them.  A site that cannot be asked for so long is left to whoever has that name again.
_SETTLE_SECONDS = 15.0
_LOOK_SECONDS = 0.1


class UserHandler(StopsServers, UserAPIHandler):  # type: ignore[misc]
    """`/hub/api/users/<name>` as JupyterHub has it, but nothing of a person who is removed stays theirs."""

    @needs_scope("delete:users")  # type: ignore[untyped-decorator]
    async def delete(self, user_name: str) -> None:
        """Remove a person.  400 while a server of theirs is still being stopped, 503 without the records."""
        user = self.find_user(user_name)
        if user is not None and user.name != self.current_user.name:
            try:
                await self._settle(user)
            except DatabaseAway as error:
                raise web.HTTPError(503, error.message) from error
        await super().delete(user_name)

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def patch(self, user_name: str) -> None:
        """Change a person, but for their name: 400."""
        asked = self.get_json_body()
        if self.find_user(user_name) and isinstance(asked, dict) and asked.get("name", user_name) != user_name:
            raise web.HTTPError(400, sentences.NOT_RENAMED.format(user=user_name))
        await super().patch(user_name)

    async def _settle(self, user: Any) -> None:
        hub: Hub = self.settings[SETTING]
        running = [name for name, spawner in user.spawners.items() if spawner.active]
        await asyncio.gather(*(self.stopped(user, name) for name in running))
        _see_none_active(user)
        await self._end_launches(hub, user.name)
        # That may have taken a while, in which they can start another one.
        _see_none_active(user)
        guests.end_with_guest(user)
        await hub.launcher.forget_person(user.name)
        hub.availability.forget_person(user.name)
        hub.taught.forget_person(user.name)

    async def _end_launches(self, hub: Hub, user: str) -> None:
        """End what goes on without a server; wait a moment until nothing of theirs is left at any site."""
        launcher = hub.launcher
        for record in await launcher.records.unsettled(user):
            if record.is_open:
                await launcher.unattended.give_up(record.job(launcher.hub_name), who_asks(self, user))
        deadline = Deadline.after(_SETTLE_SECONDS)
        while await launcher.records.unsettled(user) and deadline.left > 0:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)


def _see_none_active(user: Any) -> None:
    if any(spawner.active for spawner in user.spawners.values()):
        raise web.HTTPError(400, sentences.STILL_BEING_STOPPED.format(user=user.name))
