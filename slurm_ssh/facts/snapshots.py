"""Snapshots of sites, collected in the background, with their age.

What a monitor is told counts for everybody.  What a person is told comes through their own login shell, so it
counts for them alone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from languages import for_keeping, for_log
from profiles.catalogue.site import Site
from profiles.facts import UNKNOWN, PartitionFacts, SiteFacts
from slurm_ssh.errors import FrontEndRefused, LaunchError, Refused, Unavailable

INTERVAL_SECONDS = 60.0
"""How long a snapshot, or a failure to get one, is enough for those whom it counts for."""

STALE_INTERVALS = 3
FORGET_SECONDS = 3600.0
"""How long a person's own snapshot is kept after they last looked."""

MONITOR = None
"""In place of a user: the site's monitor."""

TakeSnapshot = Callable[[str | None, str], Awaitable[SiteFacts]]
"""Asks the site with this key as this user (hub name), or for MONITOR by its monitor.

Raises Refused if that one may not ask, Unavailable if the site or its Slurm does not answer.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """How a site answered last, whoever asked: when, after so many seconds, and since when it does not (UTC).

    `problem` is for admins, "" for none.
    """

    at: datetime
    seconds: float
    away_since: datetime | None = None
    problem: str = ""


@dataclass
class _State:
    """What one asker knows of one site; times are the loop's.

    `not_let_in` is the sentence why the site did not let them in, "" if it did.  `waiting` are those who want it
    of a monitor.
    """

    facts: SiteFacts = UNKNOWN
    answered: float = 0.0
    due: float = 0.0
    wanted: float = 0.0
    unreachable_since: datetime | None = None
    is_refused: bool = False
    not_let_in: str = ""
    waiting: set[str] = field(default_factory=set)
    collection: asyncio.Task[None] | None = None


class Snapshots:
    """Owner of the snapshots and of the collections under way, at most one for each asker and site.

    `sites` may change at any time.
    """

    def __init__(self, sites: Mapping[str, Site], take: TakeSnapshot) -> None:
        self._sites = sites
        self._take = take
        self._known: dict[tuple[str | None, str], _State] = {}
        self._said_last: dict[str, Mapping[str, PartitionFacts] | None] = {}
        self._away: dict[str, datetime] = {}
        self._problems: dict[str, str] = {}
        self.health: dict[str, Health] = {}

    async def close(self) -> None:
        """End the collections under way."""
        under_way = [known.collection for known in self._known.values() if known.collection]
        for collection in under_way:
            collection.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def forget_person(self, user: str) -> None:
        """Drop what was collected as somebody, but for what is being collected now."""
        theirs = [whose for whose, known in self._known.items() if whose[0] == user and not known.collection]
        for whose in theirs:
            del self._known[whose]

    def of(self, user: str, key: str) -> SiteFacts:
        """Return what is known of a site for a user now; asks nobody.

        That is the monitor's, where there is one.  While the site refuses it, a user's own goes before its last.
        """
        own = self._known.get((user, key))
        if not self._has_monitor(key):
            return _shown(own)
        monitors = self._known.get((MONITOR, key))
        if monitors and monitors.is_refused and own and own.facts.asked_at:
            return _shown(own)
        return _shown(monitors)

    def not_let_in(self, user: str, key: str) -> str:
        """Return why a site did not let a user in who was asked for themselves, "" if it did, or was not asked."""
        own = self._known.get((user, key))
        return own.not_let_in if own else ""

    def refresh(self, user: str, keys: Iterable[str]) -> None:
        """Start to collect what is due for `user` of the sites with these keys; waits for nothing."""
        self._forget()
        for key in keys:
            if not self._has_monitor(key):
                self._want(user, key)
                continue
            monitors = self._want(MONITOR, key)
            if monitors.collection:
                monitors.waiting.add(user)
            elif monitors.is_refused:
                self._want(user, key)

    def refresh_by_monitors(self) -> None:
        """Start to collect what is due of all sites that have a monitor; waits for nothing."""
        for key in filter(self._has_monitor, self._sites):
            self._want(MONITOR, key)

    def _has_monitor(self, key: str) -> bool:
        site = self._sites.get(key)
        return site is not None and site.monitor is not None

    def _want(self, asker: str | None, key: str) -> _State:
        """Start to collect, unless what is there is recent enough or under way."""
        known = self._known.setdefault((asker, key), _State())
        known.wanted = asyncio.get_running_loop().time()
        if known.collection is None and known.due <= known.wanted:
            known.collection = asyncio.create_task(self._collect(asker, key, known))
        return known

    def _forget(self) -> None:
        """Drop what people asked who have not looked for long."""
        before = asyncio.get_running_loop().time() - FORGET_SECONDS
        old = [whose for whose, known in self._known.items() if known.wanted < before and not known.collection]
        for whose in old:
            if whose[0] is not MONITOR:
                del self._known[whose]

    async def _collect(self, asker: str | None, key: str, known: _State) -> None:
        """Ask once; if a monitor is refused, whoever waits for its answer asks for themselves."""
        try:
            await self._ask(asker, key, known)
        finally:
            known.due, known.collection = asyncio.get_running_loop().time() + INTERVAL_SECONDS, None
            waiting, known.waiting = known.waiting, set()
        if known.is_refused:
            for user in waiting:
                self._want(user, key)

    async def _ask(self, asker: str | None, key: str, known: _State) -> None:
        is_refused, not_let_in, clock = False, known.not_let_in, asyncio.get_running_loop().time
        began = clock()
        try:
            known.facts = self._shared(key, await self._take(asker, key))
        except Refused as error:
            is_refused = True
            not_let_in = for_keeping(error.in_one_line) if isinstance(error, FrontEndRefused) else ""
            _log.debug("%s could not be asked by %s what is free: %s", key, _named(asker), error)
        except Unavailable as error:
            self._is_away(asker, key, known, error)
            self._note(key, clock() - began, str(error))
        except LaunchError as error:
            self._has_problem(asker, key, known, str(error))
            self._note(key, clock() - began, str(error))
        except Exception:  # noqa: BLE001 - a page must not suffer, and the next interval brings the next try
            _log.exception("%s: the question what is free failed", key)
        else:
            known.answered, known.unreachable_since = asyncio.get_running_loop().time(), None
            self._is_here(key)
            self._note(key, clock() - began)
            not_let_in = ""
        known.is_refused, known.not_let_in = is_refused, not_let_in

    def _shared(self, key: str, facts: SiteFacts) -> SiteFacts:
        """Return facts, whose partitions are the very ones that were heard last if they say the same.

        Forms that show the same are worked out once, and tell what they show by these.
        """
        if (last := self._said_last.get(key)) == facts.partitions:
            return replace(facts, partitions=last)
        self._said_last[key] = facts.partitions
        return facts

    def _note(self, key: str, seconds: float, problem: str = "") -> None:
        self.health[key] = Health(datetime.now(UTC), seconds, self._away.get(key), problem)

    def _is_away(self, asker: str | None, key: str, known: _State, error: Unavailable) -> None:
        known.unreachable_since = known.unreachable_since or datetime.now(UTC)
        # One line about a site, not one for each who finds it so.
        if key not in self._away:
            self._away[key] = datetime.now(UTC)
            _log.warning("%s does not answer %s; what was last known is shown: %s", key, _named(asker), error)

    def _is_here(self, key: str) -> None:
        self._problems.pop(key, None)
        if since := self._away.pop(key, None):
            away = datetime.now(UTC) - since
            _log.info("%s answers again, after %.0f minutes", key, away.total_seconds() / 60)

    def _has_problem(self, asker: str | None, key: str, known: _State, problem: str) -> None:
        # It was reached, if in vain.
        known.unreachable_since = None
        if problem != self._problems.get(key):
            self._problems[key] = problem
            _log.warning("%s, asked by %s: %s", key, _named(asker), for_log(problem))


def _named(asker: str | None) -> str:
    return asker or "its monitor"


def _shown(known: _State | None) -> SiteFacts:
    if known is None:
        return UNKNOWN
    age = asyncio.get_running_loop().time() - known.answered if known.facts.asked_at else 0.0
    return replace(
        known.facts,
        is_stale=age > STALE_INTERVALS * INTERVAL_SECONDS,
        unreachable_since=known.unreachable_since,
    )
