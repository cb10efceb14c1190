"""Keeps tickets alive: who is renewed, and when."""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from . import sentences, tickets
from .breaker import Breaker
from .errors import (
    AuthFailed,
    BadTicket,
    LoginServersUnreachable,
    RenewalRefused,
    TicketExpired,
    TicketMissing,
)
from .notices import SOON_SECONDS
from .store import TicketStore
from .threads import LoginThreads
from .tickets import Ticket

AT_ONCE = 4
_LOOK_SECONDS = 30  # nobody tells the loop that a server has started, or a hold
_RETRY_SECONDS = (30, 600)  # the first pause and the longest
_HOPELESS = (RenewalRefused, TicketMissing, TicketExpired, BadTicket)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """People with a `valid` ticket, those `ending` within two hours whatever is done, renewals that `failed` since
    the start: "refused" ones, and those that got no answer or failed otherwise ("unanswered").
    """

    valid: int
    ending: int
    refused: int
    unanswered: int


@dataclass
class _Plan:
    """When a ticket is renewed next: at epoch `due`, never if that is infinite."""

    due: float
    failures: int = 0


class RenewalLoop:
    """The one owner of all renewals: one task, `AT_ONCE` renewals at a time, in threads.

    `wanted` names whose tickets are kept, and is asked at least every half minute.  `may_go_on` is asked
    before each renewal, because a KDC renews tickets of locked and deleted accounts too; it raises TimeoutError if
    that is not known.  `clock` gives epoch seconds.

    A ticket is renewed when half of its life is over, up to a tenth of it later so that people who logged in
    together do not come together.  Until a renewed one is there, the old one stays.  Without an answer it is
    tried again after 30 s, 60 s, 120 s and so on, more often near the ticket's end.  After a refusal nothing is
    tried until the person has another ticket.
    """

    def __init__(
        self,
        store: TicketStore,
        wanted: Callable[[], Iterable[str]],
        may_go_on: Callable[[str], Awaitable[bool]],
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._may_go_on = may_go_on
        self._clock = clock
        self._jitter = jitter
        self._plans: dict[str, _Plan] = {}
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._refused = self._unanswered = 0
        self._looked = -math.inf
        self._users: frozenset[str] = frozenset()
        self._is_told = False
        self._news = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._threads = LoginThreads(AT_ONCE)
        self._breaker = Breaker()
        self._task: asyncio.Task[None] | None = None
        store.subscribe(self._has_new_ticket)

    def start(self) -> None:
        """Begin, on the running event loop; what is due is known from the store alone."""
        self._task = asyncio.create_task(self._run(), name="renewals")

    async def close(self) -> None:
        """End; a renewal that a thread is busy with is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def look(self) -> None:
        """Have `wanted` asked soon."""
        self._news.set()

    async def refresh(self, user: str, patience_seconds: float) -> None:
        """Return when the user's ticket is in the first three quarters of its life, if that can be had.

        Waits for one try at most, and never longer than `patience_seconds`.  Whether there is a valid ticket
        is the store's to say.
        """
        try:
            ticket = self._store.get(user)
        except AuthFailed:
            return
        plan = self._plans.get(user)
        hopeless = plan is not None and (plan.failures or plan.due == math.inf)
        if (
            self._task is None
            or self._task.done()
            or hopeless
            or not can_go_on(ticket)
            or self._clock() < _last_quarter(ticket)
        ):
            return
        tried = self._asked.setdefault(user, asyncio.get_running_loop().create_future())
        self.look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await asyncio.shield(tried)

    def ends(self, ticket: Ticket) -> int:
        """Return the epoch second at which a stored ticket ends for good, after all renewals that can be had."""
        plan = self._plans.get(ticket.user)
        refused = plan is not None and plan.due == math.inf
        return ticket.renew_until if can_go_on(ticket) and not refused else ticket.end

    def counts(self) -> Counts:
        """Return how many tickets there are, and how renewals went; costs a look at each ticket's file."""
        valid = ending = 0
        for user in self._store.users():
            with contextlib.suppress(AuthFailed):
                ticket = self._store.get(user)
                valid += 1
                ending += self.ends(ticket) - self._clock() <= SOON_SECONDS
        return Counts(valid, ending, self._refused, self._unanswered)

    def _has_new_ticket(self, user: str) -> None:
        self._plans.pop(user, None)
        self.look()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            pause: float = _LOOK_SECONDS
            try:
                pause = min(pause, max(0.0, await self._round() - self._clock()))
            except Exception:  # noqa: BLE001 - the loop outlives whatever one look brings
                _log.exception("Looking for tickets to renew")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()

    async def _round(self) -> float:
        """Renew what is due and return when something will be due again."""
        asked, self._asked = self._asked, {}
        try:
            users = {*self._whom(), *asked}
            now = self._clock()
            if now < self._looked:
                # What was planned by a clock that was set back is too late, or never: "it has ended".
                self._plans.clear()
            self._looked = now
            self._plans = {user: self._plans.get(user) or self._planned(user) for user in users}
            due = [user for user in users if user in asked or self._plans[user].due <= now]
            ends = await asyncio.gather(
                *(self._keep(user, self._plans[user]) for user in due), return_exceptions=True
            )
            for user, end in zip(due, ends, strict=True):
                if isinstance(end, BaseException):
                    _log.error("Renewing the ticket of %s", user, exc_info=end)
        finally:
            for tried in asked.values():
                tried.set_result(None)
        return min((plan.due for plan in self._plans.values()), default=math.inf)

    def _whom(self) -> frozenset[str]:
        """Return whose tickets are kept: those of before where nobody can say, as without the hub's database."""
        try:
            self._users = frozenset(self._wanted())
        except Exception as error:  # noqa: BLE001 - tickets are kept whatever is the matter with the hub
            if not self._is_told:
                _log.error("Who has servers cannot be asked. The tickets of before are kept: %s", error)
            self._is_told = True
        else:
            self._is_told = False
        return self._users

    def _planned(self, user: str) -> _Plan:
        try:
            ticket = self._store.get(user)
        except AuthFailed:
            return _Plan(math.inf)
        if not can_go_on(ticket):
            return _Plan(math.inf)
        life = ticket.end - ticket.start
        return _Plan(ticket.start + life * (0.5 + 0.1 * self._jitter()))

    async def _keep(self, user: str, plan: _Plan) -> None:
        """Try once; whatever comes of it, the plan says what next."""
        async with self._slots:
            now = self._clock()
            if not self._breaker.lets_pass(now):
                plan.due = self._breaker.open_until
                return
            plan.failures += 1  # put back by the new plan that a renewed ticket brings
            plan.due = now + _RETRY_SECONDS[0]
            try:
                await self._renew(user)
                self._breaker.answered()
            except _HOPELESS as error:
                plan.due = math.inf
                self._refused += 1
                self._breaker.answered()
                _log.warning("The ticket of %s will not be renewed: %s", user, error)
            except AuthFailed as error:
                self._unanswered += 1
                if isinstance(error, LoginServersUnreachable):
                    self._breaker.failed(self._clock())
                plan.due = self._next_try(user, plan.failures)
                _log.warning("The ticket of %s was not renewed, the old one stays: %s", user, error)

    async def _renew(self, user: str) -> None:
        ticket, data = self._store.get(user), self._store.read(user)
        await self._check_account(user)
        try:
            call = partial(tickets.renew, data, ticket.principal, self._store.folder)
            renewed = await self._threads.run(call, 2 * tickets.RENEWAL_SECONDS)
        except TimeoutError as error:
            raise LoginServersUnreachable("no answer in time") from error
        # A login or a logout in the meantime knew better.
        if self._store.get(user) == ticket:
            new = self._store.put(user, renewed, ticket.principal)
            _log.info("Renewed the ticket of %s until %s", user, time.strftime("%F %T UTC", time.gmtime(new.end)))

    async def _check_account(self, user: str) -> None:
        try:
            may_go_on = await self._may_go_on(user)
        except TimeoutError as error:
            # No word about the KDC, which the breaker would hold against everybody.
            raise AuthFailed(sentences.NOT_RENEWED, "whether the account may be used is not known") from error
        if not may_go_on:
            raise RenewalRefused("the account may not be used any more")

    def _next_try(self, user: str, failures: int) -> float:
        first, longest = _RETRY_SECONDS
        now = self._clock()
        try:
            left = self._store.get(user).end - now
        except AuthFailed:
            return math.inf
        return now + min(first * 2.0 ** min(failures - 1, 9), longest, max(1.0, left / 4))


def can_go_on(ticket: Ticket) -> bool:
    """True if a renewal could make the ticket end later."""
    return ticket.renewable and ticket.renew_until > ticket.end


def _last_quarter(ticket: Ticket) -> float:
    return ticket.end - (ticket.end - ticket.start) / 4
