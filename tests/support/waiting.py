"""Wait for what nobody tells, and let time pass when a test says so, however slow the machine is."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATIENCE_SECONDS = 180


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - that is what this is for
            await asyncio.sleep(0.005)


def is_over(pid: int) -> bool:
    """Return whether a process has ended; the one that began it need not have asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Clock:
    """The running loop's, put forward by `advance`: whatever waits for a later moment goes on then.

    A `frozen` one does not go on by itself (but for as little as tells two looks at it apart): who waits on it for
    a time waits for the test, so with it `until` never gives up.
    """

    def __init__(self, patch: pytest.MonkeyPatch, *, frozen: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self._real, self._ahead, self._looks = loop.time, 0.0, 0
        self._frozen_at = loop.time() if frozen else None
        patch.setattr(loop, "time", self._time)

    def advance(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._ahead += seconds

    def _time(self) -> float:
        if self._frozen_at is None:
            return self._real() + self._ahead
        self._looks += 1
        return self._frozen_at + self._ahead + self._looks * 1e-9


class Timeouts:
    """Those of `asyncio.timeout` in a module, which come when a test says so, and not by themselves."""

    def __init__(self, patch: pytest.MonkeyPatch, module: ModuleType) -> None:
        self._begun: list[asyncio.Timeout] = []
        self._have_come = False
        patch.setattr(module, "asyncio", self)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def timeout(self, _seconds: float | None) -> asyncio.Timeout:
        """Return one that does not come by itself."""
        self._begun.append(asyncio.timeout(0 if self._have_come else None))
        return self._begun[-1]

    def stay_away(self) -> None:
        """Let those that begin later not come by themselves either."""
        self._have_come = False

    def come(self) -> None:
        """Let the time be up, for all that are under way or begin later."""
        now, self._have_come = asyncio.get_running_loop().time(), True
        for each in self._begun:
            with suppress(RuntimeError):  # it is over
                each.reschedule(now)
