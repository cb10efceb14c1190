"""Links to notebooks: a page that says what would be copied, and the copy, made by the person's own server."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

from profiles.errors import ChoiceRefused
from profiles.offer.choices import Choices
from slurm_ssh_spawner.hub import copier
from slurm_ssh_spawner.hub.home import Page
from slurm_ssh_spawner.hub.overview import known_to_jupyterhub
from slurm_ssh_spawner.launch import source
from slurm_ssh_spawner.launch.source import PARTS, Source, SourceRefused


class OpenPage(Page):
    """`/hub/open?from=...`: the page of a link to a notebook.

    Opening it does nothing: a server is started by its form, and a copy is made by a form of this page.
    """

    @web.authenticated
    async def get(self) -> None:
        """Show it; 400 for a link that names nothing that may be copied."""
        try:
            found = await self._source()
        except SourceRefused as error:
            self.set_status(400)
            await self._show(None, str(error))
        else:
            await self._show(found)

    @web.authenticated
    async def post(self) -> None:
        """Have the server that was picked make the copy, and lead to it; else show the page with a sentence."""
        try:
            found = await self._source()
        except SourceRefused as error:
            self.set_status(400)
            await self._show(None, str(error))
            return
        name, spawner = self.own()
        if not spawner.ready:
            # It has ended since the page was shown.
            back = url_path_join(self.hub.base_url, "open")
            self.redirect(f"{back}?{found.query}", status=303)
            return
        title = next(each.title for each in known_to_jupyterhub(self.current_user) if each.name == name)
        made = await copier.copied(self.db, spawner, title, found)
        if made.page:
            self.redirect(url_path_join(self.current_user.server_url(name), made.page), status=303)
        else:
            self.set_status(409)
            await self._show(found, made.problem)

    async def _source(self) -> Source:
        await self.shared.catalogue.refreshed()
        said = {name: self.get_argument(name, "") for name in PARTS}
        return source.named(said, self.shared.catalogue.current.copy_from)

    async def _show(self, found: Source | None, problem: str = "") -> None:
        user = self.current_user
        known = list(known_to_jupyterhub(user))
        # What is neither up nor off offers no start.
        default = next((each for each in known if not each.name), None)
        pending = user.spawners[""].pending if default else None
        is_starting = [each for each in known if user.spawners[each.name].pending == "spawn"]
        self.set_header("Cache-Control", "no-store")
        page = self.render_template(
            "open.html",
            sync=True,
            source=found,
            problem=problem,
            ready=[each for each in known if user.spawners[each.name].ready],
            starting=[(each, self._address("spawn-pending", each.name, found)) for each in is_starting],
            form=self._form(found),
            busy=default if pending in ("stop", "check") else None,
            is_stopping=pending == "stop",
            # What came of a form that was sent is no page to be loaded again.
            is_watched=self.request.method == "GET",
        )
        self.finish(page)

    def _form(self, found: Source | None) -> str:
        """Return where a server is chosen and started, "" where the default one is there already."""
        if found is None or self.current_user.spawners[""].active:
            return ""
        return str(url_concat(self._address("spawn", "", found), list(self._choices())))

    def _address(self, page: str, server: str, found: Source | None) -> str:
        """Return the address of a page of a server's start, which leads back here."""
        path = url_path_join(self.hub.base_url, page, self.current_user.escaped_name, server)
        back = f"{url_path_join(self.hub.base_url, 'open')}?{found.query}" if found else ""
        return f"{path}?{urlencode({'next': back})}" if back else str(path)

    def _choices(self) -> Iterator[tuple[str, str]]:
        """Yield what else the link says, as far as it can be choices at all: it fills in the form."""
        for name in self.request.query_arguments:
            if name not in PARTS:
                with suppress(ChoiceRefused):
                    yield from Choices.of({name: self.get_query_argument(name)}).values.items()
