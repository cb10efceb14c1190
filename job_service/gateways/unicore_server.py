"""A UNICORE server as it is asked: sessions, jobs by their marks, and what its answers mean for all of that."""

import base64
from typing import Any
from urllib.parse import urlencode

from job_service.gateways import unicore_said as said
from job_service.gateways.backend import Handle
from job_service.gateways.credentials import Credentials
from job_service.gateways.web import Answer, Headers, Web
from job_service.sentences import gateways as say
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, Unavailable

GONE = (404, 410)
"""The statuses of what is not there."""

_SESSION = "x-unicore-securitysession"
_SESSION_OVER = 432
_MOST_ALIKE = 20
"""Jobs of one mark that are looked at: there are more only if the server does not look at marks."""

_JSON = {"accept": "application/json", "content-type": "application/json"}


class Server:
    """One server; it only remembers its session.  All methods raise Unavailable, Broken, and Lost."""

    def __init__(self, gateway: Gateway) -> None:
        self.web = Web(gateway, _basic)
        self._session = ""

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.web.title

    def job(self, native: str, *names: str) -> str:
        """Return the address of a job, or of something of it."""
        return self.web.url("jobs", native, *names)

    async def alike(self, handle: Handle) -> list[tuple[str, dict[str, Any]]]:
        """Return the jobs that have a mark, by what the server calls each, with their properties."""
        asked = urlencode({"tags": handle.mark, "num": _MOST_ALIKE + 1})
        answer = await self.ask_about_jobs("GET", f"{self.web.url('jobs')}?{asked}")
        self._see_it_is_good(answer)
        found = [said.native_id(self.web.within(url)) for url in said.urls(answer.json(self.title))]
        if len(found) > _MOST_ALIKE:
            raise Broken(say.MANY_ARE_THERE.format(site=self.title), handle.mark)
        alike = []
        for native in filter(None, found):
            properties = await self.properties(native, "status,tags")
            if properties is not None and said.has_tag(properties, handle.mark):
                alike.append((native, properties))
        return alike

    async def properties(self, native: str, fields: str = "") -> dict[str, Any] | None:
        """Return what the server says of a job, None if it has none such."""
        asked = f"?{urlencode({'fields': fields})}" if fields else ""
        answer = await self.ask_about_jobs("GET", self.job(native) + asked)
        if answer.status in GONE:
            return None
        self._see_it_is_good(answer)
        return answer.json(self.title)

    def _see_it_is_good(self, answer: Answer) -> None:
        if not answer.is_good:
            raise Unavailable(say.NOT_DONE.format(site=self.title, reason=answer.reason()))

    async def ask_about_jobs(self, method: str, url: str, content: bytes | None = None) -> Answer:
        """Return an answer about jobs, of which all that have our marks are ours."""
        answer = await self.ask(method, url, content)
        if answer.status == 403:
            raise Broken(say.WRONG_CREDENTIALS.format(site=self.title), answer.reason())
        return answer

    async def ask(self, method: str, url: str, content: bytes | None = None, headers: Headers = _JSON) -> Answer:
        """Return an answer; a session stands for the password, until the server knows it no more."""
        for _ in range(2):
            entry = {_SESSION: self._session} if self._session else self.web.entry()
            answer = await self.web.ask(method, url, headers={**headers, **entry}, content=content)
            if answer.status != _SESSION_OVER:
                break
            self._session = ""
        if answer.is_good:
            self._session = _session(answer) or self._session
        if answer.status == _SESSION_OVER:
            raise Unavailable(say.BUSY.format(site=self.title), say.STATUS.format(status=answer.status))
        return answer


def _session(answer: Answer) -> str:
    found = answer.headers.get(_SESSION, "")
    return found if len(found) <= 200 and found.isascii() and found.isprintable() else ""


def _basic(credentials: Credentials) -> Headers:
    pair = f"{credentials.user}:{credentials.password}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
