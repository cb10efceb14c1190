"""What the hub said about tokens: kept for a while, and asked by few at a time.

Anybody can make up tokens, so what nobody has asked about before has to wait in a short row of its own.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from job_service.http.caller import TooManyTokens

KNOWN_SECONDS = 60.0
"""How long an answer holds that says whose a token is."""

UNKNOWN_SECONDS = 10.0
"""How long one holds that says that it is nobody's."""

STRANGERS_AT_ONCE = 16
"""Questions under way about tokens that were never known; those that were known do not count, nor wait."""

STRANGERS_WAITING = 200
"""Questions of that kind that wait for their turn; more are refused."""

MOST_KEPT = 10_000
"""Tokens of either kind that are remembered, the last ones that came."""

_TURN_SECONDS = 10.0

Said = Mapping[str, Any] | None
"""What the hub says of a token's owner; None: it is nobody's."""

_Digest = bytes


@dataclass(frozen=True)
class _Kept:
    at: float
    said: Said


class Answered:
    """Has what `ask` says of a token, which may raise; of several who want to know at once, one asks."""

    def __init__(self, ask: Callable[[str], Awaitable[Said]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._known: OrderedDict[_Digest, _Kept] = OrderedDict()
        self._unknown: OrderedDict[_Digest, _Kept] = OrderedDict()
        self._under_way: dict[_Digest, asyncio.Task[Said]] = {}
        self._turns = asyncio.Semaphore(STRANGERS_AT_ONCE)
        self._strangers = 0

    async def of(self, token: str, session: str = "") -> Said:
        """Return what holds of a token; of one in a browser, for the length of that session with the hub.

        Raises TooManyTokens if too many others are asked about.
        """
        digest = hashlib.sha256(f"{token}\0{session}".encode()).digest()
        for kept, seconds in ((self._known, KNOWN_SECONDS), (self._unknown, UNKNOWN_SECONDS)):
            if (found := kept.get(digest)) and self._clock() - found.at < seconds:
                return found.said
        if not (task := self._under_way.get(digest)):
            # A token that was known has been somebody's: its owner is not held up by what others make up.
            is_stranger = digest not in self._known
            if is_stranger and self._strangers >= STRANGERS_AT_ONCE + STRANGERS_WAITING:
                raise TooManyTokens
            self._strangers += is_stranger
            task = asyncio.create_task(self._learned(digest, token, is_stranger=is_stranger))
            self._under_way[digest] = task
        # Whoever goes away does not take the answer from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ask nothing more."""
        for task in tuple(self._under_way.values()):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def _learned(self, digest: _Digest, token: str, *, is_stranger: bool) -> Said:
        try:
            said = await (self._in_turn(token) if is_stranger else self._ask(token))
        finally:
            self._strangers -= is_stranger
            del self._under_way[digest]
        self._keep(digest, said)
        return said

    async def _in_turn(self, token: str) -> Said:
        try:
            async with asyncio.timeout(_TURN_SECONDS) as waiting, self._turns:
                waiting.reschedule(None)
                return await self._ask(token)
        except TimeoutError as error:
            raise TooManyTokens from error

    def _keep(self, digest: _Digest, said: Said) -> None:
        self._known.pop(digest, None)
        self._unknown.pop(digest, None)
        kept = self._unknown if said is None else self._known
        kept[digest] = _Kept(self._clock(), said)
        if len(kept) > MOST_KEPT:
            kept.popitem(last=False)
