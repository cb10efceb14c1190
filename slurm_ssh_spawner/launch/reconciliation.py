"""Brings launch records, jobs at the sites and the hub's list of servers to agree.

When the hub starts, whenever a person's ticket appears, and every ten minutes, each launch of theirs that is not
settled is looked at, as themselves: one that goes on gets its server back, a stop that was promised is carried
out, what a launch that is over has left is removed.  Jobs that no record knows are cancelled, never taken up.  For
a person for whom something of that could not be done, it is tried again sooner.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from slurm_ssh.credentials import Credentials
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, LaunchId, marked_launch, marks
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import BY_HUB

AGAIN_SECONDS = 600.0
_UNSETTLED_SECONDS = 30.0
_GROWTH = 2
# People that are connected at once for this.
_AT_ONCE = 20
# How long ago a person may have begun something at a site for it to be searched for jobs that no record knows.
_SWEPT = timedelta(days=7)

_log = logging.getLogger(__name__)


class HubServers(Protocol):
    """What is asked of the hub."""

    async def ready(self) -> None:
        """Return when it knows which servers it has."""

    def close(self) -> None:
        """Nothing is asked any more."""

    async def start(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        """Start a server of somebody who has a ticket, or raise LaunchError if that cannot be done now.

        Of other choices, such as an older database of JupyterHub's has, it would be another launch.
        """


class Reconciliation:
    """Owner of what is done about launches that nobody waits for."""

    def __init__(self, launcher: Launcher, credentials: Credentials, hub: HubServers) -> None:
        self._launcher = launcher
        self._credentials = credentials
        self._hub = hub
        self._round: asyncio.Task[None] | None = None
        self._people: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._in_vain: set[str] = set()
        self._pauses: dict[str, float] = {}
        self._gone: frozenset[str] = frozenset()
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def begin(self) -> None:
        """Look at everybody's launches, now and every ten minutes, and at a person's when they have a ticket."""
        self._round = asyncio.create_task(self._rounds())
        self._credentials.subscribe(self.soon)
        self._launcher.unattended.when_left = self._when_left

    async def close(self) -> None:
        """End what is under way."""
        tasks = [*self._people.values(), *([self._round] if self._round else [])]
        for due in self._due.values():
            due.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._hub.close()

    def soon(self, user: str) -> None:
        """Look at a person's launches now, and once more if they are being looked at."""
        self._again.add(user)
        if user not in self._people:
            task = self._people[user] = asyncio.create_task(self._while_asked(user))
            task.add_done_callback(lambda _: self._people.pop(user))

    def _when_left(self, user: str) -> None:
        """Look at a person's launches again, the later the more often that was in vain: nobody waits for it."""
        self._in_vain.add(user)
        pause = self._pauses.get(user, _UNSETTLED_SECONDS)
        if user not in self._due:
            self._pauses[user] = min(pause * _GROWTH, AGAIN_SECONDS)
        self._after(pause, user)

    def _after(self, pause: float, user: str) -> None:
        if user not in self._due:
            self._due[user] = asyncio.get_running_loop().call_later(pause, self._now, user)

    def _now(self, user: str) -> None:
        del self._due[user]
        self.soon(user)

    async def of_everybody(self) -> bool:
        """Look at everybody's launches, those of a few people at once; return whether it is known who has some."""
        try:
            people = await self._launcher.records.people(_swept_since())
            await self._tell_what_is_gone()
        except LaunchError as error:
            _log.warning("launches that are not settled are looked at later: %s", error)
            return False
        await asyncio.gather(*map(self._in_turn, people))
        return True

    async def _tell_what_is_gone(self) -> None:
        """Log once which sites are out of the catalogue while launches go on there, and what becomes of those."""
        going_on = await self._launcher.records.history.going_on()
        launches = Counter(each.site_key for each in going_on if not self._launcher.has_site(each.site_key))
        for site in sorted(launches.keys() - self._gone):
            _log.warning(
                "The site %s is not in the catalogue any more, and launches go on there: %d. They stay listed, "
                "but the hub cannot ask about their jobs, renew their tickets or stop them; behind a tunnel they "
                "are reached while the tunnel daemon runs. Put %s back, or end its jobs %s... with scancel.",
                site,
                launches[site],
                site,
                marks("jupyter", self._launcher.hub_name),
            )
        self._gone = frozenset(launches)

    async def _in_turn(self, user: str) -> None:
        async with self._turns:
            self._in_vain.discard(user)
            is_settled = await self._of(user)
        if not is_settled:
            self._after(_UNSETTLED_SECONDS, user)
        elif user not in self._in_vain:
            self._pauses.pop(user, None)

    async def _rounds(self) -> None:
        await self._hub.ready()
        while True:
            is_known = await self.of_everybody()
            await asyncio.sleep(AGAIN_SECONDS if is_known else _UNSETTLED_SECONDS)

    async def _while_asked(self, user: str) -> None:
        await self._hub.ready()
        while user in self._again:
            self._again.discard(user)
            await self._in_turn(user)

    async def _of(self, user: str) -> bool:
        """Return whether there is nothing to look at again before the usual time."""
        return await self._is_done(user, self._all_of(user))

    async def _all_of(self, user: str) -> bool:
        """Return whether each step was done: none depends on another, as on a site that is away.

        Where nothing can be asked as them, nothing is done: their next ticket brings us back.
        """
        are_done = True
        for record in await self._launcher.records.unsettled(user):
            if self._launcher.can_act(user, record.site_key):
                are_done &= await self._is_done(user, self._settle(record.launch_id))
        return await self._is_done(user, self._sweep(user)) and are_done

    @staticmethod
    async def _is_done(user: str, step: Awaitable[bool | None]) -> bool:
        """Return whether a step has come to its end, and has not said False itself."""
        try:
            return await step is not False
        except LaunchError as error:
            _log.warning("launches of %s are looked at later: %s", user, error)
        except Exception:  # noqa: BLE001 - others' launches, and the next round, do not depend on it
            _log.exception("launches of %s cannot be looked at", user)
        return False

    async def _settle(self, launch_id: LaunchId) -> None:
        # Read now: the launches before it may have taken minutes.
        record = await self._launcher.records.get(launch_id)
        if record is None:
            return
        launcher, job = self._launcher, record.job(self._launcher.hub_name)
        if launcher.reports.is_held(record.launch_id) or launcher.is_submitting(job):
            return
        if record.ended:
            await launcher.unattended.clean_up(job)
        elif record.stop_wanted:
            launcher.unattended.owe_stop(job)
        elif launcher.reports.holds(record.user, record.server):
            # The person has another server of that name now.
            await launcher.unattended.give_up(job, BY_HUB)
        elif not record.token_hash:
            # Nobody could tell its job's reports from others'.
            await launcher.unattended.give_up(job, sentences.BEGUN_BY_AN_OLDER_HUB)
        else:
            await self._go_on(record, job)

    async def _go_on(self, record: LaunchRecord, job: Job) -> None:
        """Give a launch its server back, unless Slurm says that its job is over."""
        found = await self._launcher.unattended.found(job)
        if found is None:
            _log.info("%s was never submitted: it is begun anew for %s", job.mark, job.user)
        elif await self._launcher.is_settled(found):
            return
        # To ask has taken a while, in which its owner may have ended it.
        now = await self._launcher.records.get(record.launch_id)
        if now is None or now.stop_wanted:
            return
        _log.info("%s: the hub goes on with it for %s", job.mark, job.user)
        await self._hub.start(record.user, record.server, record.choices)

    async def _sweep(self, user: str) -> None:
        """Cancel a person's marked jobs that no record knows: nobody would ever stop them."""
        for record in await self._launcher.records.sites(user, _swept_since()):
            if not self._launcher.can_act(user, record.site_key):
                continue
            job = record.job(self._launcher.hub_name)
            rows = await self._launcher.unattended.marked(job, marks("jupyter", self._launcher.hub_name))
            for row in rows or ():
                launch_id = marked_launch("jupyter", self._launcher.hub_name, row.mark)
                if row.owner != job.owner or launch_id is None or self._launcher.reports.is_held(launch_id):
                    continue
                # Asked only now: a launch is in the records before its job is submitted.
                known = await self._launcher.records.get(launch_id)
                if known is None or known.ended:
                    _log.warning("%s of %s is no launch of this hub that goes on: cancelled", row.mark, user)
                    stray = replace(job, launch_id=launch_id, job_id=row.job_id, mark=row.mark)
                    self._launcher.unattended.owe_stop(stray)


def _swept_since() -> datetime:
    return datetime.now(UTC) - _SWEPT
