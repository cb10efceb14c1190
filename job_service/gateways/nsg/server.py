"""NSG over HTTP: what is asked of it, for whom, and what has gone wrong as our errors."""

import base64
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlencode

from job_service.gateways import credentials
from job_service.gateways.credentials import Credentials
from job_service.gateways.nsg import answers
from job_service.gateways.nsg.form import Form
from job_service.gateways.web import LONGEST_ANSWER, Answer, Headers, Lost, Web
from job_service.sentences import gateways as say
from job_service.sentences import nsg as sentences
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, InDoubt, Refused, Unavailable

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)
_REFUSALS = frozenset({400, 409, 413, 415, 422})
_NOT_ALLOWED = 403
_NO_SUCH_PAGE = frozenset({404, 410})
# NSG's own codes for what is not there, and for what is somebody else's.
_NOT_THERE = frozenset({4, 6})


class NotThereError(Exception):
    """NSG has no such job, or none such of ours; or no such file."""


class Server:
    """One NSG.  Methods raise Unavailable, or Broken for what an admin has to mend: surely nothing was done."""

    def __init__(self, gateway: Gateway) -> None:
        self._web = Web(gateway, _lets_in)
        self._gateway = gateway

    async def get(self, owner: str, *names: str) -> bytes:
        """Return what NSG answers about somebody's jobs, one of them, or its files.  Raises NotThereError too."""
        return await self._asked("GET", self._of(owner, *names), owner)

    async def get_some(self, native_ids: Sequence[str]) -> bytes:
        """Return what NSG answers about jobs of anybody.  Raises NotThereError too."""
        return await self._asked(
            "GET", f"{self._web.url('job')}?{urlencode([('jh', each) for each in native_ids])}"
        )

    async def delete(self, owner: str, native_id: str) -> None:
        """Have NSG remove a job.  Raises NotThereError too."""
        await self._asked("DELETE", self._of(owner, native_id), owner)

    async def post(self, owner: str, form: Form) -> bytes:
        """Send a form once, and return what is answered.  Raises Refused; InDoubt if it may have been taken."""
        headers = {
            **self._entry(owner),
            "Content-Type": form.content_type,
            "Content-Length": str(form.length()),
        }
        try:
            async with self._web.stream("POST", self._of(owner), headers=headers, content=form.chunks()) as opened:
                answer = await self._sent(*opened)
        except Lost as error:
            raise InDoubt(error) from error
        except OSError as error:
            raise InDoubt(Unavailable(say.AWAY.format(site=self._web.title), f"the file: {error}")) from error
        if answer.status >= 500:
            raise InDoubt(Unavailable(say.AWAY.format(site=self._web.title), _reason(answer)))
        self._see(answer)
        return answer.body

    async def _sent(self, answer: Answer, chunks: AsyncIterator[bytes]) -> Answer:
        """Return the answer to what was sent, read whole.  Raises InDoubt for one that has no end, and Lost."""
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > LONGEST_ANSWER:
                raise InDoubt(self.not_understood(f"more than {LONGEST_ANSWER} bytes"))
        return replace(answer, body=bytes(body))

    @asynccontextmanager
    async def stream(self, owner: str, link: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the bytes that are at a link of NSG's, which leads to itself.  Raises NotThereError too."""
        url = self._web.within(link)
        async with self._web.stream("GET", url, headers=self._entry(owner)) as (answer, chunks):
            self._see(answer)
            yield chunks

    def not_understood(self, detail: str) -> Broken:
        """Return what to tell of an answer that means nothing."""
        return Broken(say.NOT_UNDERSTOOD.format(site=self._web.title), detail)

    async def close(self) -> None:
        """End all connections."""
        await self._web.close()

    async def _asked(self, method: str, url: str, owner: str | None = None) -> bytes:
        answer = await self._web.ask(method, url, headers=self._entry(owner))
        self._see(answer)
        return answer.body

    def _see(self, answer: Answer) -> None:
        """Raise what an answer means that is no success."""
        if answer.is_good:
            return
        reason = _reason(answer)
        if answer.status in _NO_SUCH_PAGE:
            if answers.refusal(answer.body).code in _NOT_THERE:
                raise NotThereError
            # NSG did not say so itself: what answers in its place, as while it is replaced, knows of no job.
            raise Unavailable(say.BUSY.format(site=self._web.title), reason)
        if answer.status == _NOT_ALLOWED:
            raise Broken(say.WRONG_CREDENTIALS.format(site=self._web.title), reason)
        if answer.status in _REFUSALS:
            raise Refused(sentences.REFUSED.format(gateway=self._web.title, reason=reason))
        raise self.not_understood(f"{answer.status} {reason}")

    def _of(self, owner: str, *names: str) -> str:
        """Return the address of somebody's jobs, or of something below; of an umbrella all have their own."""
        umbrella = self._gateway.umbrella
        if umbrella is None:
            user = credentials.read(self._gateway.credentials, self._web.title).user
        else:
            user = f"{umbrella.application}.{_person(owner)}"
        return self._web.url("job", user, *names)

    def _entry(self, owner: str | None) -> Headers:
        """Return what proves who asks, and says for whom (None: for everybody)."""
        umbrella = self._gateway.umbrella
        if umbrella is None or owner is None:
            return self._web.entry()
        person = _person(owner)
        told = {
            "cipres-eu": person,
            "cipres-eu-email": umbrella.email.replace("{owner}", person),
            "cipres-eu-institution": umbrella.institution,
            "cipres-eu-country": umbrella.country,
        }
        return {**self._web.entry(), **{name: value for name, value in told.items() if value}}


def _lets_in(found: Credentials) -> Headers:
    basic = base64.b64encode(f"{found.user}:{found.password}".encode()).decode()
    return {"Authorization": f"Basic {basic}", "cipres-appkey": found.others.get("appkey", "")}


def _person(owner: str) -> str:
    """Return the name by which NSG knows somebody: theirs, or one made of it where NSG may not take that."""
    return owner if _PLAIN_NAME.fullmatch(owner) else sha256(owner.encode()).hexdigest()[:32]


def _reason(answer: Answer) -> str:
    said = answers.refusal(answer.body).sentence.rstrip(".")
    return said or say.STATUS.format(status=answer.status)
