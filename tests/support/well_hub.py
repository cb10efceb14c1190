"""A hub in a folder with which nothing is wrong, as far as nobody logs in at a site; tests break one thing of it.

Realm, databases and keytabs are real.  Proxy and hub are what they say on the wire, on loopback.
"""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurm_ssh_spawner.checks import machine
from slurm_ssh_spawner.doctor import listening
from slurm_ssh_spawner.doctor.examination import Asked, Found, examine, read
from slurm_ssh_spawner.doctor.private import private_folder
from tests.support import builders
from tests.support.realm import Realm

TOKEN = "the-token-of-the-proxy"
_HUB = b'{"version": "6.1.1"}'
_OTHER_UID = 4711


@dataclass
class Server:
    """Says on each path what `said` has for it: status, headers, body.  `seen` are the headers it was sent.

    Whoever asks for a websocket is answered with the status `upgrade`; events are held back for some seconds.
    """

    said: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    token: str = ""
    longest: int = 1 << 16
    port: int = 0
    upgrade: int = 101
    held_seconds: float = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.seen.append(headers)
        if self.token and headers.get("Authorization") != f"token {self.token}":
            return 403, {}, b""
        if sum(map(len, headers.values())) > self.longest:
            return 431, {}, b""
        return self.said.get(path, (404, {}, b"not here"))


@contextmanager
def serving(server: Server, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = server.answer(self.path, dict(self.headers))
            if self.headers.get("Upgrade"):
                status = server.upgrade
            elif self.path.endswith("/api/passage"):
                body = f"data: {time.time() - server.held_seconds}\n\n".encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
        http.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.port = http.server_port
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class WellHub:
    """What tests change: `settings` of the configuration, `catalogue`, and what the servers say."""

    def __init__(self, folder: Path, realm: Realm, servers: dict[str, Server], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.realm, self.patch = folder, realm, patch
        self.proxy, self.public, self.hub = servers["proxy"], servers["public"], servers["hub"]
        self.keytab = _copy(realm.keytab, folder / "host.keytab")
        self.file, self.catalogue_file = folder / "jupyterhub_config.py", folder / "catalogue.yaml"
        self.site = builders.site(ticket={"delivery": "none"}, hub_url=f"http://hub.test:{self.hub.port}")
        self.site.pop("ticket_folder")
        time = {"time": {"default": "1h", "max": "12h"}}
        self.catalogue: dict[str, Any] = {
            "sites": {"geneva": self.site},
            "profiles": {"lab": builders.profile(resources=time)},
        }
        (folder / "run").mkdir(mode=0o700)
        (folder / "data").mkdir(mode=0o700)
        (folder / "data/cookie_secret").write_text("secret")
        (folder / "data/cookie_secret").chmod(0o600)
        templates = [str(files(each) / "templates") for each in ("slurm_ssh_spawner.hub", "kerberos_auth")]
        self.settings: dict[str, Any] = {
            "JupyterHub.authenticator_class": "kerberos-pam",
            "Authenticator.manage_groups": True,
            "KerberosPAMAuthenticator.keytab": str(self.keytab),
            "KerberosPAMAuthenticator.verify_kdc": "require",
            "KerberosPAMAuthenticator.pam_service": "",
            "KerberosPAMAuthenticator.ticket_folder": str(folder / "run/krb5"),
            "JupyterHub.spawner_class": "slurm-ssh",
            "SlurmSSHSpawner.catalogue_file": str(self.catalogue_file),
            "SlurmSSHSpawner.records_url": f"sqlite:///{folder}/data/launches.sqlite",
            "JupyterHub.db_url": f"sqlite:///{folder}/data/jupyterhub.sqlite",
            "JupyterHub.cookie_secret_file": str(folder / "data/cookie_secret"),
            "JupyterHub.template_paths": templates,
            "JupyterHub.template_vars": {"ticket_notice": 1, "launch_notices": 1},
            "JupyterHub.cleanup_servers": False,
            "JupyterHub.concurrent_spawn_limit": 0,
            "JupyterHub.bind_url": self.public.url,
            "JupyterHub.hub_bind_url": self.hub.url,
            "ConfigurableHTTPProxy.should_start": False,
            "ConfigurableHTTPProxy.api_url": self.proxy.url,
            "ConfigurableHTTPProxy.auth_token": TOKEN,
        }
        # What the kernel says of who listens, in place of what is so: the account, on all addresses, another port.
        self.real_tables = listening._TABLES
        self.uids, self.open = {self.proxy.port: _OTHER_UID}, {self.hub.port}
        self.moved: dict[int, int] = {}

    def line(self, setting: str) -> str:
        """Return the place of a setting in the configuration."""
        return f"{self.file}:{[*self.settings].index(setting) + 1}"

    def written(self) -> None:
        self.file.write_text("".join(f"c.{name} = {value!r}\n" for name, value in self.settings.items()))
        self.catalogue_file.write_text(yaml.safe_dump(self.catalogue, sort_keys=False))
        self.catalogue_file.chmod(0o644)

    def look(
        self, groups: str = "ABCD", person: str = "", password: str = "", *, write: bool = True
    ) -> list[Found]:
        """Return what is found."""
        if write:
            self.written()
        return asyncio.run(self._look(Asked(self.file, person=person, groups=frozenset(groups)), password))

    async def _look(self, asked: Asked, password: str) -> list[Found]:
        with private_folder() as folder:
            return [each async for each in examine(read(asked), password, folder)]

    def tables(self) -> tuple[Path, ...]:
        """Return what the kernel says of who listens, with the other servers' accounts."""
        found = []
        for real in self.real_tables:
            lines = real.read_text().splitlines()
            for at, line in enumerate(lines[1:], 1):
                words = line.split()
                port = int(words[1].partition(":")[2], 16)
                words[7] = str(self.uids.get(port, words[7]))
                address = "00000000" if port in self.open else words[1].partition(":")[0]
                words[1] = f"{address}:{self.moved.get(port, port):04X}"
                lines[at] = " ".join(words)
            found.append(self.folder / real.name)
            found[-1].write_text("\n".join(lines))
        return tuple(found)


def _copy(keytab: str, to: Path) -> Path:
    to.write_bytes(Path(keytab).read_bytes())
    to.chmod(0o640)
    return to


@contextmanager
def well_hub(folder: Path, realm: Realm, patch: pytest.MonkeyPatch) -> Iterator[WellHub]:
    with ExitStack() as stack:
        routes = {"/api/routes": (200, {}, b"{}")}
        page = {"/hub/api": (200, {}, _HUB), "/hub/login": (200, {"Set-Cookie": "_xsrf=x; Path=/hub/"}, b"")}
        page["/hub/api/passage"] = (200, {"Content-Type": "text/event-stream"}, b"")
        servers = {
            "proxy": stack.enter_context(serving(Server(routes, token=TOKEN))),
            "public": stack.enter_context(serving(Server(dict(page)))),
            "hub": stack.enter_context(serving(Server(dict(page)))),
        }
        hub = WellHub(folder, realm, servers, patch)
        mounts = folder / "mounts"
        mounts.write_text(f"tmpfs {folder} tmpfs rw 0 0\n")
        patch.setattr(machine, "_MOUNTS", mounts)
        patch.setattr(listening, "_TABLES", hub.tables())
        patch.setattr(socket, "getaddrinfo", _names(socket.getaddrinfo))
        # Whoever runs tests may be root, and a hub should not.
        patch.setattr(machine, "_ROOT_UID", -1)
        yield hub


def _names(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a name service that knows names below .test, and .gone as unknown."""

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(host)
        if name.endswith(".gone"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1" if name.endswith(".test") else host, *args, **kwargs)

    return getaddrinfo
