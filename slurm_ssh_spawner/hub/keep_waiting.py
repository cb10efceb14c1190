"""`/hub/home/keep-waiting`: has a start that waits in the queue waited for longer."""

from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web

from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.home import Page
from slurm_ssh_spawner.hub.start_view import start_view
from slurm_ssh_spawner.launch.clock import clock
from slurm_ssh_spawner.launch.records import DatabaseAway


class KeepWaiting(Page):
    """Moves the moment at which the hub gives a start up, as far as its profile lets it."""

    @web.authenticated
    async def post(self) -> None:
        """Move it, if the job still waits, and lead to the page of the start; 503 without the database."""
        name, spawner = self.own()
        start = await start_view(self.current_user, name)
        record = start.server.record if start else None
        if start and record and start.may_wait_until:
            try:
                await self.shared.launcher.keep_waiting(record.launch_id, start.may_wait_until)
            except DatabaseAway as error:
                raise web.HTTPError(503, error.message) from error
            spawner.how_far.tell(sentences.WAITS_UNTIL.format(until=clock(start.may_wait_until)))
        path = ("spawn-pending", self.current_user.escaped_name, url_escape_path(name))
        self.redirect(url_path_join(self.hub.base_url, *path))
