"""Looks at what Home shows, one for all pages that its person has open."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from languages import speaking
from slurm_ssh_spawner.hub.overview import Overview, overview
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.servers import ServerView, State

_EVERY_SECONDS = 15.0
_HOUR = 60
_SAME_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
# What the card of such a server says of the time that has gone by.
_SAY_SINCE = {State.WAITING, State.FAILED, State.ENDED}

Said = tuple[object, ...]
"""What Home says: equal as long as it says the same."""


class Looks:
    """Owner of the next look for one person, a user of JupyterHub's; `pages` are those for which it is taken."""

    def __init__(self, hub: Hub, user: Any) -> None:
        self.pages = 0
        self._hub = hub
        self._user = user
        self._next: asyncio.Task[Said] | None = None

    async def now(self) -> Said:
        """Return what Home says now, in the default language: pages of one person may be in several."""
        with speaking(""):
            return _said(await overview(self._hub, self._user, kept=self._hub.last_read))

    def next(self) -> asyncio.Task[Said]:
        """Return the next look, one for all who wait for it."""
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._later())
        return self._next

    def close(self) -> None:
        """Take no more looks: nobody waits for one."""
        if self._next:
            self._next.cancel()

    async def _later(self) -> Said:
        await asyncio.sleep(_EVERY_SECONDS)
        return await self.now()


def _said(told: Overview) -> Said:
    servers = (replace(view, now=_SAME_MOMENT, last_used=None) for view in told.servers)
    # That the same was heard again is no news.
    clusters = (replace(each, asked_at=each.asked_at and _SAME_MOMENT) for each in told.clusters)
    return replace(told, servers=tuple(servers), clusters=tuple(clusters)), tuple(map(_minutes, told.servers))


def _minutes(view: ServerView) -> tuple[int, int]:
    """Return the minutes that are left and those that have gone by, as far as its card says them."""
    left = view.minutes_left if view.state is State.RUNNING else None
    return _about(left or 0), _about(view.minutes_since if view.state in _SAY_SINCE else 0)


def _about(minutes: int) -> int:
    """Return minutes as exactly as people want them: within an hour each counts."""
    return minutes if minutes < _HOUR else minutes // 5
