"""The page of the options form as JupyterHub has it, but no link starts a server, and it says which one it is."""

from contextlib import suppress
from typing import Any

from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web
from tornado.httputil import url_concat

from slurm_ssh_spawner.hub import links, naming, onlookers, presets, shared
from slurm_ssh_spawner.hub.failures import LaunchFailed
from slurm_ssh_spawner.hub.looked_at import nothing_made, wanted
from slurm_ssh_spawner.hub.password import AsksPassword

_FIELD = "server_name"
_SETTINGS = "settings"


class FormHandler(AsksPassword, SpawnHandler):  # type: ignore[misc]
    """`/hub/spawn[/<user>[/<server>]]`; choices in the query (`?profile=KEY&time=2h`) fill in the form.

    So does `?settings=NAME`, with what who asks has kept under that name.
    """

    # A further server that the form names, and why there can be none of that name.
    _title = _name = _problem = ""
    _filled: presets.Filled | None = None
    _presets: presets.PresetsPart | None = None

    async def _get(self, user_name: str, server_name: str, display_name: str) -> Any:
        if name := self.get_query_argument(_SETTINGS, ""):
            self._filled = await presets.found(self.settings[shared.SETTING], self.current_user.name, name)
        user = self._user_of(user_name)
        onlookers.note(self.current_user, user or self.current_user)
        with nothing_made(self.db, user, server_name):
            await super()._get(user_name=user_name, server_name=server_name, display_name=display_name)

    def _get_user_options(self, query_options: dict[str, list[str]]) -> dict[str, Any]:
        """Return none: with any, JupyterHub starts the server at once."""
        query_options.pop(_SETTINGS, None)
        if self._filled:
            links.note({name: [value] for name, value in self._filled.choices.items()}, self._filled.note)
        elif query_options:
            links.note(query_options)
        return {}

    @web.authenticated
    def post(self, user_name: str | None = None, server_name: str = "", display_name: str = "") -> Any:
        """Start the server of the address, or of the default one's the further one that the form names."""
        display_name = display_name or self.get_query_argument("display_name", "")
        typed = naming.title(self.get_body_argument(_FIELD, ""))
        # It is no choice.
        self.request.body_arguments.pop(_FIELD, None)
        self.take_out_password()
        user = self._user_of(user_name)
        if typed and user and not server_name and self.allow_named_servers:
            self._title = display_name = typed
            self._name = server_name = naming.slug(typed, naming.titles(user))
        if user:
            wanted(user, server_name)
        return super().post(user_name, server_name, display_name)

    def _user_of(self, name: str | None) -> Any:
        return self.current_user if name in (None, self.current_user.name) else self.find_user(name)

    @needs_scope("servers")  # type: ignore[untyped-decorator]
    async def _post(self, user_name: str, server_name: str, display_name: str) -> Any:
        """Start it; what starts or runs already, as after a second tap, is led to."""
        user = self._user_of(user_name)
        onlookers.note(self.current_user, user or self.current_user)
        spawner = user.spawners.get(server_name) if user else None
        if spawner and spawner.pending:
            self.redirect(self._get_pending_url(user, server_name))
            return
        is_ready = spawner is not None and spawner.ready
        is_asked = not is_ready and await self.wants_password(user)
        if self._name:
            most = await self.get_current_user_named_server_limit()
            self._problem = naming.problem(self._name, user.orm_spawners.keys(), most)
        if self._problem or is_asked:
            await self._ask_again(user)
        elif is_ready:
            self.redirect(self.get_next_url(user, default=user.server_url(server_name)))
        else:
            onlookers.lift()
            await super()._post(user_name=user_name, server_name=server_name, display_name=display_name)

    async def _ask_again(self, user: Any) -> None:
        """Show the form as it was sent, with why there is no server of that name, or the password's field."""
        sent = {name: self.get_body_arguments(name) for name in self.request.body_arguments}
        # What is wrong with the choices, the form says.
        with suppress(LaunchFailed):
            user.spawner.run_options_from_form(sent)
        self.set_status(409 if self._problem else self.password_status)
        self.finish(await self._render_form(user, await user.spawner.get_options_form()))

    async def _render_form(self, for_user: Any, *form: Any, **said: Any) -> Any:
        """Return the page; beside the form are the presets of who sees it, if it is theirs."""
        if for_user is self.current_user:
            request = shared.StartRequest.of(for_user, self._name or self._asked)
            self._presets = await presets.part(self.settings[shared.SETTING], request)
        return await super()._render_form(for_user, *form, **said)

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Any:
        """Return a page; that of the form also gets which server it is for, and where it is sent."""
        if name != "spawn.html":
            return super().render_template(name, sync, **values)
        values |= self._of_the_server(values["for_user"]) | self.asked_for(values["for_user"])
        # As that of Home: nothing in it is awaited.
        return _there(super().render_template(name, True, **values))

    @property
    def _asked(self) -> str:
        """The server that the address names."""
        return self.path_args[1] if len(self.path_args) > 1 and self.path_args[1] else ""

    def _of_the_server(self, user: Any) -> dict[str, Any]:
        asked = self._asked
        # Who may not have that name chooses another one.
        server = asked if self._problem else self._name or asked
        known = user.orm_spawners.get(server) if server else None
        named = self._title or self.get_query_argument("display_name", "")
        carried = {
            "next": self.get_query_argument("next", ""),
            "display_name": "" if self._problem else named,
        }
        action = url_concat(self._address(user, server), {name: value for name, value in carried.items() if value})
        return {
            "presets": self._presets,
            "server_name": server,
            "settings_at": f"{action}{'&' if '?' in action else '?'}",
            "server_title": named or getattr(known, "display_name", "") or server,
            "may_name": self.allow_named_servers and not server,
            "name_field": _FIELD,
            "name_typed": self._title,
            "name_problem": self._problem,
            # Nothing else of the address: a token of an earlier refusal, and choices, which are in the form.
            "action": action,
        }

    def _address(self, user: Any, server: str) -> str:
        """Return where the form of a server is, also of one that was named here."""
        if self._problem or not self._name:
            return str(self.request.path)
        return str(url_path_join(self.hub.base_url, "spawn", user.escaped_name, url_escape_path(server)))


async def _there(page: str) -> str:
    """Return a page that JupyterHub awaits."""
    return page
