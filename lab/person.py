"""A person in front of the hub: logs in, fills in the form, waits, runs a cell, stops.  Used by demo and tests."""

import html
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import httpx
import websocket

from lab.plain_http import NO_TLS

_ANSWER_SECONDS = 300.0
_LOOK_SECONDS = 0.2
_ERRORS = re.compile(
    r'<(?:p class="login_error|div class="spawn-error-msg)[^"]*"[^>]*>(.*?)</(?:p|div)>'
    # The page of a start that was over before its page was shown.
    r'|id="start-problem"><b>(.*?)</b>',
    re.DOTALL,
)
# What the same page has of the job's log, and where all of it is.
_LOG = re.compile(r'aria-labelledby="log-title">(.*?)</pre>.*?<code id="log-path">(.*?)</code>', re.DOTALL)


class NotLetIn(Exception):  # noqa: N818
    """The login was refused; the text is what the page says."""


class NotStarted(Exception):  # noqa: N818
    """The server did not start; the text is what the person is told."""


@dataclass(frozen=True)
class Event:
    """One line of the progress page."""

    message: str
    ready: bool
    failed: bool


class Person:
    """One person's browser and API token at one hub.  A context manager: leaving it closes the browser."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.url = url
        self.http = httpx.Client(verify=NO_TLS, base_url=url, follow_redirects=True, timeout=_ANSWER_SECONDS)
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def log_in(self, password: str | None = None, typed_name: str | None = None) -> None:
        """Log in through the form; the password is the lab's `<name>-pw` if none is given.

        Raises NotLetIn with the text of the page.
        """
        self.http.get("/hub/login")
        fields = {
            "username": typed_name or self.name,
            "password": f"{self.name}-pw" if password is None else password,
            "_xsrf": self.xsrf(),
        }
        page = self.http.post("/hub/login?next=/hub/home", data=fields)
        if page.url.path != "/hub/home":
            raise NotLetIn(told(page.text) or f"HTTP {page.status_code}")

    def submit_form(self, choices: Mapping[str, str], server: str = "") -> None:
        """Send the options form of a server.  Raises NotStarted if the page comes back with an error."""
        path = f"/hub/spawn/{self.name}/{server}" if server else "/hub/spawn"
        page = self.http.post(path, params={"_xsrf": self.xsrf()}, data=dict(choices))
        if page.status_code >= 400:
            # Also of a start that has failed already.
            raise NotStarted("\n".join((told(page.text) or f"HTTP {page.status_code}", *_log_told(page.text))))

    def progress(self, server: str = "") -> Iterator[Event]:
        """Yield the lines of the progress page until the server is up or has failed."""
        with self.http.stream("GET", f"{self._server_api(server)}/progress", headers=self._auth) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    # How far the stages are is for pages.
                    if "message" not in event:
                        continue
                    yield Event(event.get("message", ""), event.get("ready", False), event.get("failed", False))

    def start(self, choices: Mapping[str, str] | None = None, server: str = "") -> list[str]:
        """Start a server and return what the progress page said, once it is up.

        Raises NotStarted with what the person is told.
        """
        self.submit_form(choices or {}, server)
        return self.wait_until_ready(server)

    def wait_until_ready(self, server: str = "") -> list[str]:
        """Return what the progress page of a server that starts says, once it is up; NotStarted if it does not."""
        said = []
        for event in self.progress(server):
            if event.failed:
                raise NotStarted(event.message)
            said.append(event.message)
            if event.ready:
                return said
        raise NotStarted(self._failure(server) or f"the progress page ended without a server: {said}")

    def _failure(self, server: str) -> str:
        """Return what the page of a start says that had failed before its progress was asked for."""
        end = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < end:
            page = self.http.get(f"/hub/spawn-pending/{self.name}/{server}".rstrip("/"))
            if page.status_code >= 400:
                return "\n".join((told(page.text), *_log_told(page.text)))
            time.sleep(_LOOK_SECONDS)
        return ""

    def stop(self, server: str = "") -> None:
        """Stop a server and return when it is gone."""
        self._delete(self._server_api(server))

    def remove(self, server: str) -> None:
        """Stop a named server and have the hub forget it; return when it is gone."""
        self._delete(self._server_api(server), json={"remove": True})

    def _delete(self, path: str, **more: Any) -> None:
        # The hub answers after ten seconds at the latest, also that it has not done it yet.
        end = time.monotonic() + _ANSWER_SECONDS
        while self.api("DELETE", path, **more).status_code == HTTPStatus.ACCEPTED:
            if time.monotonic() > end:
                raise TimeoutError(f"{path} was not gone within {_ANSWER_SECONDS:g} s.")
            time.sleep(_LOOK_SECONDS)

    def model(self) -> dict[str, Any]:
        """Return the hub's idea of the person and their servers."""
        return dict(self.api("GET", f"/hub/api/users/{self.name}").json())

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the hub's or the server's API with the person's token."""
        return self.http.request(method, path, headers=self._auth, **more)

    def kernels(self, server: str = "") -> dict[str, str]:
        """Return the names of the kernels that the server shows, each with what people read."""
        specs = self.api("GET", f"{self._server(server)}api/kernelspecs").raise_for_status().json()["kernelspecs"]
        return {name: spec["spec"]["display_name"] for name, spec in specs.items()}

    def run(self, code: str, server: str = "", kernel_name: str = "python3") -> str:
        """Run code in a new kernel of the server and return what it prints, or its error."""
        with self.kernel(server, kernel_name) as run:
            return run(code)

    @contextmanager
    def kernel(self, server: str = "", name: str = "python3") -> Iterator[Callable[[str], str]]:
        """Give what runs code in one new kernel of the server, for the length of a block."""
        base = self._server(server)
        kernel = self.api("POST", f"{base}api/kernels", json={"name": name}).raise_for_status().json()["id"]
        address = f"{self.url.replace('http', 'ws', 1)}{base}api/kernels/{kernel}/channels"
        header = [f"{name}: {value}" for name, value in self._auth.items()]
        channel = websocket.create_connection(address, header=header, timeout=_ANSWER_SECONDS)
        try:
            yield partial(_execute, channel)
        finally:
            channel.close()
            self.api("DELETE", f"{base}api/kernels/{kernel}")

    def _server(self, server: str) -> str:
        return f"/user/{self.name}/{server}/" if server else f"/user/{self.name}/"

    def _server_api(self, server: str) -> str:
        return f"/hub/api/users/{self.name}/servers/{server}" if server else f"/hub/api/users/{self.name}/server"

    @property
    def _auth(self) -> dict[str, str]:
        if self._token is None:
            answer = self.http.post(
                f"/hub/api/users/{self.name}/tokens", json={}, headers={"X-XSRFToken": self.xsrf()}
            )
            self._token = answer.raise_for_status().json()["token"]
        return {"Authorization": f"token {self._token}"}

    def xsrf(self) -> str:
        """Return what a form of the hub must send along, once a page of it has been seen."""
        return next(cookie.value or "" for cookie in self.http.cookies.jar if cookie.name == "_xsrf")


def told(page: str) -> str:
    """Return the error that a page of the hub shows, as text; "" if it shows none."""
    found = _ERRORS.search(page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1] or found[2])).split()) if found else ""


def _log_told(page: str) -> tuple[str, ...]:
    """Return where the page of a failed start says that the job's log is, and the end of it, if it has one."""
    found = _LOG.search(page)
    return (html.unescape(found[2]), html.unescape(found[1])) if found else ()


def _execute(channel: websocket.WebSocket, code: str) -> str:
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
    channel.send(
        json.dumps(
            {
                "header": {**header, "msg_type": "execute_request"},
                "parent_header": {},
                "metadata": {},
                "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
                "channel": "shell",
                "buffers": [],
            }
        )
    )
    printed = ""
    while True:
        message = json.loads(channel.recv())
        if message.get("parent_header", {}).get("msg_id") != header["msg_id"]:
            continue
        match message["msg_type"], message["content"]:
            case "stream", {"text": text}:
                printed += text
            case "error", {"ename": name, "evalue": value}:
                printed += f"{name}: {value}\n"
            case "status", {"execution_state": "idle"}:
                return printed
