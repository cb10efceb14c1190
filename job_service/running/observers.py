"""Who asks a site about everybody's jobs: its monitor, its account for jobs, else somebody who has a job there."""

import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.places import Places
from job_service.running.sightings import Question
from job_service.sentences import running as say
from profiles.catalogue.identity import account
from slurm_ssh.errors import KdcSilent, LaunchError, Refused, SiteUnreachable, Unavailable
from slurm_ssh.scheduler import Listing
from slurm_ssh.schedulers.queries import survey

_AVOIDED = timedelta(minutes=10)
_AT_MOST = 3
_MONITOR = "The monitor of %s cannot ask about jobs, so somebody else does: %s"
_ACCOUNT = "The account for jobs at %s cannot ask about them, so somebody who has one does: %s"

_log = logging.getLogger(__name__)


class Observers:
    """Owner of what is known of those who may ask: who did so last, and with whom it did not work lately."""

    def __init__(self, board: Board, places: Places, clock: Clock) -> None:
        self._board = board
        self._places = places
        self._clock = clock
        self._last: dict[str, str] = {}
        self._avoided: dict[tuple[str, str], datetime] = {}
        self._told: dict[tuple[str, str], str] = {}

    async def answer(self, system: str) -> tuple[Question, Listing]:
        """Return a site's answer about all jobs of the service, and who has asked.

        Raises Unavailable if the site or its Slurm does not answer, Refused if nobody can ask it, Broken.
        """
        site, began = self._places.sites.get(system), self._clock.now()
        if site and site.monitor:
            asking = self._places.core.queries.jobs(system, self._places.marks)
            if (listing := await self._listed(system, _MONITOR, asking)) is not None:
                return Question(system, site.monitor.principal, began, is_of_monitor=True), listing
        if site and site.jobs and site.jobs.run_as and self._places.core.can_act(name := account(system), system):
            remote = self._places.core.remote_of(name, system)
            asking = survey(remote, self._places.marks)
            if (listing := await self._listed(system, _ACCOUNT, asking)) is not None:
                return Question(system, name, began), listing
        return await self._of_somebody(system)

    async def _listed(self, system: str, said: str, asking: Awaitable[Listing]) -> Listing | None:
        """Return what one of the site's own is told, None if they cannot ask.  Raises Unavailable."""
        try:
            listing = await asking
        except Unavailable:
            raise
        except LaunchError as error:
            self._tell(system, said, error)
            return None
        self._told.pop((system, said), None)
        return listing

    def forgive(self, user: str) -> None:
        """Ask by somebody again, who has a new ticket."""
        self._avoided = {key: until for key, until in self._avoided.items() if key[1] != user}

    async def _of_somebody(self, system: str) -> tuple[Question, Listing]:
        problem: LaunchError = Refused(say.NOBODY_TO_ASK.format(site=self._places.title(system)))
        for record in self._candidates(system):
            asked = Question(system, record.whom, self._clock.now())
            try:
                listing = await survey(self._places.remote(record), self._places.marks)
            except (SiteUnreachable, KdcSilent):
                raise
            except LaunchError as error:
                # It may be their login, or their shell, alone.
                self._avoided[system, record.whom] = self._clock.now() + _AVOIDED
                problem = error
            else:
                self._last[system] = record.whom
                return asked, listing
        raise problem

    def _candidates(self, system: str) -> list[JobRecord]:
        """Return a job each of those who may ask, who did so last first; those with whom it did not work last."""
        people: dict[str, JobRecord] = {}
        for record in self._board.at(system).values():
            if record.whom not in people and record.submission in {"sent", "in_doubt"}:
                people[record.whom] = record
        now, last = self._clock.now(), self._last.get(system)

        def order(owner: str) -> tuple[bool, bool, str]:
            until = self._avoided.get((system, owner))
            return until is not None and until > now, owner != last, owner

        able = (people[owner] for owner in sorted(people, key=order) if self._places.core.can_act(owner, system))
        return [record for record, _ in zip(able, range(_AT_MOST), strict=False)]

    def _tell(self, system: str, said: str, error: LaunchError) -> None:
        if self._told.get((system, said)) != error.message:
            self._told[system, said] = error.message
            _log.warning(said, system, error)
