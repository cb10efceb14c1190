"""One snapshot of each site, collected in the background for everybody, with its age."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from profiles.facts import UNKNOWN, SiteFacts
from slurm_ssh.errors import LaunchError, Refused, Unavailable

INTERVAL_SECONDS = 60.0
"""How long a snapshot, or a failure to get one, is enough for everybody."""

STALE_INTERVALS = 3

TakeSnapshot = Callable[[str, str], Awaitable[SiteFacts]]
"""Asks the site with this key, if need be as this user (hub name).

Raises Refused if another user may have more luck, Unavailable if the site or its Slurm does not answer.
"""

_log = logging.getLogger(__name__)


@dataclass
class _State:
    """What is known of one site, and who may be asked for more; times are the loop's."""

    facts: SiteFacts = UNKNOWN
    answered: float = 0.0
    due: float = 0.0
    unreachable_since: datetime | None = None
    problem: str = ""
    refused_until: dict[str, float] = field(default_factory=dict)
    willing: dict[str, None] = field(default_factory=dict)
    collection: asyncio.Task[None] | None = None


class Snapshots:
    """Owner of the snapshots and of the collections under way, at most one for each site."""

    def __init__(self, take: TakeSnapshot) -> None:
        self._take = take
        self._known: dict[str, _State] = {}

    async def close(self) -> None:
        """End the collections under way."""
        under_way = [known.collection for known in self._known.values() if known.collection]
        for collection in under_way:
            collection.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def of(self, key: str) -> SiteFacts:
        """Return what is known of a site now; asks nobody."""
        known = self._known.get(key)
        if known is None:
            return UNKNOWN
        age = asyncio.get_running_loop().time() - known.answered if known.facts.asked_at else 0.0
        return replace(
            known.facts,
            is_stale=age > STALE_INTERVALS * INTERVAL_SECONDS,
            unreachable_since=known.unreachable_since,
        )

    def refresh(self, user: str, keys: Iterable[str]) -> None:
        """Start to collect what is due of the sites with these keys, as `user` if need be; waits for nothing."""
        now = asyncio.get_running_loop().time()
        for key in keys:
            known = self._known.setdefault(key, _State())
            # Where they were refused, not every page they open should be another failed login.
            if known.due > now or known.refused_until.get(user, 0.0) > now:
                continue
            known.willing[user] = None
            if known.collection is None:
                known.collection = asyncio.create_task(self._collect(key, known))

    async def _collect(self, key: str, known: _State) -> None:
        """Ask the first who is willing, and the next one if the site refused the first."""
        try:
            while known.willing and not await self._was_answered(key, known, next(iter(known.willing))):
                pass
        finally:
            known.willing.clear()
            known.collection = None

    async def _was_answered(self, key: str, known: _State, user: str) -> bool:
        """Ask once; return whether that was enough for everybody."""
        clock = asyncio.get_running_loop().time
        try:
            known.facts = await self._take(user, key)
        except Refused as error:
            del known.willing[user]
            known.refused_until[user] = clock() + INTERVAL_SECONDS
            _log.debug("%s could not be asked for %s what is free: %s", key, user, error)
            return False
        except Unavailable as error:
            self._is_away(key, known, error)
        except LaunchError as error:
            self._has_problem(key, known, str(error))
        except Exception:  # noqa: BLE001 - a page must not suffer, and the next interval brings the next try
            _log.exception("%s: the question what is free failed", key)
        else:
            known.answered = clock()
            self._is_here(key, known)
        known.due = clock() + INTERVAL_SECONDS
        return True

    @staticmethod
    def _is_away(key: str, known: _State, error: Unavailable) -> None:
        if known.unreachable_since is None:
            known.unreachable_since = datetime.now(UTC)
            _log.warning("%s does not answer; people see what was last known of it: %s", key, error)

    @staticmethod
    def _is_here(key: str, known: _State) -> None:
        if known.unreachable_since:
            away = datetime.now(UTC) - known.unreachable_since
            _log.info("%s answers again, after %.0f minutes", key, away.total_seconds() / 60)
        known.unreachable_since, known.problem = None, ""
        known.refused_until.clear()

    @staticmethod
    def _has_problem(key: str, known: _State, problem: str) -> None:
        # It was reached, if in vain.
        known.unreachable_since = None
        if problem != known.problem:
            known.problem = problem
            _log.warning("%s: %s", key, problem)
