"""Jobs that Slurm has for ours that are over: they were given up, and came late."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running.board import Board
from job_service.running.errands import Errands
from job_service.running.places import Places
from job_service.running.sightings import Question
from job_service.store.jobs import Jobs
from slurm_ssh.job import JobState
from slurm_ssh.slurm.jobs import Row
from slurm_ssh.slurm.survey import Listing

AGAIN = timedelta(minutes=5)
"""How long after one was seen it is looked at again: who should cancel it may be unable to."""

_GOES_ON = {JobState.PENDING, JobState.RUNNING}


class Strays:
    """Owner of what is known of them.  What the store does not know is somebody else's, and left alone."""

    def __init__(self, board: Board, jobs: Jobs, places: Places, errands: Errands) -> None:
        self._board = board
        self._jobs = jobs
        self._places = places
        self._errands = errands
        self._looked: dict[str, dict[tuple[str, str], datetime]] = {}

    async def look(self, asked: Question, listing: Listing) -> None:
        """Have those that an answer lists cancelled as their owners.  Raises StoreAway."""
        found = self._found(asked, listing.rows)
        before = self._looked.get(asked.system, {})
        looked = {key: at for key, at in before.items() if key in found and asked.began - at < AGAIN}
        new = {key: row for key, row in found.items() if key not in looked}
        if new:
            records = await self._jobs.records(job_id for job_id, _ in new)
            for job_id, record in records.items():
                self._cancel(record, asked, [row for (of_job, _), row in new.items() if of_job == job_id])
        self._looked[asked.system] = {**looked, **dict.fromkeys(new, asked.began)}

    def _found(self, asked: Question, rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
        """Return what goes on for no job of ours that does, by the id of that and Slurm's number."""
        live = self._board.at(asked.system)
        going_on = ((self._places.job_id(row.mark), row) for row in rows if row.report.state in _GOES_ON)
        return {(job_id, row.job_id): row for job_id, row in going_on if job_id and job_id not in live}

    def _cancel(self, record: JobRecord, asked: Question, rows: Iterable[Row]) -> None:
        numbers = tuple(row.job_id for row in rows if row.owner == record.login)
        # What was asked while it went on says nothing of after it.
        was_over = record.stage.is_over and record.ended is not None and record.ended < asked.began
        if numbers and was_over and record.system == asked.system:
            errand = self._errands.of(record.system, record.owner)
            errand.strays[record.job_id] = (record, numbers)
            self._errands.wake(errand)
