"""A JupyterHub in the process of the tests that launches at a site on this machine, with people who ask it to."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets.config import Config

from kerberos_auth.tickets import Ticket
from lab.plain_http import NO_TLS
from slurm_ssh_spawner.hub import launch_notices
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from tests.support import builders, composing
from tests.support.hub import AnyPassword, ComposedSpawner, NoProxy
from tests.support.local import LocalSite

REFUSED_BY_SLURM = "Geneva did not accept the job"
"""How the answer to every start begins that passed the gate: the site takes no job, so that none has to end."""

_ERROR = re.compile(
    r'(?:<div class="spawn-error-msg[^"]*"[^>]*>|'
    r'<div class="alert alert-danger" role="alert" id="start-problem"><b>)'
    r"\s*(?:Error: )?(.*?)\s*</(?:div|b)>",
    re.DOTALL,
)


class Tickets:
    """Everybody has one."""

    def get(self, user: str) -> Ticket:
        return builders.ticket(user)

    def read(self, _user: str) -> bytes:
        return b"ticket"

    def subscribe(self, _callback: Any) -> None:
        """Nobody gets a new one."""


def site(local: LocalSite, **changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue's YAML has it, whose jobs arrive at `local`."""
    here = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket": {"delivery": "none"},
        "ticket_folder": None,
    }
    return builders.site(**{**here, **changed})


def one_site(local: LocalSite) -> dict[str, Any]:
    """Return the sections of a catalogue with one site."""
    return {"sites": {"geneva": site(local)}}


class Person:
    """Somebody with a browser, who is logged in, and an API token of her own."""

    def __init__(self, app: JupyterHub, user: User, client: httpx.AsyncClient) -> None:
        self.user = user
        self.name: str = user.name
        self._url = app.hub.url
        self._client = client
        self._token = user.new_api_token()

    async def log_in(self) -> None:
        """Log in by the form of the hub."""
        assert (await self.page("login")).is_success
        fields = {"username": self.name, "password": f"{self.name}-pw", "_xsrf": self.xsrf}
        answer = await self._client.post(f"{self._url}login", data=fields)
        assert answer.status_code == 302, answer.text

    async def page(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Return a page of the hub."""
        return await self._client.get(f"{self._url}{path}", headers=headers)

    def stream(self, path: str) -> AbstractAsyncContextManager[httpx.Response]:
        """Return a page of the hub as it comes."""
        return self._client.stream("GET", f"{self._url}{path}")

    async def post(
        self,
        path: str,
        fields: list[tuple[str, str]],
        xsrf: str | None = None,
        *,
        follow: bool = True,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a form of another page to an address of this hub; `follow` a start to its end, and nothing else."""
        xsrf = self.xsrf if xsrf is None else xsrf
        address = httpx.URL(self._url).join(path)
        if b"_xsrf" not in address.query and xsrf:
            fields = [("_xsrf", xsrf), *[field for field in fields if field[0] != "_xsrf"]]
        answer = await self._client.post(address, data=dict(fields), headers=headers)
        return await self._seen_to_end(answer) if follow and "/spawn/" in address.path else answer

    def forget_cookies(self) -> None:
        """Be nobody from now on."""
        self._client.cookies.clear()

    async def send(
        self, fields: list[tuple[str, str]], server: str = "", *, files: Any = None, **query: str
    ) -> httpx.Response:
        """Send the options form, urlencoded or, with `files`, as multipart; `query` stands in its address."""
        path = f"spawn/{self.name}/{server}".rstrip("/")
        url = f"{self._url}{path}?{urlencode({'_xsrf': self.xsrf, **query})}"
        if files is not None:
            parts = [(name, (None, value)) for name, value in fields]
            return await self._seen_to_end(await self._client.post(url, files=[*parts, *files]))
        content = urlencode(fields, errors="surrogatepass")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._seen_to_end(await self._client.post(url, content=content, headers=headers))

    async def _seen_to_end(self, answer: httpx.Response) -> httpx.Response:
        """Return the page that says how a start ended; JupyterHub leads to another if that takes a second."""
        while answer.has_redirect_location or (answer.is_success and "spawn-pending" in answer.url.path):
            await asyncio.sleep(0.05)
            url = answer.url.join(answer.headers["location"]) if answer.has_redirect_location else answer.url
            answer = await self._client.get(url)
        return answer

    async def call(self, method: str, server: str = "", *, whose: str = "", **body: Any) -> tuple[int, str]:
        """Call the API of a server with her token; return the status and the message."""
        answer = await self.api(method, f"users/{whose or self.name}/servers/{server}", **body)
        is_json = answer.content and answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code, answer.json().get("message", "") if is_json else ""

    async def api(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call the hub's API with her token."""
        headers = {"Authorization": f"token {self._token}"}
        return await self._client.request(method, f"{self._url}api/{path}", headers=headers, **body)

    def stored(self, server: str = "") -> Any:
        """Return what JupyterHub has stored as the options of a server."""
        orm_spawner = self.user.orm_spawners[server]
        self.user.db.refresh(orm_spawner)
        return orm_spawner.user_options

    @property
    def xsrf(self) -> str:
        """What her browser sends with every form."""
        return next((cookie.value or "" for cookie in self._client.cookies.jar if cookie.name == "_xsrf"), "")


def told(page: str) -> str:
    """Return the sentence above a form that came back, as markup; "" if there is none."""
    found = _ERROR.search(page)
    return found[1] if found else ""


class LaunchingHub:
    """The hub; `local` is its site, which keeps every job script it was sent and takes no job."""

    def __init__(self, app: JupyterHub, local: LocalSite) -> None:
        self.app = app
        self.local = local
        self._clients: list[httpx.AsyncClient] = []

    def offer(self, **sections: Any) -> None:
        """Begin anew with a catalogue of these sections (see builders.written); earlier records stay."""
        catalogue = builders.live(self.local.home, **sections)
        tickets: Any = Tickets()
        url = f"sqlite:///{self.local.home}/launches.sqlite?timeout=0.1"
        self.app.tornado_settings[SETTING] = composing.hub(catalogue, tickets, url, self.local)

    @property
    def core(self) -> Hub:
        """What all spawners share."""
        found: Hub = self.app.tornado_settings[SETTING]
        return found

    async def person(self, name: str, *groups: str, admin: bool = False) -> Person:
        """Return somebody who is logged in."""
        row = orm.User(name=name, admin=admin)
        self.app.db.add(row)
        roles.assign_default_roles(self.app.db, row)
        self.app.db.commit()
        user = self.app.users[row]
        user.sync_groups(groups)
        client = httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=60)
        self._clients.append(client)
        person = Person(self.app, user, client)
        await person.log_in()
        return person

    async def close(self) -> None:
        """Close the browsers."""
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def launching(
    hub_app: Callable[..., Awaitable[JupyterHub]],
    folder: Path,
    patch: pytest.MonkeyPatch,
    catalogue: Callable[[LocalSite], dict[str, Any]] = one_site,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[LaunchingHub]:
    """Give a hub with a site at `folder` and the sections of a catalogue that `catalogue` makes for it.

    `settings` are further ones of the hub, by class.
    """
    patch.chdir(folder)
    local = LocalSite(folder)
    local.install_slurm()
    local.tell("refusal", "sbatch: error: Batch job submission failed: Nothing runs here\n")
    config = {
        "JupyterHub": {
            "proxy_class": NoProxy,
            "spawner_class": ComposedSpawner,
            "authenticator_class": AnyPassword,
            "allow_named_servers": True,
            "template_paths": [
                str(files(package) / "templates") for package in ("slurm_ssh_spawner.hub", "kerberos_auth")
            ],
            "template_vars": {"launch_notices": launch_notices},
            # A start is answered with its end, however busy the machine is.
            "tornado_settings": {"slow_spawn_timeout": 600},
        },
        "Authenticator": {"allow_all": True},
    }
    together = Config(config)
    together.merge(Config(settings or {}))
    hub = LaunchingHub(await hub_app(together), local)
    hub.offer(**catalogue(local))
    yield hub
    await hub.close()
