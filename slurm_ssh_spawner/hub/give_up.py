"""Ends launches that go on without a server of JupyterHub: the server was removed, or is not back yet."""

from typing import Any

from jupyterhub.utils import url_path_join
from tornado import web

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.home import Page
from slurm_ssh_spawner.hub.launches_page import AdminPage
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.hub.stopping import StopsServers, who_asks
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord


class GiveUp(StopsServers, Page):
    """`/hub/home/give-up`: ends a launch of theirs by its id, with its server if there is one by now."""

    @web.authenticated
    async def post(self) -> None:
        """End it and lead to Home; 404 for a launch that is not theirs, 503 without the database."""
        record = await _record(self.shared, self.get_body_argument("launch", ""))
        if record.user != self.current_user.name:
            raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH)
        self.demand("delete:servers", record.server)
        if _has_server(self.current_user, record):
            await self.stop_server(self.current_user, record.server)
        else:
            await give_up(self, record)
        self.go_home()


class GiveUpByAdmin(StopsServers, AdminPage):
    """`/hub/launches/<LaunchId>/stop`: ends anybody's launch, also of a person who is gone."""

    @web.authenticated
    async def get(self, launch_id: str) -> None:
        """Lead to the launch: a login may end here."""
        self._to_launch(launch_id)

    @web.authenticated
    async def post(self, launch_id: str) -> None:
        """End it, and lead to its page; 404 if there is none, 503 without the database."""
        record = await _record(self.shared, launch_id)
        owner = self.find_user(record.user)
        if owner and _has_server(owner, record):
            await self.stop_server(owner, record.server)
        else:
            await give_up(self, record)
        self._to_launch(launch_id)

    def _to_launch(self, launch_id: str) -> None:
        self.redirect(url_path_join(self.hub.base_url, "launches", launch_id))


async def give_up(handler: Page | AdminPage, record: LaunchRecord) -> None:
    """End a launch that has no server, as the handler was asked to."""
    if record.ended is None:
        launcher = handler.shared.launcher
        await launcher.unattended.give_up(record.job(launcher.hub_name), who_asks(handler, record.user))


async def _record(hub: Hub, launch_id: str) -> LaunchRecord:
    try:
        record = await hub.launcher.records.get(LaunchId(launch_id))
    except DatabaseAway as error:
        raise web.HTTPError(503, error.message) from error
    if record is None:
        raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH)
    return record


def _has_server(owner: Any, record: LaunchRecord) -> bool:
    """Return whether JupyterHub starts or runs the server of a launch; one that it looks at only may not be up."""
    spawner = owner.spawners.get(record.server)
    is_its = spawner is not None and getattr(spawner, "launch_id", None) == record.launch_id
    return is_its and spawner.active and spawner.pending != "check"
