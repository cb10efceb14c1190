"""Jobs that Slurm has for ours that are over: they were given up, and came late."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running.board import Board
from job_service.running.errands import Errands
from job_service.running.places import Places
from job_service.running.sightings import Question
from job_service.store.jobs import Jobs
from slurm_ssh.job import JobState
from slurm_ssh.scheduler import Listing, Row
from slurm_ssh.slurm.ending import is_over

AGAIN = timedelta(minutes=5)
"""How long after one was seen it is looked at again: who should cancel it may be unable to."""

_GOES_ON = {JobState.PENDING, JobState.RUNNING}


class Strays:
    """Owner of what is known of them.

    Left alone is what the store does not know, which is somebody else's, and a job whose end Slurm had told.
    """

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
            records = await self._jobs.records({job_id for job_id, _ in new})
            for job_id, record in records.items():
                rows = [row for (of_job, _), row in new.items() if of_job == job_id]
                of_tasks = await self._jobs.tasks(job_id) if record.kind == "array" else ()
                self._cancel(record, {each.task: each for each in of_tasks}, asked, rows)
        self._looked[asked.system] = {**looked, **dict.fromkeys(new, asked.began)}

    def _found(self, asked: Question, rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
        """Return what goes on for no job of ours that does, by the id of that and Slurm's number."""
        live = {(each.sent_as, each.task) for each in self._board.at(asked.system).values()}
        going_on = ((self._places.job_id(row.mark), row) for row in rows if row.report.state in _GOES_ON)
        strays = ((job_id, row) for job_id, row in going_on if (job_id, _index(row)) not in live)
        return {(job_id, row.number): row for job_id, row in strays if job_id}

    def _cancel(
        self, record: JobRecord, of_tasks: Mapping[int | None, JobRecord], asked: Question, rows: Iterable[Row]
    ) -> None:
        """Have those rows cancelled that nobody wants, of those with the mark of a job or of an array."""
        theirs = ((row, of_tasks.get(_index(row), record)) for row in rows)
        numbers = tuple(row.number for row, job in theirs if _is_stray(row, job, asked))
        if numbers:
            errand = self._errands.of(record.system, record.whom)
            errand.strays[record.job_id] = (record, numbers)
            self._errands.wake(errand)


def _index(row: Row) -> int | None:
    """Return which task a row is about, None for a job that is none."""
    return row.task.index if row.task else None


def _is_stray(row: Row, record: JobRecord, asked: Question) -> bool:
    """Return whether a row is about what nobody wants any more, though its mark is that of a job."""
    # One whose end Slurm has told was put back by somebody at the site, who wants it so.
    was_put_back = row.number == record.native_id and is_over(record.native_state)
    # What was asked while it went on says nothing of after it.
    was_over = record.stage.is_over and record.ended is not None and record.ended < asked.began
    is_theirs = (row.owner, asked.system) == (record.login, record.system)
    return is_theirs and was_over and not was_put_back
