"""Two ways over one wire: blocking, and for asyncio.  What is sent and what an answer means, `engine` knows.

The engine is written once, as coroutines over a Transport.  Over the blocking one they never wait for an event
loop, so `now` and `each_now` run them to their end without one.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from hubjobs import sentences
from hubjobs.errors import Away, Untrusted

T = TypeVar("T")

# A long poll is answered after 30 s at the latest, a file at the site may take its time.
TIMEOUT = httpx.Timeout(90, connect=10)

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.InvalidURL,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class NotSent(Away):
    """Nothing reached the service."""


class Lost(Away):
    """The connection was lost: whether the service has done it, nobody knows."""


@dataclass(frozen=True)
class Request:
    """A whole address, headers (they hold the token), and a body that can be had any number of times."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Callable[[], Iterator[bytes]] | None = field(default=None, repr=False)


class Answer(Protocol):
    """The head of an answer, and its body as it comes; it has to be closed.  Headers are found in any case."""

    status: int
    headers: Mapping[str, str]

    def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes.  Raises Lost."""

    async def close(self) -> None:
        """Let the connection go."""


class Transport(Protocol):
    """Sends; waits; does what would block."""

    async def send(self, request: Request) -> Answer:
        """Return the answer's head.  Raises NotSent, Lost, Untrusted."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what a function that may block gives."""

    async def close(self) -> None:
        """Let all connections go."""


def _meaning(error: httpx.TransportError | httpx.InvalidURL, host: str) -> Away | Untrusted:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Untrusted(sentences.UNTRUSTED.format(host=host), sentences.UNTRUSTED_HINT)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, _NEVER_SENT):
        return NotSent(sentences.AWAY.format(host=host), sentences.AWAY_HINT)
    return Lost(sentences.LOST.format(host=host), sentences.LOST_HINT)


class _BlockingAnswer:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self._response.iter_raw():
                yield chunk
        except httpx.TransportError as error:
            raise _meaning(error, self._response.url.netloc.decode()) from None

    async def close(self) -> None:
        self._response.close()


class Blocking:
    """Sends and waits in the caller's thread."""

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    async def send(self, request: Request) -> Answer:
        """Return the answer's head."""
        body = request.body() if callable(request.body) else request.body
        try:
            built = self._client.build_request(request.method, request.url, headers=request.headers, content=body)
            return _BlockingAnswer(self._client.send(built, stream=True))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _meaning(error, urlsplit(request.url).netloc) from None

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: ASYNC251 - no event loop runs here

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what a function gives."""
        return work(*arguments)

    async def close(self) -> None:
        """Let all connections go."""
        self._client.close()


class _WaitingAnswer:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.TransportError as error:
            raise _meaning(error, self._response.url.netloc.decode()) from None

    async def close(self) -> None:
        await self._response.aclose()


class Waiting:
    """Sends and waits on asyncio's event loop."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def send(self, request: Request) -> Answer:
        """Return the answer's head."""
        body = self._each(request.body()) if callable(request.body) else request.body
        try:
            built = self._client.build_request(request.method, request.url, headers=request.headers, content=body)
            return _WaitingAnswer(await self._client.send(built, stream=True))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _meaning(error, urlsplit(request.url).netloc) from None

    async def _each(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what a function gives."""
        return await asyncio.to_thread(work, *arguments)

    async def close(self) -> None:
        """Let all connections go."""
        await self._client.aclose()


def now(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine over the blocking transport gives."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("it waits for an event loop")


def each_now(items: AsyncGenerator[T, None]) -> Iterator[T]:
    """Give what an asynchronous generator over the blocking transport gives."""
    try:
        while True:
            try:
                item = now(anext(items))
            except StopAsyncIteration:
                return
            yield item
    finally:
        now(items.aclose())
