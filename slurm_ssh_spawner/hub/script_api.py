"""The job script that a start would send, for who is about to press Start."""

from dataclasses import replace
from typing import Any

from jupyterhub.slugs import is_valid_safe_slug
from jupyterhub.utils import url_escape_path, url_path_join

from slurm_ssh_spawner.hub.failures import as_launch_failure
from slurm_ssh_spawner.hub.looked_at import nothing_made
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
            server = _name(user, request.server)
            with nothing_made(self.db, user, server):
                process = _process(user, server, launch.site)
            text = shown_script.shown(launch, hub.launcher.hub_name, process)
        self.set_header("Cache-Control", "no-store")
        self.write({"script": text})


def _name(user: Any, asked: str) -> str:
    """Return the server that is asked about; the usual one for a name that no server can have."""
    return asked if asked in user.orm_spawners or is_valid_safe_slug(asked) else ""


def _process(user: Any, server: str, site: Any) -> ServerProcess:
    """Return what the job of a server would run."""
    if server and server not in user.orm_spawners:
        user._new_orm_spawner(server, server)
    process: ServerProcess = user.spawners[server].process(site, shown_script.LAUNCH_ID)
    # JupyterHub gives a server its address when it starts.
    known = {"JUPYTERHUB_SERVICE_PREFIX": url_path_join(user.url, url_escape_path(server), "/")}
    return replace(process, environ={**process.environ, **known})
