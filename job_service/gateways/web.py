"""One gateway by HTTP: only its own origin is ever asked, over TLS, and what it says is read within bounds."""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from job_service.gateways import credentials
from job_service.gateways.credentials import Credentials
from job_service.sentences import gateways as say
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, Unavailable
from slurm_ssh.text import one_line

LONGEST_ANSWER = 4 << 20
"""Bytes of an answer that is read whole."""

_LONGEST_LINK = 2000
_LONGEST_REASON = 300
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
"""Without a byte of it, an answer, or a transfer, is given up."""

_MOST_CONNECTIONS = 12
_BUSY = frozenset({429, 503})
# What is before it may have handed on what was asked.
_BETWEEN = frozenset({502, 504})

Headers = Mapping[str, str]


class Lost(Unavailable):
    """A connection ended, or time was over, after something may have been asked: it may have been done."""


@dataclass(frozen=True)
class Answer:
    """What a gateway answered; `headers` are in lower case.  `body` is b"" where it is streamed."""

    status: int
    headers: Headers
    body: bytes = field(default=b"", repr=False)

    @property
    def is_good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    def json(self, title: str) -> dict[str, Any]:
        """Return the JSON object that it is.  Raises Broken for anything else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Broken(say.NOT_UNDERSTOOD.format(site=title), one_line(repr(self.body[:200]), 300))
        return found

    def reason(self) -> str:
        """Return what went wrong, in one line: what it says, else its status."""
        return self.said() or say.STATUS.format(status=self.status)

    def said(self, key: str = "errorMessage") -> str:
        """Return what it says went wrong, in one line: the text of a key of a JSON object, "" for others."""
        try:
            found = json.loads(self.body)
            text = found.get(key) if isinstance(found, dict) else None
        except (ValueError, RecursionError):
            text = None
        return one_line(text, _LONGEST_REASON).rstrip(". ") if isinstance(text, str) else ""


class Web:
    """A client of one gateway; it follows no redirect, and asks no proxy that its environment names.

    `lets_in` makes the headers that prove who asks; they go to the configured origin alone, after its certificate
    was seen to be right.  All methods raise Unavailable, Broken, and Lost.
    """

    def __init__(self, gateway: Gateway, lets_in: Callable[[Credentials], Headers]) -> None:
        self.gateway = gateway
        self._lets_in = lets_in
        self._client: httpx.AsyncClient | None = None
        self._origin = _origin(gateway.url)

    @property
    def title(self) -> str:
        """The gateway's name for people."""
        return self.gateway.title

    def url(self, *names: str) -> str:
        """Return the address of something below the gateway's own, each name as it is."""
        return "/".join((self.gateway.url, *(quote(each, safe="") for each in names)))

    def within(self, link: object) -> str:
        """Return an address that the gateway named, if it is one of its own.  Raises Broken."""
        if isinstance(link, str) and len(link) <= _LONGEST_LINK and link.isprintable():
            try:
                found = urljoin(f"{self.gateway.url}/", link)
                if _origin(found) == self._origin:
                    return found
            except ValueError:
                pass
        raise Broken(say.SENT_ELSEWHERE.format(site=self.title), one_line(repr(link), _LONGEST_REASON))

    def entry(self) -> Headers:
        """Return the headers that prove who asks, as the file has them now.  Raises Broken."""
        return self._lets_in(credentials.read(self.gateway.credentials, self.title))

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Headers | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> Answer:
        """Return an answer, read whole.  `headers` hold what proves who asks, as `entry` gives it."""
        async with self.stream(method, url, headers=headers, content=content) as (answer, chunks):
            body = bytearray()
            async for chunk in chunks:
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise Broken(say.NOT_UNDERSTOOD.format(site=self.title), f"more than {LONGEST_ANSWER} bytes")
        return Answer(answer.status, answer.headers, bytes(body))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Headers | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """Give an answer, and what is in it, as it comes."""
        own = self.within(url)
        async with AsyncExitStack() as stack:
            with self._told():
                response = await stack.enter_async_context(
                    self._opened().stream(method, own, headers=dict(headers or {}), content=content)
                )
            answer = Answer(
                response.status_code, {name.lower(): value for name, value in response.headers.items()}
            )
            self._judge(answer)
            yield answer, await stack.enter_async_context(aclosing(self._chunks(response)))

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        with self._told():
            # Of what is compressed, a little may become endless.
            async for chunk in response.aiter_raw():
                yield chunk

    def _judge(self, answer: Answer) -> None:
        if 300 <= answer.status < 400:
            where = one_line(answer.headers.get("location", ""), _LONGEST_REASON)
            raise Unavailable(say.SENT_ELSEWHERE.format(site=self.title), where)
        if answer.status == 401:
            raise Broken(say.WRONG_CREDENTIALS.format(site=self.title), say.STATUS.format(status=401))
        if answer.status in _BETWEEN:
            raise Lost(say.BUSY.format(site=self.title), say.STATUS.format(status=answer.status))
        if answer.status in _BUSY:
            raise Unavailable(say.BUSY.format(site=self.title), say.STATUS.format(status=answer.status))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our words what goes wrong on the way."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            sentence = say.OTHER_CERTIFICATE if _is_of_certificate(error) else say.AWAY
            raise Unavailable(sentence.format(site=self.title), _detail(error)) from None
        except httpx.TimeoutException as error:
            raise Lost(say.NO_ANSWER.format(site=self.title), _detail(error)) from None
        except httpx.TransportError as error:
            raise Lost(say.AWAY.format(site=self.title), _detail(error)) from None
        except httpx.HTTPError as error:
            raise Broken(say.NOT_UNDERSTOOD.format(site=self.title), _detail(error)) from None

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._trusting(),
                headers={"Accept-Encoding": "identity", "User-Agent": "jupyterhub-jobs"},
                timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=2),
                follow_redirects=False,
                # Neither a proxy nor a password is taken from elsewhere.
                trust_env=False,
            )
        return self._client

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.gateway.authority)
        except (OSError, ssl.SSLError) as error:
            reason = f"{self.gateway.authority}: {error.strerror}"
            raise Broken(say.NO_AUTHORITY.format(site=self.title), reason) from None

    async def close(self) -> None:
        """Let go of its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _is_of_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _detail(error: httpx.HTTPError) -> str:
    # What it says of a request may have its headers.
    return f"{type(error).__name__}: {one_line(str(error), _LONGEST_REASON)}"


def _origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port.  Raises ValueError for what has none of the last two, or a name in it."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise ValueError("no host")
    return parts.scheme, parts.hostname, parts.port or 443
