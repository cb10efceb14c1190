"""The job script that a start would send, for who is about to press Start."""

from dataclasses import replace
from typing import Any

from jupyterhub.slugs import is_valid_safe_slug
from jupyterhub.utils import url_escape_path, url_path_join

from slurm_ssh_spawner.hub.failures import as_launch_failure
from slurm_ssh_spawner.hub.offer_api import OfferHandler
from slurm_ssh_spawner.hub.shared import SETTING, Hub, StartRequest
from slurm_ssh_spawner.launch import shown_script
from slurm_ssh_spawner.launch.script import ServerProcess


class ScriptHandler(OfferHandler):
    """`GET /hub/api/job-script?user=NAME&server=NAME` and choices, each under its name; changes nothing.

    The answer is `{"script": text}`.  Needed is the scope `servers` for that user.
    """

    async def get(self) -> None:
        """Answer; what cannot be started is answered as its start would be.  403 and 404 as the offer."""
        user, choices = self.whose(), self.choices()
        request = StartRequest.of(user, self.get_query_argument("server", ""))
        hub: Hub = self.settings[SETTING]
        with as_launch_failure():
            launch = await hub.decided(request, choices)
            process = _process(user, request.server, launch.site)
            text = shown_script.shown(launch, hub.launcher.hub_name, process)
        self.set_header("Cache-Control", "no-store")
        self.write({"script": text})


def _process(user: Any, server: str, site: Any) -> ServerProcess:
    """Return what the job of a server would run; of a name that none can have, what the default one's would.

    Of a server that there is not yet JupyterHub has to make a row to know; nothing is awaited until it is gone.
    """
    name = server if server in user.orm_spawners or is_valid_safe_slug(server) else ""
    is_new = name not in user.orm_spawners
    spawner = user.get_or_create_spawner(name, name)
    try:
        process: ServerProcess = spawner.process(site, shown_script.LAUNCH_ID)
    finally:
        if is_new and name:
            user.spawners.pop(name)
            user.db.delete(spawner.orm_spawner)
            user.db.commit()
    # JupyterHub gives a server its address when it starts.
    known = {"JUPYTERHUB_SERVICE_PREFIX": url_path_join(user.url, url_escape_path(name), "/")}
    return replace(process, environ={**process.environ, **known})
