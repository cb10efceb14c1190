"""Sends calls to the service and reads what comes, once for both clients: limits, problems, repeats.

A call is repeated while the service is away or says that it is, if that can do no harm: reading, what has a key
made for it, and what surely did not arrive.
"""

import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hubjobs import sentences, text
from hubjobs.calls import Call, Upload
from hubjobs.errors import Away, HubJobsError, NotLoggedIn, Problem, Unavailable, Unreadable
from hubjobs.transport import Answer, NotSent, Request, Transport

T = TypeVar("T")

MOST_BYTES = 32 * 1024 * 1024
"""Of an answer that is not a file."""

_MOST_BYTES_OF_A_PROBLEM = 256 * 1024
FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 15.0
_LONGEST_SENTENCE = 2000
_LONGEST_LINES = 20_000
_NOT_MODIFIED, _UNAUTHORIZED, _NOT_FOUND, _TOO_MANY, _UNAVAILABLE = 304, 401, 404, 429, 503


class Engine:
    """One service, one token.  `patience_s` is how long a call is repeated while the service is away.

    Raises ValueError for what cannot be a token.
    """

    def __init__(self, url: str, token: str, transport: Transport, patience_s: float = 30) -> None:
        self.url, self.patience_s = url, patience_s
        self.transport = transport
        if not (token and token.isascii() and token.isprintable()):
            raise ValueError(sentences.NO_TOKEN)
        self._token = token

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def do(self, call: Call[T], upload: Upload | None = None) -> T:
        """Return what a call gives, with what is to be uploaded by it.  Raises HubJobsError."""
        said = await self.said(call, upload)
        try:
            value = json.loads(said) if said.strip() else None
        except (ValueError, RecursionError):
            raise unreadable("JSON") from None
        return call.parse(value)

    async def said(self, call: Call[Any], upload: Upload | None = None) -> str:
        """Return the text that a call gives, as it came."""
        async with self.opened(call, upload) as answer:
            return (await read(answer, MOST_BYTES)).decode("utf-8", "replace")

    async def newer(self, call: Call[T], etag: str) -> tuple[T | None, str]:
        """Return what a call gives and its ETag; None if it is still what had the ETag given."""
        conditional = call.with_headers(If_None_Match=etag) if etag else call
        async with self.opened(conditional) as answer:
            if answer.status == _NOT_MODIFIED:
                return None, etag
            body = await read(answer, MOST_BYTES)
            now = answer.headers.get("ETag", "")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise unreadable("JSON") from None
        return call.parse(value), now

    @asynccontextmanager
    async def opened(self, call: Call[Any], upload: Upload | None = None) -> AsyncIterator[Answer]:
        """Give the answer to a call, whose body is still to come.  Raises HubJobsError."""
        answer = await self._sent(call, upload)
        try:
            yield answer
        finally:
            await answer.close()

    async def _sent(self, call: Call[Any], upload: Upload | None) -> Answer:
        delays = Delays(self.patience_s)
        while True:
            try:
                return await self._once(call, upload)
            except (Away, Problem) as error:
                asked_for = error.retry_after_s if isinstance(error, Problem) else None
                if not _may_repeat(call, error) or not await delays.over(self.transport, asked_for):
                    raise

    async def _once(self, call: Call[Any], upload: Upload | None) -> Answer:
        answer = await self.transport.send(self._request(call, upload))
        if 200 <= answer.status < 300 or answer.status == _NOT_MODIFIED:
            return answer
        try:
            body = await read(answer, _MOST_BYTES_OF_A_PROBLEM)
        finally:
            await answer.close()
        raise problem(answer, body, self.url)

    def _request(self, call: Call[Any], upload: Upload | None) -> Request:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "hubjobs",
            **call.headers,
        }
        body: bytes | Callable[[], Any] | None = call.content
        if upload is not None:
            headers["Content-Length"] = str(upload.length)
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Digest"] = f"sha-256=:{upload.digest}:"
            body = upload.chunks
        elif body is not None:
            headers["Content-Type"] = "application/json"
        return Request(call.method, f"{self.url}/{call.target}", headers, body)

    async def close(self) -> None:
        """Let all connections go."""
        await self.transport.close()


class Delays:
    """Waits before each repeat, longer each time, as long as there is patience."""

    def __init__(self, patience_s: float) -> None:
        self._until = time.monotonic() + patience_s
        self._next = FIRST_DELAY_S

    async def over(self, transport: Transport, asked_for: float | None = None) -> bool:
        """Wait as long as the service asked for, or a while; False at once if that is longer than there is."""
        # Not all come back in the same moment after a restart.
        delay = asked_for if asked_for is not None else self._next * random.uniform(0.5, 1)  # noqa: S311
        self._next = min(self._next * 2, _LONGEST_DELAY_S)
        if time.monotonic() + delay > self._until:
            return False
        await transport.sleep(delay)
        return True


def _may_repeat(call: Call[Any], error: HubJobsError) -> bool:
    """Whether to send a call again does no harm, and may help."""
    if isinstance(error, NotSent) or (isinstance(error, Problem) and error.status == _TOO_MANY):
        return True
    return call.repeats and isinstance(error, Away)


async def read(answer: Answer, most: int) -> bytes:
    """Return a whole body.  Raises Unreadable for a longer one, Lost."""
    parts, length = [], 0
    async for chunk in answer.chunks():
        length += len(chunk)
        if length > most:
            raise unreadable("length")
        parts.append(chunk)
    return b"".join(parts)


def unreadable(what: str) -> Unreadable:
    """Return the error for an answer that is not what the API says."""
    return Unreadable(sentences.UNREADABLE.format(what=what), sentences.NEWER_CLIENT)


def problem(answer: Answer, body: bytes, url: str) -> HubJobsError:
    """Return the error that an answer is: the service's own sentence, or one of ours where it gave none."""
    host = urlsplit(url).netloc
    if 300 <= answer.status < 400:
        place = text.one_line(answer.headers.get("Location", ""), _LONGEST_SENTENCE)
        return Unreadable(sentences.MOVED.format(host=host, place=place), sentences.MOVED_HINT)
    said = _object(body)
    detail = _sentence(said.get("detail"))
    hint = _sentence(said.get("hint"))
    if answer.status == _UNAUTHORIZED:
        return NotLoggedIn(detail or sentences.TOKEN_REFUSED.format(host=host), sentences.LOG_IN_AGAIN)
    return (Unavailable if answer.status == _UNAVAILABLE else Problem)(
        detail or _unsaid(answer.status).format(host=host, status=answer.status),
        hint,
        status=answer.status,
        code=_sentence(said.get("code")),
        fields=_fields(said.get("fields")),
        quoted=text.lines(quoted, _LONGEST_LINES) if isinstance(quoted := said.get("quoted"), str) else "",
        request_id=_sentence(said.get("request_id")),
        retry_after_s=_seconds(answer.headers.get("Retry-After", "")),
    )


def _unsaid(status: int) -> str:
    return {_NOT_FOUND: sentences.NOT_THERE, _UNAVAILABLE: sentences.AWAY, _TOO_MANY: sentences.BUSY}.get(
        status, sentences.REFUSED
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _sentence(value: object) -> str:
    return text.one_line(value, _LONGEST_SENTENCE) if isinstance(value, str) else ""


def _fields(value: object) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    return {text.one_line(name, 200): said for name, each in given.items() if (said := _sentence(each))}


def _seconds(header: str) -> float | None:
    """Return what Retry-After says, in seconds; a date is not looked at."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 7 else None
