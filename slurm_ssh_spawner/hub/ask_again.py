"""Whether a cluster that did not let somebody in does now: asked when they say so."""

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from kernels.shell import Shell
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import FrontEndRefused, LaunchError
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.shared import SETTING, Hub

# The form says meanwhile that it asks.
_SECONDS = 30.0


class AskAgain(APIHandler):  # type: ignore[misc]
    """`POST /hub/api/offer/ask-again?site=KEY`: connect to a site, as who asks, if it did not let them in lately.

    Answers 204 whatever becomes of it: the offer says it then.  Needed is the scope `servers` for themselves.
    """

    async def post(self) -> None:
        """Ask.  403 for who may not start servers of theirs, 404 for a site that never refused them."""
        user, key = self.current_user, self.get_query_argument("site", "")
        if user is None or user.kind != "user" or not self.has_scope(f"servers!user={user.name}"):
            raise web.HTTPError(403, sentences.NOT_THEIR_SERVERS)
        hub: Hub = self.settings[SETTING]
        site = hub.catalogue.current.sites.get(key)
        if site is None or not hub.taught.knows(user.name, key):
            raise web.HTTPError(404)
        login = Login(user.name, site.login_name.get(user.name, user.name), key)
        try:
            await Remote(hub.core.pool, login, site, Deadline.after(_SECONDS)).run(Shell("true"))
        except FrontEndRefused as error:
            hub.taught.learn(user.name, key, error.message)
        except LaunchError as error:
            self.log.warning("%s at %s: whether they are let in now cannot be asked: %s", user.name, key, error)
        else:
            hub.taught.forget(user.name, key)
        self.set_status(204)
