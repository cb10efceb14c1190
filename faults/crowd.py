"""People in front of the hub, and what the hub tells them."""

import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

import httpx

from faults import service
from lab import Lab
from lab.people import CROWD
from lab.person import NotLetIn, Person, told
from lab.plan import SITES

_AT_ONCE = 64


@dataclass(frozen=True)
class Answer:
    """What the hub said to a request: HTTP's number, 0 if the connection broke, and the sentence."""

    user: str
    status: int
    text: str

    @property
    def is_accepted(self) -> bool:
        """Whether the hub said that what was asked for is done, or will be."""
        return 200 <= self.status < 300


class Crowd:
    """Owner of the browsers of everybody at one hub, who log in when they first ask.  A context manager."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._people: dict[str, Person] = {}
        self._open = ExitStack()
        self._threads = ThreadPoolExecutor(_AT_ONCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._open.close()

    def log_in(self, names: tuple[str, ...]) -> None:
        """Let those log in who have not yet."""
        list(self._threads.map(self.person, names))

    def person(self, name: str) -> Person:
        """Return somebody who is logged in."""
        if name not in self._people:
            person = Person(self._lab.url, name)
            person.log_in()
            person.model()
            self._people[name] = self._open.enter_context(person)
        return self._people[name]

    def log_in_again(self, name: str) -> Answer:
        """Let somebody send the login form anew, as one does after a while; their token stays."""
        try:
            with Person(self._lab.url, name) as again:
                again.log_in()
        except NotLetIn as error:
            return Answer(name, 403, str(error))
        except (httpx.HTTPError, StopIteration) as error:
            return Answer(name, 0, str(error))
        return Answer(name, 200, "")

    def start(self, name: str, server: str, choices: Mapping[str, str]) -> Future[Answer]:
        """Press Start; the answer comes when the server is up, has failed, or after ten seconds."""
        return self._threads.submit(self._ask, "POST", name, server, dict(choices))

    def stop(self, name: str, server: str) -> Future[Answer]:
        """Press Stop; the answer comes when the job is gone, or after ten seconds."""
        return self._threads.submit(self._ask, "DELETE", name, server)

    def page(self, name: str, server: str) -> Answer:
        """Return what somebody reads on the page of their server."""
        try:
            page = self.person(name).http.get(f"/user/{name}/{server}")
        except httpx.HTTPError as error:
            return Answer(name, 0, str(error))
        return Answer(name, page.status_code, _words(page.text))

    def page_of_start(self, name: str, server: str) -> Answer:
        """Return what somebody is told on the page of a start that has failed."""
        try:
            page = self.person(name).http.get(f"/hub/spawn-pending/{name}/{server}".rstrip("/"))
        except httpx.HTTPError as error:
            return Answer(name, 0, str(error))
        return Answer(name, page.status_code, told(page.text))

    def hub_answers(self) -> bool:
        """Return whether the hub answers now."""
        return service.get(self._lab, "/hub/api/") is not None

    def _ask(self, method: str, name: str, server: str, choices: dict[str, str] | None = None) -> Answer:
        person = self.person(name)
        path = f"/hub/api/users/{name}/servers/{server}" if server else f"/hub/api/users/{name}/server"
        try:
            answer = person.api(method, path, json=choices)
        except httpx.HTTPError as error:
            return Answer(name, 0, str(error))
        return Answer(name, answer.status_code, _message(answer))


def people_at(site: str, number: int) -> tuple[str, ...]:
    """Return the names of as many people as asked for who start their servers at that site."""
    keys = [each.name for each in SITES]
    return tuple(person.name for person in CROWD[keys.index(site) :: len(keys)])[:number]


def _message(answer: httpx.Response) -> str:
    if answer.status_code < 400:
        return ""
    try:
        said: Any = answer.json()
    except ValueError:
        return told(answer.text)
    return str(said.get("message", "")) if isinstance(said, dict) else ""


def _words(page: str) -> str:
    return " ".join(re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL).split())
