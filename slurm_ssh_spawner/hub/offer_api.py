"""What is offered to a person now, for the options form that is open, and for programs."""

from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from profiles.errors import ChoiceRefused
from profiles.offer.choices import Choices
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import onlookers
from slurm_ssh_spawner.hub.shared import SETTING, StartRequest


class OfferHandler(APIHandler):  # type: ignore[misc]
    """`GET /hub/api/offer?user=NAME&server=NAME`, for the default server of whoever asks if these are left out.

    The answer is `profiles.form.told.data` and `recent`, the profiles that were started last.  With choices, each
    under its name (`&profile=KEY&time=2h`), it is `told.looked_at`: of that profile alone, with what would come of
    them.  Moments in its texts stand in braces, for the reader's clock.

    Needed is the scope `servers` for that user.  Whoever asks about somebody else is told what is known: no site
    is asked as that person.
    """

    # What is asked besides choices.
    others = frozenset({"user", "server"})

    def _record_activity(self, *args: Any, **kwargs: Any) -> bool:
        """An open form is no activity of its person; what a program asks with its token is."""
        return bool(self.get_auth_token()) and bool(super()._record_activity(*args, **kwargs))

    async def get(self) -> None:
        """Answer.  400 for what are no choices, 403 for who may not start that user's servers, 404 for no user."""
        request, hub, choices = self.request_of(), self.settings[SETTING], self.choices()
        self.write(await (hub.looked_at(request, choices) if choices.values else hub.offered(request)))

    def request_of(self) -> StartRequest:
        """Return which server the question is about.  Raises 403 and 404."""
        return StartRequest.of(self.whose(), self.get_query_argument("server", ""))

    def whose(self) -> Any:
        """Return the user that is asked about.  Raises 403 and 404."""
        asker = self.current_user
        name = self.get_query_argument("user", asker.name if asker else "")
        if asker is None or not self.has_scope(f"servers!user={name}"):
            raise web.HTTPError(403, sentences.NOT_THEIR_SERVERS)
        user = self.find_user(name)
        if user is None:
            raise web.HTTPError(404)
        onlookers.note(asker, user)
        return user

    def choices(self) -> Choices:
        """Return the choices in the query.  Raises 400 for what are none."""
        names = self.request.query_arguments.keys() - self.others
        try:
            return Choices.of({name: self.get_query_argument(name) for name in names})
        except ChoiceRefused as error:
            raise web.HTTPError(400, error.message) from error
