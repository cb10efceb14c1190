"""What is offered to a person now, for the options form that is open, and for programs."""

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.shared import SETTING, StartRequest


class OfferHandler(APIHandler):  # type: ignore[misc]
    """`GET /hub/api/offer?user=NAME&server=NAME`, for the default server of whoever asks if these are left out.

    The answer is `profiles.form.page.data`.  Needed is the scope `servers` for that user.
    """

    async def get(self) -> None:
        """Answer.  403 for somebody who may not start that user's servers, 404 for an unknown user."""
        asker = self.current_user
        name = self.get_query_argument("user", asker.name if asker else "")
        if asker is None or not self.has_scope(f"servers!user={name}"):
            raise web.HTTPError(403, sentences.NOT_THEIR_SERVERS)
        user = self.find_user(name)
        if user is None:
            raise web.HTTPError(404)
        request = StartRequest.of(user, self.get_query_argument("server", ""))
        self.write(await self.settings[SETTING].offered(request))
