"""The way to a site: which of its front ends are tried, how many people come at once, who was silent lately."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from profiles.catalogue.site import FrontEnd
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import FrontEndRefused, NoSuchHost, Refused, SiteUnreachable
from slurm_ssh.ssh.by_certificate import Certificates
from slurm_ssh.ssh.by_ticket import ByTicket, kdc_silent
from slurm_ssh.ssh.connecting import FrontEndBusy, FrontEndSilent, FrontEndUnknown, LoginServersSilent, connect
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.login import Login, Reachable
from slurm_ssh.ssh.proof import Proof

# How long a front end may take before the next one is tried as well.
HEAD_START_SECONDS = 3
# To one front end: sshd's MaxStartups is 10:30:100 by default.
CONNECTS_AT_ONCE = 4
# How long one that was silent is tried last.
SILENT_SECONDS = 60
# How long somebody waits for a connection, all front ends together, while they let nobody else in either.
PATIENCE_SECONDS = 30
_BUSY_PAUSES_SECONDS = (0.2, 0.6, 1.8)


class Entrance:
    """Owner of what is known of front ends, of all sites and for everybody.

    `ticket_of` returns a person's valid ticket or raises AuthFailed.  A connection for which nobody waits any more
    goes to `retire`.
    """

    def __init__(self, ticket_of: Callable[[str], Ticket], retire: Callable[[Connection], None]) -> None:
        self._ticket_of = ticket_of
        self._retire = retire
        self._certificates = Certificates()
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._silent_since: dict[str, tuple[float, type[FrontEndSilent]]] = {}
        self._silent_until: dict[str, float] = {}
        self._let_in_at: dict[str, float] = {}
        self._coming: Counter[str] = Counter()

    async def enter(self, login: Login, site: Reachable, patience: Deadline) -> Connection:
        """Return a new connection of the person's.

        Raises what `ConnectionPool.connection` does, and TimeoutError at the end of `patience`, or once the site
        has let in nobody for PATIENCE_SECONDS.
        """
        proof = await self._proof(login, site, patience)
        race = _Race(lambda front_end: self._begin(front_end, login, proof, site.title))
        first, is_late = None, False
        try:
            first = await self._first(race, site, patience)
        except TimeoutError:
            is_late = True
        finally:
            race.end(self._retire)
        if first:
            return first
        # One that refused knows more than one that was silent.
        for problem in race.problems:
            if isinstance(problem, FrontEndRefused):
                raise problem
        said = "; ".join(str(problem) for problem in race.problems)
        if any(isinstance(problem, LoginServersSilent) for problem in race.problems):
            raise kdc_silent(site.title, said)
        if race.problems and all(isinstance(problem, FrontEndUnknown) for problem in race.problems):
            raise NoSuchHost(sentences.NO_SUCH_HOST.format(site=site.title), said)
        if is_late:
            raise TimeoutError(said)
        raise SiteUnreachable(sentences.SITE_UNREACHABLE.format(site=site.title), said)

    async def _proof(self, login: Login, site: Reachable, patience: Deadline) -> Proof:
        """Return what the person shows to the site's front ends, a new certificate where they take one.

        Raises Refused, Unavailable or Broken if there is none, TimeoutError at the end of `patience`.
        """
        if not site.login.needs_ticket:
            async with patience.enforced():
                return await self._certificates.made(login, site)
        try:
            return ByTicket(self._ticket_of(login.user))
        except AuthFailed as error:
            raise Refused(error.message) from error

    async def _first(self, race: "_Race", site: Reachable, patience: Deadline) -> Connection | None:
        """Return what `_Race.first` does.

        Raises TimeoutError at the end of all `patience`, or once the site has let in nobody for PATIENCE_SECONDS.
        """
        clock = asyncio.get_running_loop().time
        running = asyncio.create_task(race.first(self._in_order(site)))
        try:
            while True:
                began = clock()
                await asyncio.wait((running,), timeout=min(PATIENCE_SECONDS, patience.left))
                if running.done():
                    return running.result()
                if not patience.left or not any(self._has_let_in(each, began) for each in site.front_ends):
                    raise TimeoutError
        except BaseException:
            # A connection may have come in this very moment.
            running.add_done_callback(partial(_hand, self._retire))
            running.cancel()
            raise

    def _has_let_in(self, front_end: FrontEnd, since: float) -> bool:
        """Return whether a front end has let somebody in since then (loop time)."""
        return self._let_in_at.get(front_end.host, -1.0) > since

    def _begin(
        self, front_end: FrontEnd, login: Login, proof: Proof, title: str
    ) -> tuple[asyncio.Task[Connection], bool]:
        """Begin to connect, and return whether that has to wait for others."""
        host = front_end.host
        is_crowded = self._coming[host] >= CONNECTS_AT_ONCE
        self._coming[host] += 1
        attempt = asyncio.create_task(self._attempt(front_end, login, proof, title))
        attempt.add_done_callback(lambda _: self._coming.subtract((host,)))
        return attempt, is_crowded

    def _in_order(self, site: Reachable) -> list[FrontEnd]:
        """Return the front ends as the site has them, those last that were silent a short while ago."""
        now = asyncio.get_running_loop().time()
        return sorted(site.front_ends, key=lambda each: self._silent_until.get(each.host, 0.0) > now)

    async def _attempt(self, front_end: FrontEnd, login: Login, proof: Proof, title: str) -> Connection:
        """Connect, a few times again if the front end hangs up because too many others log in."""
        for pause in _BUSY_PAUSES_SECONDS:
            try:
                return await self._enter(front_end, login, proof, title)
            except FrontEndBusy:
                # Spread, so that those who were sent away together do not come back together.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        return await self._enter(front_end, login, proof, title)

    async def _enter(self, front_end: FrontEnd, login: Login, proof: Proof, title: str) -> Connection:
        host, clock = front_end.host, asyncio.get_running_loop().time
        came = clock()
        async with self._gates.setdefault(host, asyncio.Semaphore(CONNECTS_AT_ONCE)):
            since, kind = self._silent_since.get(host, (-1.0, FrontEndSilent))
            if since >= came:
                raise kind(f"{host}: was silent to others a moment ago")
            began = clock()
            try:
                connection = await connect(front_end, login, proof, title)
            except FrontEndBusy:
                raise
            except (FrontEndSilent, asyncio.CancelledError) as error:
                if not self._has_let_in(front_end, began):
                    self._note_silence(host, error, clock() - began)
                elif type(error) is FrontEndSilent:
                    raise FrontEndBusy(f"{error}, while others were let in") from error
                raise
        self._let_in_at[host] = clock()
        self._silent_since.pop(host, None)
        self._silent_until.pop(host, None)
        return connection

    def _note_silence(self, host: str, error: BaseException, seconds: float) -> None:
        """Keep that a front end let nobody in: those who wait for it are told, and others try it last.

        One that is given up for another, which began so much later, counts as silent too.
        """
        now = asyncio.get_running_loop().time()
        if isinstance(error, FrontEndSilent) or seconds > HEAD_START_SECONDS / 2:
            kind = type(error) if isinstance(error, FrontEndSilent) else FrontEndSilent
            self._silent_since[host] = (now, kind)
            self._silent_until[host] = now + SILENT_SECONDS


class _Race:
    """Attempts at a site's front ends, each begun a head start after the one before, none after a full one."""

    def __init__(self, begin: Callable[[FrontEnd], tuple[asyncio.Task[Connection], bool]]) -> None:
        self.problems: list[Exception] = []
        self._begin = begin
        self._running: set[asyncio.Task[Connection]] = set()

    async def first(self, waiting: list[FrontEnd]) -> Connection | None:
        """Return the first connection, or None if all have failed; `problems` then has the reasons."""
        while waiting or self._running:
            is_crowded = False
            if waiting:
                attempt, is_crowded = self._begin(waiting.pop(0))
                self._running.add(attempt)
            head_start = 0 if is_crowded else HEAD_START_SECONDS
            timeout = head_start if waiting else None
            done, _ = await asyncio.wait(self._running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                self._running.discard(attempt)
                try:
                    return attempt.result()
                except (FrontEndSilent, FrontEndRefused) as error:
                    self.problems.append(error)
        return None

    def end(self, retire: Callable[[Connection], None]) -> None:
        """End attempts that nobody waits for.

        One that succeeds nevertheless must not stay open with a ticket: its connection goes to `retire`.
        """

        for attempt in self._running:
            attempt.add_done_callback(partial(_hand, retire))
            attempt.cancel()


def _hand(retire: Callable[[Connection], None], ended: "asyncio.Future[Any]") -> None:
    """Hand over the connection that something has ended with, if it has."""
    if not ended.cancelled() and not ended.exception() and (connection := ended.result()):
        retire(connection)
