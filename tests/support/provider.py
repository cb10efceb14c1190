"""An identity provider on loopback that speaks OAuth 2.0 at byte level, where everybody is one person."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "the-hub", "the-hubs-secret"


@dataclass
class Provider:
    """Where it listens, and whom it says that people are; what it gave is good for one use."""

    name: str
    port: int = 0
    codes: dict[str, str] = field(default_factory=dict)
    """Addresses to come back to, by the code that was given for it."""

    tokens: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What a hub's GenericOAuthenticator is told of it."""
        return {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "userdata_url": f"{self.url}/userdata",
            "username_claim": "preferred_username",
        }


@contextmanager
def providing(name: str) -> Iterator[Provider]:
    """Give a provider that says everybody is `name`, for the length of a block."""
    provider = Provider(name)

    class Handler(_Handler):
        said = provider

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    said: Provider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/authorize" and asked.get("client_id") == CLIENT:
            self._lead_back(asked)
        elif address.path == "/userdata" and self._is_known():
            self._answer({"preferred_username": self.said.name})
        else:
            self.send_error(403)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(text).items()}
        where = self.said.codes.pop(asked.get("code", ""), None)
        if where is None or asked.get("redirect_uri") != where or asked.get("client_secret") != SECRET:
            self.send_error(400)
            return
        token = secrets.token_hex(8)
        self.said.tokens.add(token)
        self._answer({"access_token": token, "token_type": "Bearer"})

    def _lead_back(self, asked: dict[str, str]) -> None:
        code, where = secrets.token_hex(8), asked["redirect_uri"]
        self.said.codes[code] = where
        self.send_response(302)
        self.send_header("Location", f"{where}?{urlencode({'code': code, 'state': asked['state']})}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _is_known(self) -> bool:
        return self.headers.get("Authorization", "").removeprefix("Bearer ") in self.said.tokens

    def _answer(self, fields: dict[str, str]) -> None:
        text = json.dumps(fields).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
